/*
 * engine.h: the host side of a run. Probes the machine, looks at paths, runs a plan's PREPARE slice, spawns the launcher,
 * watches, undoes. Knows plans, not policies.
 */
#ifndef COFFER_ENGINE_ENGINE_H
#define COFFER_ENGINE_ENGINE_H

#include "base/arena.h"
#include "base/err.h"
#include "plan/facts.h"
#include "plan/outcome.h"
#include "plan/plan.h"
#include "plan/survey.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/ioctl.h>

/* What this machine can do. Reads /proc and asks the kernel; forks nothing; ~50 µs. Strings land in the arena. */
int engine_probe(struct arena *arena, struct facts *ret_facts, struct err *err);

/*
 * Can this directory, where the kernel has overlays, hold what is written to one? Its file system must keep attributes of its users' (user.*), and be
 * neither an overlay nor one of another machine. The run tells otherwise. Nothing is written.
 */
bool engine_takes_overlay(int dir);

/* Answers the questions by openat2 and statx, never following anything for writing. */
int engine_survey(const struct question_vec *questions, struct arena *arena, struct survey *ret_survey, struct err *err);

/*
 * STARTED: the launcher runs; a step of it may still fail. LIMITED: a ceiling was passed, all is being killed. CONTROL: what was read of control_fd. EXITED: all
 * is over. EXECUTED: in a session, the command is there. TURN: turn_fd is readable.
 */
enum engine_event_type {
	ENGINE_STARTED,
	ENGINE_OUTPUT,
	ENGINE_DENIED,
	ENGINE_CONNECTION,
	ENGINE_LIMITED,
	ENGINE_CONTROL,
	ENGINE_EXITED,
	ENGINE_EXECUTED,
	ENGINE_TURN
};
struct engine_event {
	enum engine_event_type type;
	int stream;        /* OUTPUT: 1 or 2 */
	const void *bytes; /* OUTPUT, CONTROL */
	size_t len;
	const struct denial *denial;         /* DENIED; rule filled, remedy not yet */
	const struct connection *connection; /* CONNECTION */
	enum outcome_cause cause;            /* LIMITED */
};

/*
 * How the sandbox's standard streams are joined to the caller. A descriptor ≥ 0 is the caller's and stays the caller's: the engine
 * relays between it and a pipe or pty of the sandbox; it is never handed in (but /dev/null is recognised, and replaced by the
 * sandbox's own). -1 on input is end of file; -1 on output means the ENGINE_OUTPUT callback gets the bytes, or nobody where there is
 * none. A descriptor that is not open is /dev/null. Output and error that lead to the same place share one pipe, so that their
 * order is kept: both count as output then.
 */
struct engine_run_options {
	int stdin_fd, stdout_fd, stderr_fd;
	int cancel_fd;                  /* -1, or readable when the run is to be cancelled */
	int control_fd;                 /* -1, or read as long as the run lasts: its bytes are CONTROL events */
	const struct spill_wish *spill; /* NULL: all output goes on */
	int turn_fd;                    /* -1, or whenever it is readable the callback has a turn, and sees to it that it no longer is */
	int rules_fd; /* -1, or packets that bring sealed files of rules, each for the egress filter in place of those before */
	const struct winsize
	    *size; /* NULL, or the size of a terminal for which the caller has none; looked at again when SIGWINCH is taken */
	const sigset_t
	    *forward; /* NULL, or signals blocked by the caller that the engine takes by signalfd and forwards (SIGWINCH resizes) */
	void (*on_event)(void *context, const struct engine_event *event);
	bool (*ignores)(void *context, const struct denial *denial); /* NULL, or: this one is counted and told nobody */
	void *context;
	int session;          /* -1, or a connection to a session's supervisor (live.h), where a plan that is for one is carried out */
	bool background;      /* there: does not keep the session from being idle; signals reach its group, and end all that came of it */
	const char *launcher; /* path of coffer-launch; NULL finds it (COFFER_LIBEXEC of the build, or beside the executable) */
	const char *run_id;
	const char *state_dir; /* where journals live: a directory of the caller's own, 0700; made when missing */
	uint32_t *refused_op;  /* NULL, or set to the index of the operation that failed, when engine_run says ERR_UNSUPPORTED */
	int torture_op; /* tests only, -1: fail this operation with EIO instead of doing it (honoured by builds with -Dtorture=true) */
};
void engine_run_options_init(struct engine_run_options *options);

/*
 * Runs the plan to its end, in the calling thread. Returns 0 with *ret_outcome filled whenever the command was started or could not be: then
 * exit_code is 126 or 127 and err, in spite of the 0, says why ("nosuch: not found"), for the caller to show; else err is as it was.
 * A negative errno with err when setting up failed: err.where is the operation's provenance and the text its printed form and the
 * errno's meaning. A ceiling of WATCH and a cancellation kill all at once, by SIGKILL; who wants to give warning sends a signal first.
 * When the kernel refuses SPAWN's namespaces (EPERM, ENOSPC, ENOSYS, EINVAL, EUSERS), their use (IDMAP, PRIVATE), or to change a tree's owners in TREE_IDMAP, the code is
 * ERR_UNSUPPORTED: the session then tries rung two, or leaves the owners. Afterwards nothing of the run is left on the host in either case.
 */
int engine_run(const struct plan *plan, const struct engine_run_options *options, struct arena *arena, struct outcome *ret_outcome,
               struct err *err);

/* Undoes what crashed runs of this user left: walks the journals of state_dir whose owner is gone. Returns how many, or negative errno. */
int engine_gc(const char *state_dir, struct err *err);

#endif

/*
 * run.h: one run from policy to outcome. The only conductor: nothing else in coffer calls compile and engine one after the other.
 *
 *   policy + request ──questions──▶ survey ──compile──▶ plan ──engine──▶ outcome
 *                                     ▲                          │
 *                                     └── rung two, said aloud ◀─┘ the kernel refused the namespaces, and the policy allows it
 */
#ifndef COFFER_SESSION_RUN_H
#define COFFER_SESSION_RUN_H

#include "base/arena.h"
#include "base/err.h"
#include "compile/compile.h"
#include "plan/facts.h"
#include "plan/outcome.h"
#include "plan/plan.h"
#include "policy/policy.h"
#include "session/state.h"

#include <signal.h>

/* What every run of a process shares. Not changed once runs have begun, so threads may share it. */
struct session {
	struct arena arena;
	struct facts facts;
	const char *state_dir, *data_dir;
	const char *launcher; /* NULL: the engine finds it */
};

/* Probes the machine and finds the state directory. */
int session_open(struct session *ret_session, struct err *err);
void session_close(struct session *session);

enum session_event_type {
	SESSION_PLANNED, /* again, when the kernel has refused a plan and there is another */
	SESSION_NOTED,   /* of the plan; the same note once, however many plans say it */
	SESSION_STARTED,
	SESSION_OUTPUT,
	SESSION_DENIED,
	SESSION_CONNECTION,
	SESSION_LIMITED,
	SESSION_CONTROL,
	SESSION_EXITED,
	SESSION_EXECUTED /* in a session: the command is there */
};

struct session_event {
	enum session_event_type type;
	int stream;        /* OUTPUT: 1 or 2 */
	const void *bytes; /* OUTPUT, CONTROL */
	size_t len;
	const struct denial *denial;         /* DENIED: with its remedy */
	const struct connection *connection; /* CONNECTION */
	enum outcome_cause cause;            /* LIMITED */
	const struct plan *plan;             /* PLANNED */
	const char *note;                    /* NOTED */
};

/* With what. All of it is borrowed. */
struct session_request {
	const struct policy *policy; /* not resolved: each run resolves a copy, so that threads may share it */
	const char *const *argv, *const *env;
	const char *cwd;                                                    /* absolute, or NULL for the caller's */
	int stdin_fd, stdout_fd, stderr_fd;                                 /* as in engine_run_options */
	int results_fd;                                                     /* as in engine_run_options */
	int cancel_fd;                                                      /* -1: cannot be cancelled */
	int control_fd, rules_fd;                                           /* as in engine_run_options */
	unsigned terminal;                                                  /* bits 1, 2, 4 */
	const struct input_workspace *workspace;                            /* NULL: the host's own */
	const char *own_directory;                                          /* of own_files, or NULL */
	struct input_own_vec own_files;                                     /* that come with the request (compile.h) */
	const sigset_t *forward;                                            /* NULL: none */
	void (*on_event)(void *context, const struct session_event *event); /* may be NULL */
	void *context;
};

/* A request that executes `true` without streams, for what is the same whatever is executed. */
struct session_request session_request_plain(const struct policy *policy, const char *const *env, const char *cwd);

/* What a run left. Lives in the arena that the run was given. */
struct session_result {
	char run_id[STATE_RUN_ID_MAX];
	const char *cwd;
	struct policy policy; /* as resolved */
	struct facts facts;   /* as the plan was compiled for: a step down the ladder is seen here */
	struct plan plan;
	struct outcome outcome;
	const char *message; /* why the command itself could not be executed, where it could not; else NULL */
};

/*
 * The plan alone: fills all of *ret_result but the outcome. The run's name is all zeros, so that the same request explains in the same
 * words every time.
 */
int session_plan(const struct session *session, const struct session_request *request, struct arena *arena,
                 struct session_result *ret_result, struct err *err);

/* Runs the request. 0 with *ret_result, or a negative errno when nothing was run and nothing is left. */
int session_run(const struct session *session, const struct session_request *request, struct arena *arena,
                struct session_result *ret_result, struct err *err);

/*
 * Did session_run or session_plan fail because the workspace cannot be an overlay here? Nothing was run; a stage will do. What tells beforehand is
 * facts.overlay, and engine_takes_overlay of the directory.
 */
bool session_wants_stage(const struct err *err);

/*
 * Sends what the request's policy says of the network, as a sealed file, to whoever reads the other end of the socket: a filtered run takes it on
 * its rules_fd in place of what was in force. 0, or a negative errno: it says nothing that a filter could enforce, or there is no room.
 */
int session_send_rules(const struct session *session, const struct session_request *request, int socket, struct err *err);
/* Copies of both ends of a decider's stream, for the filter of the same run. 0, or USAGE. */
int session_send_decider(int socket, int in, int out, struct err *err);

/* Undoes what runs that were ended by force have left. Returns how many, or a negative errno. */
int session_gc(const struct session *session, struct err *err);

#endif

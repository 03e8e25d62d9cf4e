/*
 * launch.h: the deed. What the files of the launcher share: the state of a launch, and a handler for each operation.
 *
 * The launcher is one static program without heap or stdio that runs a plan in up to four processes:
 *
 *   warden    outside, the first. Runs the WARDEN operations. SPAWN forks the jail; from then on the warden only waits for its end, or the engine's.
 *   jail      inside the new namespaces, their process 1. Runs the JAIL operations. INIT splits it:
 *   init      the jail's process as it goes on: reaps, forwards, answers the calls that the filter refuses
 *   command   the new one: runs the rest of the plan, which ends in exec
 *
 * In a session the jail's process goes on as process 1 (serve.c), and starts commands, each with a plan of its own.
 *
 * Success is silence. A handler returns 0 or a negative errno; the first that fails ends everything with one message, operation index and errno.
 * Nothing is undone on the way: namespaces, mounts and descriptors die with the processes.
 */
#ifndef COFFER_LAUNCH_LAUNCH_H
#define COFFER_LAUNCH_LAUNCH_H

#include "plan/plan.h"
#include "sys/local.h"
#include "sys/ns.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* A host directory or file on its way into the new root. */
struct slot {
	int fd;          /* a detached tree; without the mount API an O_PATH descriptor of the source; -1: absent, and optional */
	unsigned rights; /* MOUNT_ bits, still to be taken away in the latter case */
	bool recursive;
};

struct launch {
	struct plan plan;
	bool has_results; /* WIRE_RESULTS_FD is a pipe for the command */
	uint32_t at;      /* index of the operation under way */
	int socket;       /* to the engine */

	/* BIRTH */
	uint64_t namespaces;
	pid_t warden;      /* rung two: init's parent */
	uint32_t tag;      /* of a session's command, and all that comes of it (sys/tag.h) */
	struct ns_map map; /* that userns has, for trees whose owner is to look like somebody else */
	int userns;        /* -1: none */

	/* ROOT and PIVOT */
	bool trees;        /* the kernel has detached mounts */
	int root;          /* the new root, -1 before and after */
	dev_t root_dev;    /* of a root that is a file system of ours; 0 when it is the host's */
	int store;         /* internal tmpfs: what masks and covers are clones of */
	struct stat cover; /* the store itself; st_dev is 0 where there is none */
	unsigned umask;    /* the caller's, while it is 0 */
	struct slot slot[PLAN_SLOTS_MAX];

	/* SHED and LOCK */
	bool session; /* the command gets one of its own */
	int terminal; /* which of 0, 1, 2 is its terminal; -1: none */
	int ruleset;  /* Landlock's, under construction */

	/* INIT */
	const struct plan_op *init; /* NULL before */
	int children;               /* rung two: the list of init's children, opened while that was allowed */
	int listener;               /* of the command's filter, -1: none */
	struct local_set listed;    /* sockets of the host that are known by their inodes */
	struct local_set made;      /* sockets that init has bound */
	bool is_command;            /* this process shares its memory with init, which waits meanwhile */
	int error;                  /* of the command's process, positive */

#ifdef COFFER_TORTURE
	uint32_t torture; /* index of the operation that fails instead of being done */
#endif
};

/* Runs the plan from l->at to its end, or this process to its. */
_Noreturn void launch_run(struct launch *l);
/* Tells the engine which operation failed, and ends. errnum is positive. */
_Noreturn void launch_fail(struct launch *l, int errnum);

/* Has there been a SIGCHLD since the last time? It comes in while ppoll waits, and only then. */
bool jail_child_ended(void);
/* Has this process, the jail's, told when the warden dies. To be said again after its ids have changed. */
int jail_watch_warden(const struct launch *l);

/* Maps a plan that nobody can change any more, and closes fd. A negative errno; -EBADMSG: *ret_verdict says what is wrong with it. */
int launch_map(int fd, struct plan *ret_plan, struct plan_verdict *ret_verdict);
/* May it be a standard stream of a sandbox? A directory or an O_PATH descriptor would be a way out. */
int launch_check_stream(int fd);

/* Process 1: waits for the command's end and answers its calls. */
_Noreturn void init_run(struct launch *l, pid_t command);

/* do_NAME: one handler an operation; those of the engine have none here. */
#define DECLARE_HOST(name)
#define DECLARE_WARDEN(name) int do_##name(struct launch *l, const struct plan_op *op);
#define DECLARE_JAIL(name) int do_##name(struct launch *l, const struct plan_op *op);
#define OP(name, actor, stage, inverse, operands, sentence) DECLARE_##actor(name)
#include "plan/ops.def"
#undef OP

#endif

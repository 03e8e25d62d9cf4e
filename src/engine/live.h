/*
 * live.h: a session: a sandbox whose process 1 waits for plans to carry out. Both ends: the supervisor, which is engine_run stretched over time, and
 * the client, who has something executed in it.
 *
 * They speak over a SOCK_SEQPACKET at a path that only this user can get to. The supervisor greets each client with HELLO, the plan from which those of executions
 * are made (compile_exec) and the sandbox's root; a client that sends EXEC with the five descriptors of wire.h's EXEC holds the exec's own socket,
 * and this connection is then one of those that events of the egress filter come over, as the filter has written them.
 */
#ifndef COFFER_ENGINE_LIVE_H
#define COFFER_ENGINE_LIVE_H

#include "base/err.h"
#include "engine/engine.h"

#include <stdbool.h>
#include <stdint.h>

enum { LIVE_VERSION = 1, LIVE_CLIENTS_MAX = 256, LIVE_NEVER_MS = 0 };

enum live_request_type {
	LIVE_EXEC = 1, /* with WIRE_EXEC_FDS descriptors; a = 1: it is no sign of activity. No reply but on the exec's socket */
	LIVE_STATE,    /* the reply says it */
	LIVE_PAUSE, /* nothing runs until the next EXEC or RESUME. a = 1: and nobody else is heard until this client says RESUME, or goes */
	LIVE_RESUME,
	LIVE_LIFETIME, /* other times: b, c in ms from now; 0: none */
	LIVE_RULES,    /* with a sealed file of rules for the egress filter, in place of those before */
	LIVE_USE,      /* the session is not idle as long as this connection is open */
	LIVE_END       /* kills all; the reply is the connection's end */
};

struct live_request {
	uint32_t type, a;
	uint64_t b, c;
};

enum live_state { LIVE_RUNNING = 1, LIVE_PAUSED };

/* HELLO, and the answer to all requests but EXEC and END. */
struct live_reply {
	uint32_t version;
	int32_t result; /* 0, or a negative errno */
	uint32_t state; /* enum live_state */
	uint32_t execs; /* that a client waits for, or keeps */
	uint64_t started_ms_ago;
	uint64_t ends_in_ms;           /* by its ttl; UINT64_MAX: never */
	uint64_t idle_for_ms;          /* 0: it is active */
	uint64_t memory_bytes;         /* in use; 0: not known */
	uint32_t owner_uid, owner_gid; /* host ids that the sandbox's processes have */
};
enum { LIVE_HELLO_TEMPLATE, LIVE_HELLO_ROOT, LIVE_HELLO_FDS };

/* ---- the supervisor ---- */

struct live_setting {
	const struct plan *plan;                  /* ends in SERVE */
	int template_fd;                          /* a sealed file: the plan for executions */
	int listener;                             /* of the path where clients come */
	int dir;                                  /* the session's; -1: it leaves no mark there when it is paused */
	uint64_t ttl_ms, idle_ms;                 /* LIVE_NEVER_MS: none */
	const struct engine_run_options *options; /* launcher, run_id, state_dir, refused_op, torture_op */
	void (*on_ready)(void *context);
	void *context;
};

/*
 * Makes the session, serves clients until it ends, and undoes it. 0, 1 when its time was up, or a negative errno when it could not be made: then on_ready has not been
 * called. Processor time and memory of a session that nobody uses: those of one small process that sleeps.
 */
int live_serve(const struct live_setting *setting, struct arena *arena, struct err *err);

/*
 * What coffer-session, the supervisor's program, is told by whoever starts it: one packet on its descriptor 3, with LIVE_START_FDS descriptors; it answers with
 * one struct live_started. Both are the same build's.
 */
enum { LIVE_PATH_MAX = 1024 };
struct live_start {
	uint32_t version;
	int32_t torture_op;
	uint64_t ttl_ms, idle_ms;
	char run_id[32];
	char state_dir[LIVE_PATH_MAX];
	char launcher[LIVE_PATH_MAX]; /* "": beside coffer-session */
	char dir[LIVE_PATH_MAX];      /* the session's: when its time is up it is removed, */
	bool keeps;                   /* or has a file LIVE_ENDED from then on, for whoever has more to remove */
};
/* The last two are locks, held as long as they are open. */
enum { LIVE_START_PLAN, LIVE_START_TEMPLATE, LIVE_START_LISTENER, LIVE_START_LOCK, LIVE_START_TREE, LIVE_START_FDS };
#define LIVE_ENDED "ended"
/* A file in the session's directory while it is paused, for those who only list. */
#define LIVE_PAUSED_MARK "paused"

struct live_started {
	int32_t result;      /* 0: clients are served; else a negative errno, and why: */
	uint32_t refused_op; /* as engine_run_options has it */
	struct err err;
};

/* Starts it; it goes on when this process ends. rest: its start without descriptors; program NULL: spawn_find's. On failure err is the supervisor's. */
int live_spawn(const char *program, const struct live_start *start, const int fds[LIVE_START_FDS], uint32_t *ret_refused_op,
               struct err *err);
/* Its two parts, for keep.h: a process under that name, which has left its starter, and the other end of its descriptor 3; and what it answers there. */
int live_spawn_as(const char *program, const char *name, int *ret_socket, struct err *err);
int live_hear_started(int socket, const char *name, uint32_t *ret_refused_op, struct err *err);
/* A connection to the socket NAME in a directory, or a negative errno; and one */
int live_connect(int dir, const char *name);
/* that listens there, only for this user. */
int live_listen(int dir, const char *name);
/* Is the other side this user, or root? Who connects must be no process of a sandbox, either. 0, -EPERM. */
int live_check_peer(int fd, bool connects);

/* A plan as it came in a sealed file, which may be closed then; mapped until the process ends, or munmap of its head. */
int live_map_plan(int fd, struct plan *ret_plan);

/* ---- the client ---- */

struct live {
	int socket; /* -1: none */
	int root;   /* of the sandbox, O_PATH */
	struct plan template;
	struct live_reply hello;
};

/* Connects to NAME in a directory, and waits for HELLO; `waits`: for as long as somebody holds the session paused. NOTFOUND: nobody serves there. BUSY: no answer. */
int live_open(int dir, const char *name, bool waits, struct live *ret_live, struct err *err);
void live_close(struct live *live);
/* A request without descriptors, and its reply; -ENOTCONN when the session has ended meanwhile. */
int live_ask(const struct live *live, const struct live_request *request, struct live_reply *ret_reply, struct err *err);

/* engine_run_options' `session` set to live->socket: engine_run then has the plan executed there. */

#endif

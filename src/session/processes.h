/*
 * processes.h: managed processes: commands in a session that nobody waits for.
 *
 * Each has a keeper, a process of this user's outside the sandbox that holds its streams, as a client would, and its record and last output in a directory,
 * sessions/ID/execs/N. It lives as long as the command, whoever started it, and holds the directory's lock; so one whose record says that it runs, and
 * whose lock can be had, has ended with its keeper.
 *
 *   execs/N/  record   JSON, as processes_print shows it      output, error   the last bytes (ring.h)
 *             lock     the keeper's                           control         a fifo: what the keeper is to do
 *             attach   a socket: engine/keep.h
 */
#ifndef COFFER_SESSION_PROCESSES_H
#define COFFER_SESSION_PROCESSES_H

#include "base/str.h"
#include "session/sessions.h"

enum {
	PROCESS_TYPED_MAX = 32 << 10,
	PROCESSES_TEXT_MAX = 16 << 20,
	PROCESSES_LOG_DEFAULT = 1 << 20,
	PROCESSES_LOG_MAX = 64 << 20,
	PROCESS_ID_MAX = 16
};

struct process_wish {
	const char *const *argv, *const *env; /* env comes to the session's: "NAME=value", or "NAME" to take it away; NULL: nothing */
	const char *cwd;                      /* or NULL */
	const void *input;                    /* of input_n bytes */
	size_t input_n;
	uint64_t log_bytes;     /* of each stream; 0: the default */
	uint64_t timeout_ms;    /* 0: the session's */
	uint16_t rows, columns; /* of a terminal for it; 0: it has none, and no input but that */
};

/* Starts one; 0 when it is executed, with its name. env is the caller's, for a session that is stopped. */
int processes_start(const struct session *session, const char *id, const struct process_wish *wish, char ret_name[PROCESS_ID_MAX],
                    struct err *err);

/* Adds one as a JSON object; or, without a name, all as an array in the order of their start. */
int processes_print(const struct session *session, const char *id, const char *name, struct str *out, struct err *err);

struct process_log {
	struct str bytes; /* made by the caller */
	uint64_t total;   /* that there ever were */
};
/* The last bytes of each stream, at most so many as its str has room for. */
int processes_logs(const struct session *session, const char *id, const char *name, struct process_log logs[2], struct err *err);

/* A connection to its keeper, for attach.h; -1: it is over. */
int processes_connect(const struct session *session, const char *id, const char *name, int *ret_fd, struct err *err);

/* SIGTERM to its group, and after grace_ms SIGKILL to all that came of it. Returns when it is over; at once when it is already. */
int processes_stop(const struct session *session, const char *id, const char *name, uint64_t grace_ms, struct err *err);
/* LIMIT with ETIMEDOUT when it still runs after timeout_ms; 0: waits for ever. */
int processes_wait(const struct session *session, const char *id, const char *name, uint64_t timeout_ms, struct err *err);
/* Forgets one that is over. BUSY while it runs. */
int processes_remove(const struct session *session, const char *id, const char *name, struct err *err);

#endif

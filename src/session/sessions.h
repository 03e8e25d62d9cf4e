/*
 * sessions.h: this user's sessions, on disk and alive.
 *
 * A session is a directory, DATA_DIR/sessions/ID: its record, a lock that its supervisor holds, a socket where that listens. What is alive is found by connecting,
 * never by a number that was written down. A session whose supervisor is gone is stopped: the next use makes its sandbox anew, from the record.
 */
#ifndef COFFER_SESSION_SESSIONS_H
#define COFFER_SESSION_SESSIONS_H

#include "base/str.h"
#include "engine/live.h"
#include "session/run.h"

enum { SESSION_ID_MAX = 64 };

struct session_birth {
	const char *id;     /* [a-z0-9][a-z0-9_.-]{0,62}; NULL: a random one */
	const char *labels; /* a JSON object of texts, or NULL */
	uint64_t ttl_ms;    /* from now; 0: none */
	uint64_t idle_ms;   /* 0: none */
	bool workspace;     /* DATA_DIR/sessions/ID/workspace is made first: a directory that ends with the session */
};

enum session_state { SESSION_RUNNING, SESSION_PAUSED, SESSION_STOPPED, SESSION_BROKEN };

struct session_entry {
	const char *id, *cwd;
	const char *labels; /* JSON */
	const char *fault;  /* BROKEN: what is wrong with the record */
	enum session_state state;
	uint64_t created_s, ttl_ms, idle_ms;
	struct live_reply live; /* RUNNING and PAUSED */
};
VEC(struct session_entry, session_entry_vec)

/*
 * Makes a session for the request's policy, environment and working directory; its command is not looked at. -EEXIST (BUSY) where there is one of
 * that name. On failure nothing is left.
 */
int sessions_create(const struct session *session, const struct session_request *request, const struct session_birth *birth,
                    struct arena *arena, struct session_entry *ret_entry, struct err *err);

/*
 * Connects to one, by its id or the unambiguous beginning of one; makes a stopped one's sandbox anew where `revive` says so. It counts as in use until
 * live_close. env is the caller's, for a sandbox that is made.
 */
int sessions_connect(const struct session *session, const char *id, const char *const *env, bool revive, struct live *ret_live,
                     struct err *err);

/* Executes the request's command; its policy is not looked at, and NULL: the session's holds. cwd may be relative to the session's own. */
struct session_exec {
	const struct session_request *request;
	const char *const *env;            /* in addition, "NAME=value" */
	uint64_t timeout_ms, output_bytes; /* 0: the session's */
	bool background;
};
int sessions_exec(const struct session *session, const struct live *live, const struct session_exec *exec, struct arena *arena,
                  struct session_result *ret_result, struct err *err);

/* One of them, with the memory that it uses. */
int sessions_look(const struct session *session, const char *id, struct arena *arena, struct session_entry *ret_entry, struct err *err);
/* All of them, by name. */
int sessions_list(const struct session *session, struct arena *arena, struct session_entry_vec *ret_entries, struct err *err);

void sessions_print_json(const struct session_entry_vec *entries, struct str *out);
void sessions_print_one_json(const struct session_entry *entry, struct str *out);
/* A table for people, escaped. */
void sessions_print(const struct session_entry_vec *entries, struct str *out);

/* 0 if there is one of this name, running or not. */
int sessions_exists(const struct session *session, const char *id, struct err *err);
/* Ends one and removes what there is of it. */
int sessions_remove(const struct session *session, const char *id, struct err *err);

/* Removes those whose time was up when nobody was there to see it. Returns how many. */
int sessions_gc(const struct session *session, struct err *err);

#endif

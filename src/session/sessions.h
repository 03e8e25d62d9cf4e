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
#include "engine/quota.h"
#include "engine/spill.h"
#include "session/run.h"
#include "workspace/layers.h"

enum { SESSION_ID_MAX = 64 };

/* What its commands work in. */
enum session_tree {
	SESSION_TREE_HOST,  /* what the policy says of the host's */
	SESSION_TREE_COPY,  /* a copy-on-write view of the working directory */
	SESSION_TREE_EMPTY, /* a directory of its own, at `path` */
};
const char *session_tree_name(enum session_tree tree); /* "copy" */

struct birth_parent;
struct session_birth {
	enum session_tree tree;
	const char *path;      /* EMPTY: normal; NULL: /workspace */
	const char *workspace; /* EMPTY: the name under which the directory stays when the session ends; NULL: it goes with it */
	const char *id;        /* [a-z0-9][a-z0-9_.-]{0,62}; NULL: a random one */
	const char *labels;    /* a JSON object of texts, or NULL */
	uint64_t ttl_ms;       /* from now; 0: none */
	uint64_t idle_ms;      /* 0: none */
	bool history;          /* a layer after each command that changed something; not of a HOST tree */
	const char
	    *snapshot; /* the files to begin with; with the tree of the host's, what it begins on is the snapshot's own. NULL: none */
	const struct birth_parent *parent; /* of sessions_fork; else NULL */
};

enum session_state { SESSION_RUNNING, SESSION_PAUSED, SESSION_STOPPED, SESSION_BROKEN };

struct session_entry {
	const char *id, *cwd;
	enum session_tree tree;
	const char *path, *workspace; /* not of a HOST tree */
	bool keeps_workspace;
	bool history;
	const char *labels; /* JSON */
	bool is_over;       /* STOPPED, and not to be made anew: its time was up */
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
	const struct spill_wish *spill; /* NULL: all output goes on */
};
int sessions_exec(const struct session *session, const struct live *live, const struct session_exec *exec, struct arena *arena,
                  struct session_result *ret_result, struct err *err);

/* One of them, with the memory that it uses. */
int sessions_look(const struct session *session, const char *id, struct arena *arena, struct session_entry *ret_entry, struct err *err);
/* All of them, by name; those whose time is up go in passing. asks: each that is alive is asked for what it alone knows (`live`). */
int sessions_list(const struct session *session, bool asks, struct arena *arena, struct session_entry_vec *ret_entries, struct err *err);

/*
 * The session's workspace while nothing writes in it: a running session is paused meanwhile, unless it was. To be given back to sessions_let_go. POLICY
 * when its tree is the host's.
 */
struct session_held {
	struct workspace *workspace;
	struct live live; /* socket -1: it is not running */
	bool resumes;
};
int sessions_hold(const struct session *session, const char *id, struct session_held *ret_held, struct err *err);
/* The same for a workspace that is open already and stays the caller's: locked, or a session that holds it paused and it locked beside. */
int sessions_hold_workspace(const struct session *session, struct workspace *workspace, struct session_held *ret_held, struct err *err);
void sessions_let_go(struct session_held *held);

/* Another session that begins where this one is, or was after a layer: settings and workspace, not processes. */
struct session_fork {
	const char *const *env; /* the caller's */
	const char *child;      /* its name; NULL: a random one */
	uint64_t at;            /* 0: the base; WORKSPACE_NOW: what it is now */
};
int sessions_fork(const struct session *session, const char *id, const struct session_fork *fork, struct arena *arena,
                  struct session_entry *ret_entry, struct err *err);
/* Makes a layer of what the workspace is now, for going back: its number. */
int sessions_checkpoint(const struct session *session, const char *id, const char *label, uint64_t *ret_number, struct err *err);
/*
 * After a command: of a session that keeps history, a layer with the command's words as its label, if anything is other than in the newest one. A command
 * that ended while another wrote has what that had written by then.
 */
int sessions_keep_history(const struct session *session, const char *id, const char *const *argv, struct err *err);
/* Goes back to a layer, 0: the beginning. Processes are killed; what no layer has is lost. */
int sessions_checkout(const struct session *session, const char *id, uint64_t number, struct err *err);

void sessions_print_json(const struct session_entry_vec *entries, struct str *out);
/* Where its commands start, as they see it. */
const char *sessions_workdir(const struct session_entry *entry);
void sessions_print_one_json(const struct session_entry *entry, struct str *out);
/* A table for people, escaped. */
void sessions_print(const struct session_entry_vec *entries, struct str *out);

/* 0 if there is one of this name, running or not. */
int sessions_exists(const struct session *session, const char *id, struct err *err);
/* Kills its processes; the next use makes its sandbox anew. */
int sessions_stop(const struct session *session, const char *id, struct err *err);
/* Ends one and removes what there is of it. */
int sessions_remove(const struct session *session, const char *id, struct err *err);
/* The same, but its workspace stays, as that of a try does. */
int sessions_leave(const struct session *session, const char *id, struct err *err);

/* Removes those whose time was up when nobody was there to see it, as sessions_list does, and those whose making was cut short: how many of the latter. */
int sessions_gc(const struct session *session, struct err *err);

#endif

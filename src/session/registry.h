/*
 * registry.h: what a session's directory says of it. Private to src/session.
 *
 * The record is JSON, replaced as a whole and on the disk before anybody is told. It holds what a sandbox can be made from again: settings as
 * policy_print_json writes them, and where. Values that are secret are not written down; a session that has some is not made again, but by its owner.
 */
#ifndef COFFER_SESSION_REGISTRY_H
#define COFFER_SESSION_REGISTRY_H

#include "session/sessions.h"

struct kept {
	struct session_entry entry; /* but for state and live */
	const char *settings;       /* JSON */
	const char *home;           /* or NULL */
	bool has_secrets;           /* settings lack values */
};

/* Opens DATA_DIR/sessions; -ENOENT without `make` where there is none. */
int registry_open_top(const char *data_dir, bool make, struct err *err);
bool registry_is_id(const char *id);
/* Opens a session's directory: one of this user's alone, else -EPERM. */
int registry_open(int top, const char *id, struct err *err);
/* A descriptor that holds the session's lock; -EWOULDBLOCK: its supervisor, or who is just making it, has it. */
int registry_lock(int dir);
#define REGISTRY_SOCKET "socket"
int registry_write(int dir, const struct kept *kept, struct err *err);
bool registry_has_record(int dir);
/* Has somebody its lock? */
bool registry_is_held(int dir);
/* What a sandbox is made from, for a record that has been read. */
int registry_read_settings(int dir, struct arena *arena, struct kept *kept, struct err *err);
/* Into the arena, but for the settings. A record that cannot be read, or is another session's, is -EBADMSG with err. */
int registry_read(int dir, const char *id, struct arena *arena, struct kept *ret_kept, struct err *err);

#endif

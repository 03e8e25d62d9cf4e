/*
 * birth.h: making a session's sandbox, at first or anew. Private to src/session.
 */
#ifndef COFFER_SESSION_BIRTH_H
#define COFFER_SESSION_BIRTH_H

#include "session/registry.h"

/* As sessions_create; tree NULL, or a workspace, locked and taken over, for a session that is forked. */
struct birth_parent {
	struct workspace *workspace;
	const struct kept *kept;
};
int birth_create(const struct session *session, const struct session_request *request, const struct session_birth *birth,
                 const struct birth_parent *parent, struct arena *arena, struct session_entry *ret_entry, struct err *err);

/* The policy that a record holds. NOTFOUND (ENOKEY) when it lacks secrets. */
int birth_policy(const struct kept *kept, struct arena *arena, struct policy *ret_policy, struct err *err);
/* From its record; lock is held. */
int birth_revive(const struct session *session, int dir, const char *id, const char *const *env, int lock, struct err *err);

#endif

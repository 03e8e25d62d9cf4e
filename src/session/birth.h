/*
 * birth.h: making a session's sandbox, at first or anew. Private to src/session.
 */
#ifndef COFFER_SESSION_BIRTH_H
#define COFFER_SESSION_BIRTH_H

#include "session/registry.h"

/* What a session is forked from: a workspace of its own, locked, which is taken over, and the other one's record. */
struct birth_parent {
	struct workspace *workspace;
	const struct kept *kept;
};
/* The policy that a record holds. NOTFOUND (ENOKEY) when it lacks secrets. */
int birth_policy(const struct kept *kept, struct arena *arena, struct policy *ret_policy, struct err *err);
/* From its record; lock is held. */
int birth_revive(const struct session *session, int dir, const char *id, const char *const *env, int lock, struct err *err);

#endif

/*
 * mask.h: the placeholders that stand in a sandbox where the caller has secrets (credential.h).
 *
 * A placeholder is "fake_value_" and 122 bits that nobody can guess, filled up to the length of its secret; for a token (JWT) it has a token's
 * shape. It is made from a seed, the credential and its place alone: the same inputs give the same text.
 */
#ifndef COFFER_POLICY_MASK_H
#define COFFER_POLICY_MASK_H

#include "base/arena.h"
#include "policy/credential.h"

enum { MASK_SECRET_MAX = 16 << 10, MASK_CAPTURES_MAX = 64 };

struct mask {
	struct arena *arena;
	const char *seed;
	struct credential_secret_vec secrets; /* of all that was masked so far */
};

struct masked {
	const char *text;
	size_t n;
};

/*
 * Masks the value of a variable, or what a file holds: what the sandbox is to see takes its place, with text NULL when there is no secret in it. 0,
 * -ENOMEM, or -EINVAL with what is wrong in *ret_fault (static text).
 */
int mask_text(struct mask *mask, const struct credential *credential, struct masked *masked, const char **ret_fault);

#endif

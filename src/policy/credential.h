/*
 * credential.h: secrets of the caller's that a sandbox may use and not have. Inside there is a placeholder; the egress filter puts the value in
 * its place on the way to the hosts that it is bound to.
 */
#ifndef COFFER_POLICY_CREDENTIAL_H
#define COFFER_POLICY_CREDENTIAL_H

#include "policy/domain.h"

enum credential_no_match { CREDENTIAL_BY_DIALECT, CREDENTIAL_WARN, CREDENTIAL_DENY, CREDENTIAL_ERROR };

struct credential {
	bool is_file;
	const char *name;    /* a variable, or a path as written */
	const char *path;    /* of a file, after policy_resolve */
	bool mask;           /* else it is not there at all */
	const char *extract; /* a pattern (extract.h) whose first group is the secret; NULL: all of it is */
	enum credential_no_match no_match;
	bool jwt;
	struct text_vec claims; /* of a token's payload, that are secret; none: the whole token */
	bool mask_duplicates;
	struct domain_vec hosts; /* whom it is for; none: whoever may be reached */
	const char *why;
};
VEC(struct credential, credential_vec)

/* What the filter is told. Hosts none: every host. */
struct credential_secret {
	const char *placeholder, *value;
	struct domain_vec hosts;
};
VEC(struct credential_secret, credential_secret_vec)

#endif

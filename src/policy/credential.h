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

/* AWS's three variables by name; the token's may be NULL. */
struct credential_aws_pair {
	const char *id, *key, *token, *why;
};
VEC(struct credential_aws_pair, credential_aws_pair_vec)

/* What the filter is told of a pair: placeholders of the key's name and of the key, and the key. Hosts none: every host. */
struct credential_aws {
	const char *id, *key, *secret;
	struct domain_vec hosts;
};
VEC(struct credential_aws, credential_aws_vec)

/* What cannot be signed anew, and goes on as it is. */
struct credential_aws_passes {
	bool streaming_passes, presigned_passes, sigv4a_passes;
};

#endif

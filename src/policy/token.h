/*
 * token.h: JSON Web Tokens (RFC 7519): what is one, and tokens that look like one and are worth nothing. No signature is checked or made.
 */
#ifndef COFFER_POLICY_TOKEN_H
#define COFFER_POLICY_TOKEN_H

#include "base/arena.h"
#include "base/vec.h"

#include <stdbool.h>

struct token_claim {
	const char *name, *value, *placeholder;
};
VEC(struct token_claim, token_claim_vec)

/* Three parts; the first two are JSON, and the header says which algorithm. */
bool token_is_one(const char *text);

/* A token with the placeholder as its subject, which does not expire, at least `least` bytes long. NULL: no memory. */
const char *token_fake(const char *placeholder, size_t least, struct arena *arena);

/* Those of the claims that the payload has, and that are texts which are not empty. 0 or -ENOMEM. */
int token_find_claims(const char *text, const struct text_vec *claims, struct arena *arena, struct token_claim_vec *ret_found);
/*
 * The token with placeholders in place of the claims. Its signature goes too: with it, who guesses a claim could tell whether the guess is right.
 * Never shorter than the token. NULL: no memory.
 */
const char *token_with_claims(const char *text, const struct token_claim_vec *claims, struct arena *arena);

#endif

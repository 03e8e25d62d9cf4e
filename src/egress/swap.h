/*
 * swap.h: placeholders on their way out, and the secrets that go in their place, for one host.
 *
 * A placeholder is never shorter than its secret, so what comes out is never longer than what went in. Each is looked for as it is: one that is
 * compressed or encoded reaches the server as the useless thing that it is.
 */
#ifndef COFFER_EGRESS_SWAP_H
#define COFFER_EGRESS_SWAP_H

#include "base/str.h"
#include "policy/credential.h"

enum { SWAP_SECRETS_MAX = 64, SWAP_BYTES_MAX = 96 << 10 };

struct swap {
	const struct credential_secret *secret[SWAP_SECRETS_MAX];
	size_t n, longest;
	bool keeps_length;
	struct str held; /* the end of what has come: a placeholder may begin in it */
};

/* The secrets that are for this host. */
void swap_init(struct swap *swap, const struct credential_secret_vec *secrets, const struct host *host, uint16_t port);
void swap_done(struct swap *swap);
/* A field's value. Secrets that have more than one line stay out of it. */
void swap_write(const struct swap *swap, const char *text, size_t n, struct str *out);
/* Of a body: n bytes (64 KiB at most) more, the last ones or not. What can go on is put into *ret_bytes until the next call; its length. */
size_t swap_feed(struct swap *swap, const char *bytes, size_t n, bool last, const char **ret_bytes);

#endif

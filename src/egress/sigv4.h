/*
 * sigv4.h: AWS Signature Version 4 in a header, of a request's head as text (docs.aws.amazon.com, "Create a signed AWS API request").
 *
 * A draft is all of a signature but the secret and the body's hash. Services differ in whether the path that is signed is the one that is sent
 * (S3) or that encoded once more; a draft has both, and a signature that is verified says which one it is.
 */
#ifndef COFFER_EGRESS_SIGV4_H
#define COFFER_EGRESS_SIGV4_H

#include "base/hash.h"

#include <stdbool.h>
#include <stddef.h>

enum { SIGV4_HEX = 2 * SHA256_BYTES, SIGV4_SCOPE_MAX = 128, SIGV4_DATE_CHARS = 16 };
enum sigv4_path { SIGV4_PATH_AS_SENT, SIGV4_PATH_ENCODED, SIGV4_PATHS };

struct sigv4_text {
	const char *at;
	size_t n;
};

/* What Authorization says: "AWS4-HMAC-SHA256 Credential=ID/date/region/service/aws4_request, SignedHeaders=a;b, Signature=hex". */
struct sigv4_authorization {
	struct sigv4_text id, scope, headers, signature;
};
/* 0, or -EINVAL. */
int sigv4_read(const char *value, size_t n, struct sigv4_authorization *ret_authorization);

struct sigv4_draft {
	struct sha256 canonical[SIGV4_PATHS]; /* all but the body's hash */
	char date[SIGV4_DATE_CHARS + 1], scope[SIGV4_SCOPE_MAX];
	char body[SIGV4_SCOPE_MAX]; /* what X-Amz-Content-SHA256 says; "": it is not there */
	char signature[SIGV4_HEX + 1];
	size_t signature_at; /* in the head */
};
/* head: one whole head. 0, or -EINVAL: no such signature in it, a header that is signed and not there, no X-Amz-Date. */
int sigv4_draft(const char *head, size_t n, struct sigv4_draft *ret_draft);
/* body_hex is used where the head has no X-Amz-Content-SHA256. */
void sigv4_sign(const struct sigv4_draft *draft, enum sigv4_path path, const char *secret, const char *body_hex,
                char ret_hex[SIGV4_HEX + 1]);

#endif

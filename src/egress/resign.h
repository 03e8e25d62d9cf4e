/*
 * resign.h: requests that a sandbox signed with the placeholder of an AWS key, signed anew with the key.
 *
 * Nothing is signed that was not signed inside: the client's own signature is verified first, with the placeholder. That also shows that what is
 * computed here is what the service will compute. What cannot be signed anew (chunks that are signed one by one, URLs, SigV4A) is refused,
 * unless the rules say that it passes, useless as it is.
 */
#ifndef COFFER_EGRESS_RESIGN_H
#define COFFER_EGRESS_RESIGN_H

#include "egress/filter.h"
#include "egress/request.h"
#include "egress/sigv4.h"

enum { RESIGN_BODY_MAX = 1 << 20 };

struct resign {
	const struct credential_aws *pair;
	struct sigv4_draft theirs, ours;
	struct sha256 body;
};

/* NULL, or why the request, whose head is the n bytes, may not pass. *ret_resign: to be freed; NULL where there is nothing to sign. */
const char *resign_begin(const struct conn *conn, const struct request *request, const char *head, size_t n, struct resign **ret_resign);
/* Is it signed with one of the pairs? Then what is in its body is signed as well, and stays. */
bool resign_is_due(const struct conn *conn, const struct request *request, const struct host *host);
/* The head as it will be sent. */
const char *resign_take_head(struct resign *resign, const struct str *head);
/* Has the body to be read before the head can be signed? */
bool resign_wants_body(const struct resign *resign, const struct request *request);
/* Puts the signature into the head; all of the body has been added. */
const char *resign_finish(struct resign *resign, struct str *head);

#endif

/*
 * body.h: the body of an HTTP message on its way through. It is read as its head says and written anew, so that chunk extensions, trailers and odd
 * spellings of lengths end here, and so does the message: what comes behind it is not its.
 */
#ifndef COFFER_EGRESS_BODY_H
#define COFFER_EGRESS_BODY_H

#include "egress/head.h"
#include "egress/swap.h"

enum { BODY_ROOM = 136 << 10 };

/* What one feeding gave: a chunk's head and end in place of the ones that came, never more than a few bytes beyond them. */
struct body_out {
	size_t n;
	bool failed;
	char bytes[BODY_ROOM];
};

struct body {
	http_parser parser;
	bool in_chunks; /* as written */
	bool complete, failed;
	struct body_out *out;
	struct swap *swap; /* NULL: its bytes stay as they are */
};

/* From a head that was just read. out is lent by the caller at each feeding. */
void body_init(struct body *body, const struct head *head, bool in_chunks);
/* Adds to out what n bytes (64 KiB at most) give, and says how many of them belong to the body. n = 0: the sender has ended. */
size_t body_feed(struct body *body, const char *bytes, size_t n, struct body_out *out);

#endif

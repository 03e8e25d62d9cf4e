/*
 * response.h: what a server answers, as the client gets it. The server is no friend either: an answer that two readers could take for
 * two things is not passed on.
 */
#ifndef COFFER_EGRESS_RESPONSE_H
#define COFFER_EGRESS_RESPONSE_H

#include "egress/head.h"

struct response {
	struct head head;
	unsigned status;
	bool keep; /* the server can be asked again */
};

/* 0 or -EPROTO. to_head: it answers HEAD, and has no body whatever it says. */
int response_read(const char *text, size_t n, bool to_head, struct response *ret_response);
/* Of 101: behind it the server speaks what Upgrade says. */
void response_write_switch(const struct response *response, const struct head_filter *filter, struct str *out);
/* framing: as the client gets the body, which may differ from how it comes. */
struct response_form {
	enum head_framing framing;
	bool close;
	const struct head_filter *filter;
};
void response_write(const struct response *response, const struct response_form *form, struct str *out);

#endif

/*
 * request.h: what a client of the HTTP proxy asks for (RFC 9112): CONNECT host:port, or METHOD http://host[:port]/path. Nothing else is a
 * request to a proxy.
 */
#ifndef COFFER_EGRESS_REQUEST_H
#define COFFER_EGRESS_REQUEST_H

#include "egress/head.h"
#include "policy/host.h"

struct request {
	struct head head;
	bool is_connect;
	struct head_text host; /* as written: to be read by host_parse */
	uint16_t port;
	struct head_text path; /* with the query */
	bool keep;             /* the client wants to ask again */
	bool waits;            /* Expect: 100-continue */
};

/* 0, or the status to refuse with: 400, 405, 417, 431. text is one whole head. */
int request_read(const char *text, size_t n, struct request *ret_request);
/* What goes to the server instead: Host says what the target said. */
void request_write(const struct request *request, const struct host *host, struct str *out);
/* What goes to another proxy: the whole URI, and what it wants to hear, or NULL. */
void request_write_proxied(const struct request *request, const struct host *host, const char *authorization, struct str *out);

#endif

/*
 * request.h: what a client asks for (RFC 9112). Of a proxy: CONNECT host:port, or METHOD http://host[:port]/path, and nothing else. Of a server,
 * as it believes: METHOD /path, where the Host has to be the one that the connection is for.
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
	struct head_text path;    /* with the query */
	struct head_text upgrade; /* to a server: the protocols that the client would rather speak, or nothing */
	uint16_t port_default;    /* which Host leaves out */
	bool keep;                /* the client wants to ask again */
	bool waits;               /* Expect: 100-continue */
};

/* Whom a connection is for, whose client believes that it talks to the server itself. */
struct request_origin {
	const struct host *host; /* outlives the request */
	uint16_t port, port_default;
};

/* 0, or the status to refuse with: 400, 405, 417, 431. text is one whole head. */
int request_read(const char *text, size_t n, struct request *ret_request);
/* The same for a request to a server; also 421 for another one. */
int request_read_origin(const char *text, size_t n, const struct request_origin *origin, struct request *ret_request);
/* Is it a request to a server that begins here? Such a client speaks first, and so does TLS's; in other protocols it may not. */
enum request_look { LOOKS_SHORT, LOOKS_LIKE_HTTP, LOOKS_OTHERWISE };
enum request_look request_look(const char *first, size_t n);
/* What goes to the server instead: Host says what the target said. */
void request_write(const struct request *request, const struct host *host, const struct head_filter *filter, struct str *out);
/* What goes to another proxy: the whole URI, and what it wants to hear, or NULL. */
void request_write_proxied(const struct request *request, const struct host *host, const struct head_filter *filter,
                           const char *authorization, struct str *out);
/* Does its Host, if it has one, say this host and the request's port? */
bool request_names_host(const struct request *request, const struct host *host);

#endif

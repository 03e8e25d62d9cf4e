/*
 * proxy.h: the egress filter by itself, for work that runs elsewhere: it listens where the caller says, and a decider of the caller's, on the other end of a
 * stream, is asked about each request.
 */
#ifndef COFFER_SESSION_PROXY_H
#define COFFER_SESSION_PROXY_H

#include "session/run.h"

/* All of it is borrowed. Descriptors -1: none. */
struct session_proxy {
	int listener;
	int decider_in, decider_out; /* from it, to it; may be one socket */
	int lifeline;                /* whose end ends the proxy */
	int stop;                    /* readable: the proxy is to end */
	const char *authority;       /* certificate and key, PEM: TLS is opened with them. NULL: tunnels are refused */
	const char *extra_roots;     /* a file with more certificates to trust, or NULL */
	const struct text_vec *stripped_headers;
	bool plaintext_header_set;
	void (*on_event)(void *context, const struct session_event *event); /* STARTED once it serves, CONNECTION */
	void *context;
};

enum session_proxy_end { SESSION_PROXY_STOPPED, SESSION_PROXY_LIFELINE, SESSION_PROXY_DECIDER };

/*
 * Serves until its end, which *ret_end tells; of the decider's, err has why, though 0 is returned. A negative errno when it never served.
 */
int session_proxy(const struct session *session, const struct session_proxy *proxy, enum session_proxy_end *ret_end, struct err *err);

#endif

/*
 * socks.h: SOCKS version 5 (RFC 1928) as bytes: what a client sends, read; what it is answered, written. Without authentication: the socket is
 * the identity. Each reader returns how many bytes it used, 0 when there are too few yet, -EPROTO for what is no SOCKS 5.
 */
#ifndef COFFER_EGRESS_SOCKS_H
#define COFFER_EGRESS_SOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum socks_reply {
	SOCKS_GRANTED = 0,
	SOCKS_FAILED = 1,
	SOCKS_NOT_ALLOWED = 2,
	SOCKS_NET_UNREACHABLE = 3,
	SOCKS_HOST_UNREACHABLE = 4,
	SOCKS_REFUSED = 5,
	SOCKS_NO_SUCH_COMMAND = 7,
	SOCKS_NO_SUCH_ADDRESS = 8,
};
enum { SOCKS_VERSION = 5, SOCKS_HOST_MAX = 255, SOCKS_REPLY_BYTES = 10 };

int socks_read_greeting(const void *bytes, size_t n, bool *ret_acceptable);

/* A host by name is text of host_n bytes, whichever; an address has 4 or 16 bytes. */
struct socks_request {
	enum socks_reply refused; /* what is not served at all: an unknown command or address type; then the rest means nothing */
	bool is_name;
	char host[SOCKS_HOST_MAX];
	size_t host_n;
	uint16_t port;
};
int socks_read_request(const void *bytes, size_t n, struct socks_request *ret_request);

/* With the unspecified address as the bound one: nobody uses it. */
void socks_write_reply(enum socks_reply reply, char ret_bytes[SOCKS_REPLY_BYTES]);

#endif

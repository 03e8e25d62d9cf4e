/*
 * secure.h: TLS at an end of a connection. coffer-egress has none; coffer-egress-tls is the same program with src/tls linked in, which is where
 * `secure_ops` is defined. Nothing else of OpenSSL's is known here (docs/decisions/tls.md).
 *
 * Towards the sandbox an end shows a certificate for the host, made on demand; towards a server it wants one, and HTTP/1.1. Reads and writes
 * go through the end's own socket, so that what the kernel said last about it stays true.
 */
#ifndef COFFER_EGRESS_SECURE_H
#define COFFER_EGRESS_SECURE_H

#include "base/err.h"
#include "policy/host.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct end;
struct secure;

/* PEM, and as long-lived as the process. The roots are whom servers are verified against, a proxy also parent_roots. Without ca_cert no client is shown any. */
struct secure_trust {
	const char *ca_cert, *ca_key, *roots, *parent_roots;
};

struct secure_ops {
	/* Once, before any other, and before the process is confined: nothing is read from a file later on. */
	int (*prepare)(const struct secure_trust *trust, struct err *err);

	/* NULL when there is no memory. ahead: what was read from the client already; copied. */
	struct secure *(*to_client)(struct end *end, const struct host *host, const void *ahead, size_t ahead_n);
	/* Over the TLS that the end has already, if it has. The second is a proxy on the way. */
	struct secure *(*to_server)(struct end *end, const struct host *host);
	struct secure *(*to_parent)(struct end *end, const struct host *host);
	/* 0, -EAGAIN, or another negative errno; then `trouble` says why, in words. */
	int (*handshake)(struct secure *secure);
	const char *(*trouble)(const struct secure *secure);

	/* As end_read and end_write. An end that nobody announced is an error. */
	ssize_t (*read)(struct secure *secure, void *bytes, size_t n);
	ssize_t (*write)(struct secure *secure, const void *bytes, size_t n);
	bool (*is_quiet)(struct secure *secure); /* nothing has come, not even an end */
	void (*finish)(struct secure *secure);   /* announces the end of what is sent */
	void (*free)(struct secure *secure);     /* NULL is fine */

	/* coffer-egress-tls --ca: reads a certificate and its key from standard input, or makes both where that is empty; an exit status. */
	int (*make_ca)(void);
};
extern const struct secure_ops secure_ops __attribute__((weak));

static inline bool secure_is_linked(void)
{
	return &secure_ops != NULL;
}

#endif

/*
 * upstream.h: a proxy that stands between us and the world, as people write it: "http://user:password@proxy.example:3128", and the hosts
 * that it is not asked for, as NO_PROXY lists them.
 */
#ifndef COFFER_POLICY_UPSTREAM_H
#define COFFER_POLICY_UPSTREAM_H

#include "base/arena.h"
#include "policy/host.h"

#include <stdbool.h>

#include <stdint.h>

struct upstream {
	struct host host;
	uint16_t port;
	bool tls;                  /* https: it is spoken to with TLS, and has to show that it is this host */
	const char *authorization; /* "Basic …", or NULL */
};

/* Without a scheme it is http. -EINVAL for what is no such URL, -ENOMEM. */
int upstream_parse(const char *url, struct arena *arena, struct upstream *ret_upstream);

/*
 * Does the list name the host? Entries between commas: "*", an address, a range, a name, which stands for what is below it as well; "*." or "."
 * in front and a port behind make no difference. This machine itself is always named: no proxy leads to where we are already.
 */
bool upstream_is_bypassed(const char *no_proxy, const struct host *host);

#endif

/*
 * ways.h: by whom a connection is made, where not by this filter itself: a parent proxy, somebody's proxy that reads TLS, or a proxy on this machine
 * that decides in our place. Members of the rules (rules.h):
 *
 *   "parent":  {"http": "http://user:password@host:port", "https": "https://…", "no_proxy": "a.test,10.0.0.0/8"}
 *   "mitm":    {"socket": "/path", "domains": ["*.example.com"]}
 *   "outside": {"http": 8080, "socks": 1080}
 */
#ifndef COFFER_EGRESS_WAYS_H
#define COFFER_EGRESS_WAYS_H

#include "base/json.h"
#include "policy/domain.h"
#include "policy/upstream.h"

/* HOP_PROXY and HOP_SOCKET are asked to connect (RFC 9110, 9.3.6), or for a whole URI; HOP_OUTSIDE gets the client's bytes as they are. */
enum hop_kind { HOP_PROXY, HOP_SOCKET, HOP_OUTSIDE };
struct hop {
	enum hop_kind kind;
	bool is_there;
	struct upstream to; /* not of a socket */
};

struct ways {
	struct hop http, https, mitm, outside_http, outside_socks;
	const char *no_proxy, *mitm_socket;
	struct domain_vec mitm_domains;
};

/* One of the members above. -EINVAL with where it is wrong, "/parent/http"; -ENOMEM. */
int ways_read(const char *name, const json_t *value, struct arena *arena, struct ways *ways, const char **ret_where);
bool ways_is_member(const char *name);
/* Is one of them spoken to with TLS? */
bool ways_have_tls(const struct ways *ways);

/* NULL: the filter looks the name up and connects. tunnel: not for a single HTTP request. */
const struct hop *ways_choose(const struct ways *ways, const struct host *host, uint16_t port, bool tunnel);

#endif

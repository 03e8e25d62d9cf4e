/*
 * domain.h: which hosts may be reached, as srt's settings write it, and the one place where that is decided.
 */
#ifndef COFFER_POLICY_DOMAIN_H
#define COFFER_POLICY_DOMAIN_H

#include "base/vec.h"
#include "policy/host.h"

#include <stdint.h>

/*
 * "example.com", "localhost", "*.example.com" (two labels at least behind the star), "[::1]", an IPv4 address; each with ":port" if
 * wanted. No scheme, no path, no other wildcard; a deny list may also hold "*" alone. Case does not matter. "*.example.com" is what is
 * below example.com, never that itself; a star never stands for an address, but when it stands alone.
 */
enum domain_kind { DOMAIN_EXACT, DOMAIN_BELOW, DOMAIN_ANY };
struct domain_pattern {
	const char *text, *why; /* as written; who asked */
	const char *reason;     /* of a denied one: what the client is told, or NULL */
	enum domain_kind kind;
	struct host host;
	uint16_t port; /* 0: every port */
};
VEC(struct domain_pattern, domain_vec)

/* Fills text (borrowed), kind, host and port. -EINVAL for what is no pattern. */
int domain_pattern_parse(const char *text, bool deny, struct domain_pattern *ret_pattern);
bool domain_pattern_fits(const struct domain_pattern *pattern, const struct host *host, uint16_t port);

/* Does a fit whatever b fits? */
bool domain_pattern_covers(const struct domain_pattern *a, const struct domain_pattern *b);

struct domain_rules {
	struct domain_vec allowed, denied;
};
struct domain_verdict {
	bool allowed;
	const char *reason;                /* why not */
	const struct domain_pattern *rule; /* that decided, or NULL */
};

/* Denied beats allowed; what is on neither list is denied. */
struct domain_verdict domain_decide(const struct domain_rules *rules, const struct host *host, uint16_t port);
/* Could a port of this host be allowed? What a resolver asks, which does not know ports. */
bool domain_may_resolve(const struct domain_rules *rules, const struct host *host);
/* An allow-listed address, or localhost, by its own name: whoever wrote it meant it, and address.h is not asked. */
bool domain_is_named_outright(const struct domain_verdict *verdict);

#endif

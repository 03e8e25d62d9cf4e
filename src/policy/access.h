/*
 * access.h: what may be asked of a host, once it may be reached: rules for single HTTP requests, as data.
 *
 * A list is a layer of the policy. In a layer the first rule that fits decides; where none fits a request passes, unless one of the layer's rules
 * allows something of that host: then that is all that may be asked of it. A request passes when every layer lets it pass, so that a layer
 * can only narrow those below it. The rules that let it pass may also change its headers.
 */
#ifndef COFFER_POLICY_ACCESS_H
#define COFFER_POLICY_ACCESS_H

#include "policy/domain.h"

struct access_header {
	const char *name, *value; /* value NULL: take it out */
};
VEC(struct access_header, access_header_vec)

struct access_rule {
	unsigned layer;
	struct domain_vec hosts; /* none: every host */
	struct text_vec methods,
	    paths; /* none: every one. Paths are patterns (base/glob.h) of the path without its query; all begin with "/" */
	bool deny;
	const char *reason; /* of a denial, or NULL */
	struct access_header_vec headers;
	const char *why;
};
VEC(struct access_rule, access_rule_vec)

struct access_request {
	const struct host *host;
	uint16_t port;
	const char *method, *path;
};
struct access_verdict {
	bool allowed;
	const struct access_rule *rule; /* that refused it, or NULL */
	const char *reason;             /* why not */
};

#define ACCESS_REASON "denied by sandbox policy" /* srt's, where the rule has none */

/* Is there a rule for anything of this host? */
bool access_names_host(const struct access_rule_vec *rules, const struct access_request *request);
struct access_verdict access_decide(const struct access_rule_vec *rules, const struct access_request *request);
/* The rules, one a layer at most, that let an allowed request pass: the next one behind `previous`, at first NULL. */
const struct access_rule *access_next(const struct access_rule_vec *rules, const struct access_request *request,
                                      const struct access_rule *previous);

/* A token of RFC 9110: a method, a header's name. */
bool access_is_token(const char *text);
/* A header that a rule may set or take out: none of those that frame a message or belong to one connection. */
bool access_is_free_header(const char *name);
/* Visible characters, spaces and tabs. */
bool access_is_header_value(const char *text);
/* The same name, where case does not matter, nor which of '-', '_' and '.' is meant: servers differ in that. */
bool access_is_same_header(const char *name, size_t n, const char *other);

#endif

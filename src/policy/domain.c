#include "policy/domain.h"

#include "base/num.h"

#include <errno.h>
#include <string.h>

static int parse_port(const char *text, uint16_t *ret_port)
{
	uint64_t port;

	if (text[0] == '0' || num_count(text, &port) < 0 || port > UINT16_MAX)
		return -EINVAL;
	*ret_port = (uint16_t)port;
	return 0;
}

/* A name alone in the world is a mistake, but for localhost; a final dot is nobody's habit in a settings file. */
static bool is_whole_name(const char *text, size_t n)
{
	if (n == 9 && memcmp(text, "localhost", n) == 0)
		return true;
	return memchr(text, '.', n) && text[n - 1] != '.';
}

static int parse_host(const char *text, size_t n, struct domain_pattern *pattern)
{
	int r;

	if (n > 2 && text[0] == '*' && text[1] == '.') {
		pattern->kind = DOMAIN_BELOW;
		text += 2;
		n -= 2;
	}
	r = host_parse(text, n, &pattern->host);
	if (r < 0 || pattern->host.kind != HOST_NAME)
		return pattern->kind == DOMAIN_BELOW ? -EINVAL : r;
	if (pattern->kind == DOMAIN_BELOW && !memchr(text, '.', n))
		return -EINVAL;
	return is_whole_name(text, n) ? 0 : -EINVAL;
}

int domain_pattern_parse(const char *text, bool deny, struct domain_pattern *ret_pattern)
{
	struct domain_pattern pattern = { .text = text };
	const char *inside = text[0] == '[' ? strchr(text, ']') : NULL;
	const char *colon = strchr(inside ? inside : text, ':');
	size_t n = colon ? (size_t)(colon - text) : strlen(text);
	int r = colon ? parse_port(colon + 1, &pattern.port) : 0;

	if (r == 0 && deny && n == 1 && *text == '*')
		pattern.kind = DOMAIN_ANY;
	else if (r == 0)
		r = parse_host(text, n, &pattern);
	if (r == 0)
		*ret_pattern = pattern;
	return r;
}

static bool is_below(const char *name, const char *top)
{
	size_t n = strlen(name), m = strlen(top);

	return n > m + 1 && name[n - m - 1] == '.' && memcmp(name + n - m, top, m) == 0;
}

static bool fits_host(const struct domain_pattern *pattern, const struct host *host)
{
	switch (pattern->kind) {
	case DOMAIN_ANY:
		return true;
	case DOMAIN_BELOW:
		return host->kind == HOST_NAME && is_below(host->text, pattern->host.text);
	default:
		return host_is_same(&pattern->host, host);
	}
}

bool domain_pattern_fits(const struct domain_pattern *pattern, const struct host *host, uint16_t port)
{
	return (!pattern->port || pattern->port == port) && fits_host(pattern, host);
}

bool domain_pattern_covers(const struct domain_pattern *a, const struct domain_pattern *b)
{
	if (a->port && a->port != b->port)
		return false;
	if (b->kind == DOMAIN_EXACT)
		return fits_host(a, &b->host);
	if (a->kind == DOMAIN_ANY || b->kind == DOMAIN_ANY)
		return a->kind == DOMAIN_ANY;
	return a->kind == DOMAIN_BELOW && (host_is_same(&a->host, &b->host) || is_below(b->host.text, a->host.text));
}

static const struct domain_pattern *find(const struct domain_vec *patterns, const struct host *host, uint16_t port)
{
	for (size_t i = 0; i < patterns->n; i++)
		if (domain_pattern_fits(&patterns->at[i], host, port))
			return &patterns->at[i];
	return NULL;
}

struct domain_verdict domain_decide(const struct domain_rules *rules, const struct host *host, uint16_t port)
{
	const struct domain_pattern *rule = find(&rules->denied, host, port);

	if (rule)
		return (struct domain_verdict){ false, rule->reason ? rule->reason : "host is on the deny list", rule };
	rule = find(&rules->allowed, host, port);
	return (struct domain_verdict){ rule, rule ? NULL : "host is not on the allow list", rule };
}

bool domain_may_resolve(const struct domain_rules *rules, const struct host *host)
{
	for (size_t i = 0; i < rules->denied.n; i++)
		if (!rules->denied.at[i].port && fits_host(&rules->denied.at[i], host))
			return false;
	for (size_t i = 0; i < rules->allowed.n; i++)
		if (fits_host(&rules->allowed.at[i], host))
			return true;
	return false;
}

bool domain_is_named_outright(const struct domain_verdict *verdict)
{
	const struct domain_pattern *rule = verdict->rule;

	if (!verdict->allowed || !rule || rule->kind != DOMAIN_EXACT)
		return false;
	return rule->host.kind != HOST_NAME || strcmp(rule->host.text, "localhost") == 0;
}

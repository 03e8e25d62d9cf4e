#include "policy/access.h"

#include "base/glob.h"

#include <string.h>
#include <strings.h>

#define TOKEN_BYTES "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

static bool names_host(const struct access_rule *rule, const struct access_request *request)
{
	for (size_t i = 0; i < rule->hosts.n; i++)
		if (domain_pattern_fits(&rule->hosts.at[i], request->host, request->port))
			return true;
	return rule->hosts.n == 0;
}

static bool names_method(const struct access_rule *rule, const char *method)
{
	for (size_t i = 0; i < rule->methods.n; i++)
		if (strcmp(rule->methods.at[i], method) == 0)
			return true;
	return rule->methods.n == 0;
}

static bool names_path(const struct access_rule *rule, const char *path)
{
	for (size_t i = 0; i < rule->paths.n; i++)
		if (glob_match(rule->paths.at[i], path))
			return true;
	return rule->paths.n == 0;
}

static bool fits(const struct access_rule *rule, const struct access_request *request)
{
	return names_host(rule, request) && names_method(rule, request->method) && names_path(rule, request->path);
}

bool access_names_host(const struct access_rule_vec *rules, const struct access_request *request)
{
	for (size_t i = 0; i < rules->n; i++)
		if (names_host(&rules->at[i], request))
			return true;
	return false;
}

/* What one layer says; `at` is its first rule, and the next layer's afterwards. */
static struct access_verdict decide_layer(const struct access_rule_vec *rules, size_t *at, const struct access_request *request)
{
	unsigned layer = rules->at[*at].layer;
	const struct access_rule *decides = NULL, *names = NULL;

	for (; *at < rules->n && rules->at[*at].layer == layer; (*at)++) {
		const struct access_rule *rule = &rules->at[*at];

		if (!decides && fits(rule, request))
			decides = rule;
		if (!names && !rule->deny && names_host(rule, request))
			names = rule;
	}
	if (decides)
		return (struct access_verdict){ !decides->deny, decides, decides->deny ? decides->reason : NULL };
	return (struct access_verdict){ !names, names, NULL };
}

struct access_verdict access_decide(const struct access_rule_vec *rules, const struct access_request *request)
{
	for (size_t at = 0; at < rules->n;) {
		struct access_verdict verdict = decide_layer(rules, &at, request);

		if (verdict.allowed)
			continue;
		if (!verdict.reason)
			verdict.reason = ACCESS_REASON;
		return verdict;
	}
	return (struct access_verdict){ .allowed = true };
}

const struct access_rule *access_next(const struct access_rule_vec *rules, const struct access_request *request,
                                      const struct access_rule *previous)
{
	size_t at = previous ? (size_t)(previous - rules->at) : 0;

	while (previous && at < rules->n && rules->at[at].layer == previous->layer)
		at++;
	while (at < rules->n) {
		struct access_verdict verdict = decide_layer(rules, &at, request);

		if (verdict.allowed && verdict.rule)
			return verdict.rule;
	}
	return NULL;
}

bool access_is_token(const char *text)
{
	return text[0] && !text[strspn(text, TOKEN_BYTES)];
}

static char fold(char c)
{
	if (c == '_' || c == '.')
		return '-';
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool access_is_same_header(const char *name, size_t n, const char *other)
{
	for (size_t i = 0; i < n; i++)
		if (!other[i] || fold(name[i]) != fold(other[i]))
			return false;
	return !other[n];
}

bool access_is_free_header(const char *name)
{
	static const char *const bound[] = { "host",    "connection",     "keep-alive", "transfer-encoding", "te", "trailer",
		                             "upgrade", "content-length", "expect",     "http2-settings" };

	for (size_t i = 0; i < sizeof(bound) / sizeof(bound[0]); i++)
		if (access_is_same_header(name, strlen(name), bound[i]))
			return false;
	return access_is_token(name) && strncasecmp(name, "proxy-", 6) != 0;
}

bool access_is_header_value(const char *text)
{
	for (; *text; text++)
		if (((unsigned char)*text < ' ' && *text != '\t') || *text == 0x7f)
			return false;
	return true;
}

/* What hangs on TLS: rules.h has the words. */
#include "egress/rules.h"
#include "egress/rules_part.h"

#include <errno.h>
#include <string.h>

static int no_memory(const struct reading *reading)
{
	return err_set(reading->err, ERR_LIMIT, ENOMEM, "too many rules");
}

/* A text, or NULL where it may be missing. */
static const char *dup_member(const struct reading *reading, const json_t *object, const char *name)
{
	return arena_dup(reading->arena, json_string_value(json_object_get(object, name)));
}

static int read_texts(const struct reading *reading, const char *where, const json_t *list, struct text_vec *ret_list)
{
	const json_t *entry;
	size_t i;

	if (list && !json_is_array(list))
		return rules_refuse(reading, where, "a list", list);
	json_array_foreach (list, i, entry) {
		const char **slot = json_is_string(entry) ? text_vec_add(ret_list, reading->arena) : NULL;

		if (!json_is_string(entry))
			return rules_refuse(reading, where, "texts", entry);
		if (!slot || !(*slot = arena_dup(reading->arena, json_string_value(entry))))
			return no_memory(reading);
	}
	return 0;
}

static int read_patterns(const struct reading *reading, const char *where, const json_t *list, struct domain_vec *ret_list)
{
	struct text_vec texts = { 0 };
	int r = read_texts(reading, where, list, &texts);

	for (size_t i = 0; i < texts.n && r == 0; i++) {
		struct domain_pattern *slot = domain_vec_add(ret_list, reading->arena);

		if (!slot)
			return no_memory(reading);
		if (domain_pattern_parse(texts.at[i], false, slot) < 0)
			r = rules_refuse(reading, where, "domain patterns", json_array_get(list, i));
	}
	return r;
}

static unsigned number(const json_t *object, const char *name, unsigned unsaid)
{
	const json_t *value = json_object_get(object, name);

	return json_is_integer(value) && json_integer_value(value) > 0 && json_integer_value(value) <= INT32_MAX
	           ? (unsigned)json_integer_value(value)
	           : unsaid;
}

static int read_tls(const struct reading *reading, const char *where, const json_t *value)
{
	enum { TUNNELS = 256, HANDSHAKE_MS = 10000 };
	struct filter_tls *tls = &reading->rules->tls;

	if (!json_is_object(value))
		return rules_refuse(reading, where, "an object", value);
	*tls = (struct filter_tls){
		.opens = true,
		.trust = { dup_member(reading, value, "ca_cert"), dup_member(reading, value, "ca_key"),
		           dup_member(reading, value, "roots") },
		.tunnels_max = number(value, "tunnels_max", TUNNELS),
		.handshake_ms = number(value, "handshake_ms", HANDSHAKE_MS),
	};
	if (!tls->trust.ca_cert || !tls->trust.ca_key || !tls->trust.roots)
		return rules_refuse(reading, where, "ca_cert, ca_key and roots", NULL);
	return read_patterns(reading, where, json_object_get(value, "excluded"), &tls->excluded);
}

static int read_headers(const struct reading *reading, const char *where, const json_t *object, struct access_header_vec *ret_headers)
{
	const char *name;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)object, name, value) {
		struct access_header *slot = access_header_vec_add(ret_headers, reading->arena);

		if (!slot)
			return no_memory(reading);
		*slot = (struct access_header){ arena_dup(reading->arena, name), arena_dup(reading->arena, json_string_value(value)) };
		if (!access_is_free_header(name) || (slot->value && !access_is_header_value(slot->value)))
			return rules_refuse(reading, where, "a header", value);
	}
	return 0;
}

static int read_request(const struct reading *reading, const char *where, const json_t *entry)
{
	struct access_rule rule = {
		.layer = number(entry, "layer", 0),
		.deny = json_is_true(json_object_get(entry, "deny")),
		.reason = dup_member(reading, entry, "reason"),
		.why = dup_member(reading, entry, "why"),
	};
	struct access_rule *slot;
	int r = json_is_object(entry) ? 0 : rules_refuse(reading, where, "objects", entry);

	if (r == 0)
		r = read_patterns(reading, where, json_object_get(entry, "hosts"), &rule.hosts);
	if (r == 0)
		r = read_texts(reading, where, json_object_get(entry, "methods"), &rule.methods);
	if (r == 0)
		r = read_texts(reading, where, json_object_get(entry, "paths"), &rule.paths);
	if (r == 0)
		r = read_headers(reading, where, json_object_get(entry, "headers"), &rule.headers);
	slot = r == 0 ? access_rule_vec_add(&reading->rules->requests, reading->arena) : NULL;
	if (r < 0 || !slot)
		return r < 0 ? r : no_memory(reading);
	*slot = rule;
	return 0;
}

static int read_secret(const struct reading *reading, const char *where, const json_t *entry)
{
	struct credential_secret secret = { .placeholder = dup_member(reading, entry, "placeholder"),
		                            .value = dup_member(reading, entry, "value") };
	struct credential_secret *slot;
	int r = 0;

	/* Nothing of the entry is told. */
	if (!secret.placeholder || !secret.placeholder[0] || !secret.value || strlen(secret.value) > strlen(secret.placeholder))
		return rules_refuse(reading, where, "a placeholder, and a value that is not longer", NULL);
	r = read_patterns(reading, where, json_object_get(entry, "hosts"), &secret.hosts);
	slot = r == 0 ? credential_secret_vec_add(&reading->rules->secrets, reading->arena) : NULL;
	if (r < 0 || !slot)
		return r < 0 ? r : no_memory(reading);
	*slot = secret;
	return 0;
}

static int read_each(const struct reading *reading, const char *where, const json_t *list,
                     int (*read)(const struct reading *reading, const char *where, const json_t *entry))
{
	const json_t *entry;
	size_t i;
	int r = json_is_array(list) ? 0 : rules_refuse(reading, where, "a list", list);

	json_array_foreach (list, i, entry)
		if (r == 0)
			r = read(reading, where, entry);
	return r;
}

static int read_ambiguous(const struct reading *reading, const char *where, const json_t *value)
{
	static const char *const words[] = {
		[FILTER_TARGET_REFUSE] = "refuse", [FILTER_TARGET_AS_SPELLED] = "asSpelled", [FILTER_TARGET_NORMALIZE] = "normalize"
	};

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]) && json_is_string(value); i++)
		if (strcmp(words[i], json_string_value(value)) == 0) {
			reading->rules->ambiguous_target = i;
			return 0;
		}
	return rules_refuse(reading, where, "refuse, asSpelled or normalize", value);
}

static bool *flag(struct filter_rules *rules, const char *name)
{
	const struct {
		const char *name;
		bool *place;
	} flags[] = {
		{ "refuse_opaque_tunnels", &rules->refuse_opaque_tunnels },
		{ "require_host_match", &rules->require_host_match },
		{ "plaintext_header_set", &rules->plaintext_header_set },
		{ "plaintext_inject", &rules->plaintext_inject },
		{ "asks", &rules->asks },
		{ "asks_hosts", &rules->asks_hosts },
		{ "asks_requests", &rules->asks_requests },
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (strcmp(flags[i].name, name) == 0)
			return flags[i].place;
	return NULL;
}

int rules_read_tls_member(const struct reading *reading, const char *where, const char *name, const json_t *value)
{
	bool *place = flag(reading->rules, name);

	if (place && json_is_boolean(value))
		*place = json_is_true(value);
	else if (strcmp(name, "tls") == 0)
		return read_tls(reading, where, value);
	else if (strcmp(name, "requests") == 0)
		return read_each(reading, where, value, read_request);
	else if (strcmp(name, "secrets") == 0)
		return read_each(reading, where, value, read_secret);
	else if (strcmp(name, "stripped_headers") == 0)
		return read_texts(reading, where, value, &reading->rules->stripped_headers);
	else if (strcmp(name, "ambiguous_target") == 0)
		return read_ambiguous(reading, where, value);
	else
		return rules_refuse(reading, where, "what a member of the rules may be", value);
	return 0;
}

void filter_rules_keep(struct filter_rules *rules, const struct filter_rules *old)
{
	rules->ways = old->ways;
	rules->tls = old->tls;
	rules->requests = old->requests;
	rules->secrets = old->secrets;
	rules->stripped_headers = old->stripped_headers;
	rules->ambiguous_target = old->ambiguous_target;
	rules->refuse_opaque_tunnels = old->refuse_opaque_tunnels;
	rules->require_host_match = old->require_host_match;
	rules->plaintext_header_set = old->plaintext_header_set;
	rules->plaintext_inject = old->plaintext_inject;
	rules->asks = old->asks;
	rules->asks_hosts = old->asks_hosts;
	rules->asks_requests = old->asks_requests;
}

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
		.trust = { dup_member(reading, value, "ca_cert"), dup_member(reading, value, "ca_key"), tls->trust.roots,
		           tls->trust.parent_roots },
		.tunnels_max = number(value, "tunnels_max", TUNNELS),
		.handshake_ms = number(value, "handshake_ms", HANDSHAKE_MS),
	};
	if (!tls->trust.ca_cert != !tls->trust.ca_key)
		return rules_refuse(reading, where, "both of ca_cert and ca_key", NULL);
	return read_patterns(reading, where, json_object_get(value, "excluded"), &tls->excluded);
}

static int read_roots(const struct reading *reading, const char *where, const json_t *value, const char **ret_pem)
{
	if (!json_is_string(value))
		return rules_refuse(reading, where, "certificates", value);
	*ret_pem = arena_dup(reading->arena, json_string_value(value));
	return *ret_pem ? 0 : no_memory(reading);
}

/* Names and digests live as long as the rules. */
static int read_fixed(const struct reading *reading, const char *where, const json_t *value)
{
	struct filter_fixed *slot = reading->rules->fixed;
	const char *name;
	json_t *digest;

	if (!json_is_object(value) || json_object_size(value) > FILTER_FIXED_MAX)
		return rules_refuse(reading, where, "an object of a few digests", value);
	json_object_foreach ((json_t *)(uintptr_t)value, name, digest) {
		*slot = (struct filter_fixed){ arena_dup(reading->arena, name), arena_dup(reading->arena, json_string_value(digest)) };
		if (!json_is_string(digest))
			return rules_refuse(reading, where, "digests", digest);
		if (!slot->name || !slot->digest)
			return no_memory(reading);
		slot++;
	}
	return 0;
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

static int read_aws(const struct reading *reading, const char *where, const json_t *entry)
{
	struct credential_aws aws = { .id = dup_member(reading, entry, "id"),
		                      .key = dup_member(reading, entry, "key"),
		                      .secret = dup_member(reading, entry, "secret") };
	struct credential_aws *slot;
	int r = 0;

	/* Nothing of the entry is told. */
	if (!aws.id || !aws.id[0] || !aws.key || !aws.secret)
		return rules_refuse(reading, where, "id, key and secret", NULL);
	r = read_patterns(reading, where, json_object_get(entry, "hosts"), &aws.hosts);
	slot = r == 0 ? credential_aws_vec_add(&reading->rules->aws, reading->arena) : NULL;
	if (r < 0 || !slot)
		return r < 0 ? r : no_memory(reading);
	*slot = aws;
	return 0;
}

static int read_passing(const struct reading *reading, const char *where, const json_t *entry)
{
	struct credential_aws_passes *passes = &reading->rules->aws_passes;
	const struct {
		const char *name;
		bool *place;
	} kinds[] = { { "streaming", &passes->streaming_passes },
		      { "presigned", &passes->presigned_passes },
		      { "sigv4a", &passes->sigv4a_passes } };

	for (size_t i = 0; json_is_string(entry) && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, json_string_value(entry)) == 0) {
			*kinds[i].place = true;
			return 0;
		}
	return rules_refuse(reading, where, "streaming, presigned or sigv4a", entry);
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
	else if (strcmp(name, "fixed") == 0)
		return read_fixed(reading, where, value);
	else if (strcmp(name, "roots") == 0)
		return read_roots(reading, where, value, &reading->rules->tls.trust.roots);
	else if (strcmp(name, "parent_roots") == 0)
		return read_roots(reading, where, value, &reading->rules->tls.trust.parent_roots);
	else if (strcmp(name, "requests") == 0)
		return read_each(reading, where, value, read_request);
	else if (strcmp(name, "secrets") == 0)
		return read_each(reading, where, value, read_secret);
	else if (strcmp(name, "aws") == 0)
		return read_each(reading, where, value, read_aws);
	else if (strcmp(name, "sigv4") == 0)
		return read_each(reading, where, value, read_passing);
	else if (strcmp(name, "stripped_headers") == 0)
		return read_texts(reading, where, value, &reading->rules->stripped_headers);
	else if (strcmp(name, "ambiguous_target") == 0)
		return read_ambiguous(reading, where, value);
	else
		return rules_refuse(reading, where, "what a member of the rules may be", value);
	return 0;
}

/* What is missing on one side stands for nothing, and is a difference where the other says something. */
static const char *find_changed(const struct filter_rules *these, const struct filter_rules *those)
{
	for (size_t i = 0; i < FILTER_FIXED_MAX && these->fixed[i].name; i++) {
		size_t k = 0;

		while (k < FILTER_FIXED_MAX && those->fixed[k].name && strcmp(those->fixed[k].name, these->fixed[i].name) != 0)
			k++;
		if (k == FILTER_FIXED_MAX || !those->fixed[k].name || strcmp(those->fixed[k].digest, these->fixed[i].digest) != 0)
			return these->fixed[i].name;
	}
	return NULL;
}

const char *filter_rules_keep(struct filter_rules *rules, const struct filter_rules *old)
{
	const char *changed = find_changed(rules, old);
	struct domain_vec mitm_domains = rules->ways.mitm_domains;

	if (!changed)
		changed = find_changed(old, rules);
	if (changed)
		return changed;
	if (rules->tls.opens != old->tls.opens)
		return "tlsTerminate";
	rules->ways = old->ways;
	rules->ways.mitm_domains = mitm_domains;
	rules->tls.trust = old->tls.trust;
	rules->secrets = old->secrets;
	rules->aws = old->aws;
	rules->plaintext_inject = old->plaintext_inject;
	rules->asks = old->asks;
	rules->asks_hosts = old->asks_hosts;
	rules->asks_requests = old->asks_requests;
	return NULL;
}

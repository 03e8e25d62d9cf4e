/* network.tlsTerminate, network.requests and network.stripResponseHeaders. */
#include "policy/set.h"

#include <errno.h>
#include <string.h>

enum { TUNNELS_MAX = 65536, HANDSHAKE_LEAST_MS = 100, HANDSHAKE_MOST_MS = 600000 };

/* ---- TLS ---- */

static int read_ca_cert(struct setter *setter, void *object, const json_t *value, const char *below)
{
	return setter_read_text(setter, &((struct policy_tls *)object)->ca_cert, value, below);
}

static int read_ca_key(struct setter *setter, void *object, const json_t *value, const char *below)
{
	return setter_read_text(setter, &((struct policy_tls *)object)->ca_key, value, below);
}

static int read_excluded(struct setter *setter, void *object, const json_t *value, const char *below)
{
	return setter_read_list(setter, &((struct policy_tls *)object)->excluded, value, below, setter_add_pattern);
}

static int read_extra_cas(struct setter *setter, void *object, const json_t *value, const char *below)
{
	return setter_read_list(setter, &((struct policy_tls *)object)->extra_cas, value, below, setter_add_text);
}

static int read_number(struct setter *setter, unsigned *place, const json_t *value, const char *below)
{
	json_int_t least = place == &((struct policy_tls *)setter_place(setter))->tunnels_max ? 1 : HANDSHAKE_LEAST_MS;
	json_int_t most = least == 1 ? TUNNELS_MAX : HANDSHAKE_MOST_MS;

	if (!json_is_integer(value) || json_integer_value(value) < least || json_integer_value(value) > most)
		return setter_refuse(setter, below, value,
		                     least == 1 ? "a whole number from 1 to 65536" : "milliseconds, from 100 to 600000");
	*place = (unsigned)json_integer_value(value);
	return 0;
}

static int read_tunnels(struct setter *setter, void *object, const json_t *value, const char *below)
{
	return read_number(setter, &((struct policy_tls *)object)->tunnels_max, value, below);
}

static int read_handshake(struct setter *setter, void *object, const json_t *value, const char *below)
{
	return read_number(setter, &((struct policy_tls *)object)->handshake_ms, value, below);
}

int setter_set_tls(struct setter *setter, const json_t *value)
{
	static const struct setter_member members[] = {
		{ "caCertPath", read_ca_cert },
		{ "caKeyPath", read_ca_key },
		{ "excludeDomains", read_excluded },
		{ "extraCaCertPaths", read_extra_cas },
		{ "maxTunnels", read_tunnels },
		{ "handshakeTimeoutMs", read_handshake },
		{ NULL, NULL },
	};
	struct policy_tls *tls = setter_place(setter);
	int r;

	*tls = (struct policy_tls){ .terminate = true, .why = setter_why(setter, "") };
	r = tls->why ? setter_read_members(setter, members, tls, value, "") : -ENOMEM;
	if (r == 0 && !tls->ca_cert != !tls->ca_key)
		return setter_refuse(setter, "", value, "caCertPath and caKeyPath together, or neither");
	return r;
}

/* ---- requests ---- */

static int read_action(struct setter *setter, void *object, const json_t *value, const char *below)
{
	const char *text = json_string_value(value);

	if (!text || (strcmp(text, "allow") != 0 && strcmp(text, "deny") != 0))
		return setter_refuse(setter, below, value, "\"allow\" or \"deny\"");
	((struct access_rule *)object)->deny = text[0] == 'd';
	return 0;
}

/* An empty list would name nothing, and reads as if it named everything. */
static int read_some(struct setter *setter, void *list, const json_t *value, const char *below,
                     int (*add)(struct setter *setter, void *list, const json_t *entry, const char *below))
{
	if (json_is_array(value) && json_array_size(value) == 0)
		return setter_refuse(setter, below, value, "at least one entry; left away it means every one");
	return setter_read_list(setter, list, value, below, add);
}

static int read_hosts(struct setter *setter, void *object, const json_t *value, const char *below)
{
	return read_some(setter, &((struct access_rule *)object)->hosts, value, below, setter_add_pattern);
}

static int add_method(struct setter *setter, void *list, const json_t *entry, const char *below)
{
	const char *text = json_string_value(entry);

	if (!text || !access_is_token(text) || strpbrk(text, "abcdefghijklmnopqrstuvwxyz"))
		return setter_refuse(setter, below, entry, "a method such as \"GET\", in capitals");
	return setter_add_text(setter, list, entry, below);
}

static int add_path(struct setter *setter, void *list, const json_t *entry, const char *below)
{
	const char *text = json_string_value(entry);

	if (!text || text[0] != '/' || strpbrk(text, "#?"))
		return setter_refuse(setter, below, entry, "a path such as \"/v1/**\", without a query");
	return setter_add_text(setter, list, entry, below);
}

static int read_methods(struct setter *setter, void *object, const json_t *value, const char *below)
{
	return read_some(setter, &((struct access_rule *)object)->methods, value, below, add_method);
}

static int read_paths(struct setter *setter, void *object, const json_t *value, const char *below)
{
	return read_some(setter, &((struct access_rule *)object)->paths, value, below, add_path);
}

static int read_reason(struct setter *setter, void *object, const json_t *value, const char *below)
{
	return setter_read_text(setter, &((struct access_rule *)object)->reason, value, below);
}

static int add_header(struct setter *setter, struct access_rule *rule, const char *name, const char *value)
{
	struct access_header *slot = access_header_vec_add(&rule->headers, setter->arena);

	if (!slot)
		return -ENOMEM;
	*slot = (struct access_header){ arena_dup(setter->arena, name), arena_dup(setter->arena, value) };
	return slot->name && (slot->value || !value) ? 0 : -ENOMEM;
}

static int read_headers(struct setter *setter, void *object, const json_t *value, const char *below)
{
	const char *name;
	json_t *text;
	int r = 0;

	if (!json_is_object(value))
		return setter_refuse(setter, below, value, "an object of texts or null, by names of headers");
	json_object_foreach ((json_t *)(uintptr_t)value, name, text) {
		const char *place = arena_printf(setter->arena, "%s/%s", below, name);

		if (!place)
			return -ENOMEM;
		if (!access_is_free_header(name))
			r = setter_refuse(setter, place, text, "the name of a header that does not frame the message");
		else if (!json_is_null(text) && (!json_is_string(text) || !access_is_header_value(json_string_value(text))))
			r = setter_refuse(setter, place, text, "a text of one line, or null");
		else
			r = add_header(setter, object, name, json_string_value(text));
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_request(struct setter *setter, void *list, const json_t *entry, const char *below)
{
	static const struct setter_member members[] = {
		{ "action", read_action },
		{ "hosts", read_hosts },
		{ "methods", read_methods },
		{ "paths", read_paths },
		{ "reason", read_reason },
		{ "setHeaders", read_headers },
		{ NULL, NULL },
	};
	struct access_rule *slot, rule = { .why = setter_why(setter, below) };
	int r = rule.why ? setter_read_members(setter, members, &rule, entry, below) : -ENOMEM;

	if (r == 0 && json_is_object(entry) && !json_object_get(entry, "action"))
		r = setter_refuse(setter, below, entry, "an action: \"allow\" or \"deny\"");
	if (r == 0 && rule.deny && rule.headers.n > 0)
		r = setter_refuse(setter, below, entry, "setHeaders where the action is \"allow\"");
	slot = r == 0 ? access_rule_vec_add(list, setter->arena) : NULL;
	if (r < 0 || !slot)
		return r < 0 ? r : -ENOMEM;
	*slot = rule;
	return 0;
}

int setter_set_requests(struct setter *setter, const json_t *value)
{
	return setter_read_list(setter, setter_place(setter), value, "", add_request);
}

static int add_name(struct setter *setter, void *list, const json_t *entry, const char *below)
{
	if (!json_is_string(entry) || !access_is_free_header(json_string_value(entry)))
		return setter_refuse(setter, below, entry, "the name of a header that does not frame the message");
	return setter_add_text(setter, list, entry, below);
}

int setter_set_headers(struct setter *setter, const json_t *value)
{
	return setter_read_list(setter, setter_place(setter), value, "", add_name);
}

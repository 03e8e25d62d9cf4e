/* Who reaches the world for us: proxies behind the filter, or in its place. */
#include "policy/set.h"

#include "policy/upstream.h"

#include <errno.h>
#include <string.h>

enum { SOCKET_PATH_MAX = 107 /* sun_path of Linux, with its end */ };

int setter_set_port(struct setter *setter, const json_t *value)
{
	unsigned *place = setter_place(setter);

	if (!json_is_integer(value) || json_integer_value(value) < 1 || json_integer_value(value) > UINT16_MAX)
		return setter_refuse(setter, "", value, NULL);
	*place = (unsigned)json_integer_value(value);
	setter->policy->network.ways.ports_why = setter_why(setter, "");
	return setter->policy->network.ways.ports_why ? 0 : -ENOMEM;
}

/* What is told about a URL that is none has no password in it. */
static int refuse_url(struct setter *setter, const char *name, const char *url, const char *allowed)
{
	const char *at = strrchr(url, '@');
	autojson json_t *shown = json_string(at ? at + 1 : url);

	return shown ? setter_refuse(setter, name, shown, allowed) : -ENOMEM;
}

/* 0 when the text may stand there. */
static int check_parent(struct setter *setter, const char *name, const char *text)
{
	struct upstream upstream;
	int r;

	if (strcmp(name, "noProxy") == 0)
		return 0;
	if (strcmp(name, "caCertPath") == 0)
		return text[0] ? 0 : refuse_url(setter, name, text, "the path of a file of certificates");
	r = upstream_parse(text, setter->arena, &upstream);
	return r == -EINVAL ? refuse_url(setter, name, text,
	                                 "a proxy such as \"http://proxy.example:3128\", or https:// where it is spoken to with TLS")
	                    : r;
}

static int keep_parent(struct setter *setter, const char *name, const char *text)
{
	const struct policy_variable entry = { arena_dup(setter->arena, name), arena_dup(setter->arena, text), setter_why(setter, name) };
	struct variable_vec *parent = setter_place(setter);
	struct policy_variable *slot;

	if (!entry.name || !entry.value || !entry.why)
		return -ENOMEM;
	for (size_t i = 0; i < parent->n; i++)
		if (strcmp(parent->at[i].name, name) == 0) {
			parent->at[i] = entry;
			return 0;
		}
	slot = variable_vec_add(parent, setter->arena);
	if (slot)
		*slot = entry;
	return slot ? 0 : -ENOMEM;
}

static bool is_parent_member(const char *name)
{
	return strcmp(name, "http") == 0 || strcmp(name, "https") == 0 || strcmp(name, "noProxy") == 0 || strcmp(name, "caCertPath") == 0;
}

static int set_parent_member(struct setter *setter, const char *name, const json_t *text)
{
	size_t before = setter->faults->n;
	int r;

	if (!is_parent_member(name))
		return setter_refuse(setter, name, text, "http, https, noProxy or caCertPath");
	if (!json_is_string(text))
		return setter_refuse(setter, name, text, "a text");
	r = check_parent(setter, name, json_string_value(text));
	return r == 0 && setter->faults->n == before ? keep_parent(setter, name, json_string_value(text)) : r;
}

int setter_set_parent(struct setter *setter, const json_t *value)
{
	const char *name;
	json_t *text;
	int r = 0;

	if (!json_is_object(value))
		return setter_refuse(setter, "", value, NULL);
	json_object_foreach ((json_t *)(uintptr_t)value, name, text) {
		r = set_parent_member(setter, name, text);
		if (r < 0)
			return r;
	}
	return 0;
}

static int set_mitm_domains(struct setter *setter, const json_t *value, struct domain_vec *domains)
{
	json_t *entry;
	size_t i;
	int r = 0;

	if (!json_is_array(value) || json_array_size(value) == 0)
		return setter_refuse(setter, "domains", value, "a list of domains, at least one");
	json_array_foreach (value, i, entry) {
		const char *below = arena_printf(setter->arena, "domains/%zu", i);

		r = below ? setter_add_pattern(setter, domains, entry, below) : -ENOMEM;
		if (r < 0)
			return r;
	}
	return 0;
}

int setter_set_mitm(struct setter *setter, const json_t *value)
{
	const json_t *path = json_object_get(value, "socketPath"), *domains = json_object_get(value, "domains");
	struct policy_mitm mitm = { .socket = arena_dup(setter->arena, json_string_value(path)), .why = setter_why(setter, "") };
	size_t before = setter->faults->n;
	int r = 0;

	if (!mitm.why || (json_is_string(path) && !mitm.socket))
		return -ENOMEM;
	if (!json_is_object(value) || json_object_size(value) != (size_t)(path != NULL) + (domains != NULL))
		return setter_refuse(setter, "", value, NULL);
	if (!mitm.socket || mitm.socket[0] != '/' || strlen(mitm.socket) > SOCKET_PATH_MAX)
		r = setter_refuse(setter, "socketPath", path, "the absolute path of a Unix socket, 107 bytes at most");
	if (r == 0)
		r = set_mitm_domains(setter, domains, &mitm.domains);
	if (r == 0 && setter->faults->n == before)
		memcpy(setter_place(setter), &mitm, sizeof(mitm));
	return r;
}

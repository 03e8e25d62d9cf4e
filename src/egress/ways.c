#include "egress/ways.h"

#include <errno.h>
#include <string.h>

static const char loopback[] = "127.0.0.1";

/* One member of one member. */
struct part {
	const char *name; /* "/parent/http" */
	const json_t *value;
	struct arena *arena;
	struct ways *ways;
};

static int set_text(const struct part *part, const char **ret_text)
{
	if (!json_is_string(part->value))
		return -EINVAL;
	*ret_text = arena_dup(part->arena, json_string_value(part->value));
	return *ret_text ? 0 : -ENOMEM;
}

static int set_proxy(const struct part *part, struct hop *ret_hop)
{
	struct hop hop = { .kind = HOP_PROXY, .is_there = true };
	int r = json_is_string(part->value) ? upstream_parse(json_string_value(part->value), part->arena, &hop.to) : -EINVAL;

	if (r == 0)
		*ret_hop = hop;
	return r == -ENOMEM || r == 0 ? r : -EINVAL;
}

static int set_port(const struct part *part, struct hop *ret_hop)
{
	json_int_t port = json_integer_value(part->value);

	if (!json_is_integer(part->value) || port < 1 || port > UINT16_MAX)
		return -EINVAL;
	*ret_hop = (struct hop){ .kind = HOP_OUTSIDE, .is_there = true, .to = { .port = (uint16_t)port } };
	return host_parse(loopback, sizeof(loopback) - 1, &ret_hop->to.host);
}

static int add_domain(const struct part *part, const json_t *entry)
{
	const char *text = arena_dup(part->arena, json_string_value(entry));
	struct domain_pattern *slot, pattern;

	if (!json_is_string(entry))
		return -EINVAL;
	if (!text)
		return -ENOMEM;
	if (domain_pattern_parse(text, false, &pattern) < 0)
		return -EINVAL;
	slot = domain_vec_add(&part->ways->mitm_domains, part->arena);
	if (slot)
		*slot = pattern;
	return slot ? 0 : -ENOMEM;
}

static int set_domains(const struct part *part)
{
	const json_t *entry;
	size_t i;

	if (!json_is_array(part->value))
		return -EINVAL;
	json_array_foreach (part->value, i, entry) {
		int r = add_domain(part, entry);

		if (r < 0)
			return r;
	}
	return 0;
}

static int set_socket(const struct part *part)
{
	part->ways->mitm = (struct hop){ .kind = HOP_SOCKET, .is_there = true };
	return set_text(part, &part->ways->mitm_socket);
}

static int set_part(const struct part *part)
{
	struct ways *ways = part->ways;

	if (strcmp(part->name, "/parent/http") == 0)
		return set_proxy(part, &ways->http);
	if (strcmp(part->name, "/parent/https") == 0)
		return set_proxy(part, &ways->https);
	if (strcmp(part->name, "/parent/no_proxy") == 0)
		return set_text(part, &ways->no_proxy);
	if (strcmp(part->name, "/mitm/socket") == 0)
		return set_socket(part);
	if (strcmp(part->name, "/mitm/domains") == 0)
		return set_domains(part);
	if (strcmp(part->name, "/outside/http") == 0)
		return set_port(part, &ways->outside_http);
	return strcmp(part->name, "/outside/socks") == 0 ? set_port(part, &ways->outside_socks) : -EINVAL;
}

bool ways_is_member(const char *name)
{
	return strcmp(name, "parent") == 0 || strcmp(name, "mitm") == 0 || strcmp(name, "outside") == 0;
}

bool ways_have_tls(const struct ways *ways)
{
	return (ways->http.is_there && ways->http.to.tls) || (ways->https.is_there && ways->https.to.tls);
}

int ways_read(const char *name, const json_t *value, struct arena *arena, struct ways *ways, const char **ret_where)
{
	const char *inner;
	json_t *member;
	int r = 0;

	*ret_where = arena_printf(arena, "/%s", name);
	if (!*ret_where)
		return -ENOMEM;
	if (!json_is_object(value))
		return -EINVAL;
	json_object_foreach ((json_t *)(uintptr_t)value, inner, member) {
		struct part part = { arena_printf(arena, "/%s/%.40s", name, inner), member, arena, ways };

		if (!part.name)
			return -ENOMEM;
		*ret_where = part.name;
		r = set_part(&part);
		if (r < 0)
			return r;
	}
	return 0;
}

static const struct hop *choose_parent(const struct ways *ways, const struct host *host, bool tunnel)
{
	const struct hop *hop = tunnel && ways->https.is_there ? &ways->https : &ways->http;

	return hop->is_there && !upstream_is_bypassed(ways->no_proxy, host) ? hop : NULL;
}

const struct hop *ways_choose(const struct ways *ways, const struct host *host, uint16_t port, bool tunnel)
{
	for (size_t i = 0; ways->mitm.is_there && i < ways->mitm_domains.n; i++)
		if (domain_pattern_fits(&ways->mitm_domains.at[i], host, port))
			return &ways->mitm;
	return choose_parent(ways, host, tunnel);
}

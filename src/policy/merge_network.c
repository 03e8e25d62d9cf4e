#include "policy/merge_part.h"

#include "base/glob.h"
#include "base/path.h"

#include <errno.h>
#include <string.h>

static void add_domain(struct merge *m, struct domain_vec *list, const struct domain_pattern *domain)
{
	struct domain_pattern *slot = domain_vec_add(list, m->arena);

	if (slot)
		*slot = *domain;
	else
		m->failed = -ENOMEM;
}

static bool is_domain_granted(const struct policy_network *base, const struct domain_pattern *wanted)
{
	if (base->mode != POLICY_NETWORK_FILTERED)
		return base->mode == POLICY_NETWORK_HOST;
	for (size_t i = 0; i < base->domains.allowed.n; i++)
		if (domain_pattern_covers(&base->domains.allowed.at[i], wanted))
			return true;
	return false;
}

static struct domain_vec narrow_domains(struct merge *m)
{
	const struct domain_vec *wanted = &m->request->network.domains.allowed;
	struct domain_vec kept = { 0 };

	if (wanted->n == 0 && m->request->network.mode != POLICY_NETWORK_FILTERED)
		return m->base->network.domains.allowed;
	for (size_t i = 0; i < wanted->n; i++) {
		if (is_domain_granted(&m->base->network, &wanted->at[i]))
			add_domain(m, &kept, &wanted->at[i]);
		else
			merge_refuse(m, wanted->at[i].why, arena_printf(m->arena, "\"%s\"", wanted->at[i].text),
			             "what can be reached without it");
	}
	return kept;
}

static void unite_denied(struct merge *m)
{
	const struct policy_network *base = &m->base->network, *request = &m->request->network, *both[] = { base, request };
	struct policy_network *next = &m->next.network;

	next->domains.denied = (struct domain_vec){ 0 };
	next->denied_addresses = (struct text_vec){ 0 };
	next->denied_reasons = (struct variable_vec){ 0 };
	for (unsigned i = 0; i < 2; i++) {
		for (size_t k = 0; k < both[i]->domains.denied.n; k++)
			add_domain(m, &next->domains.denied, &both[i]->domains.denied.at[k]);
		for (size_t k = 0; k < both[i]->denied_addresses.n; k++) {
			const char **slot = text_vec_add(&next->denied_addresses, m->arena);

			if (slot)
				*slot = both[i]->denied_addresses.at[k];
			else
				m->failed = -ENOMEM;
		}
		for (size_t k = 0; k < both[i]->denied_reasons.n; k++) {
			struct policy_variable *slot = variable_vec_add(&next->denied_reasons, m->arena);

			if (slot)
				*slot = both[i]->denied_reasons.at[k];
			else
				m->failed = -ENOMEM;
		}
	}
}

static bool is_socket_granted(const struct policy_network *base, const struct policy_rule *wanted)
{
	for (size_t i = 0; i < base->unix_sockets.n; i++) {
		const struct policy_rule *rule = &base->unix_sockets.at[i];
		bool same = rule->glob && wanted->glob && strcmp(rule->glob, wanted->glob) == 0;

		if (same || (rule->glob ? !wanted->glob && glob_covers(rule->glob, wanted->path) : path_within(wanted->path, rule->path)))
			return true;
	}
	return base->allow_all_unix_sockets;
}

/* Who wants none in particular keeps the base's. */
static void narrow_sockets(struct merge *m)
{
	const struct rule_vec *wanted = &m->request->network.unix_sockets;

	if (wanted->n == 0)
		return;
	m->next.network.unix_sockets = (struct rule_vec){ 0 };
	for (size_t i = 0; i < wanted->n; i++) {
		if (is_socket_granted(&m->base->network, &wanted->at[i]))
			merge_add_rule(m, &m->next.network.unix_sockets, &wanted->at[i]);
		else
			merge_refuse(m, wanted->at[i].why, arena_printf(m->arena, "\"%s\"", wanted->at[i].text),
			             "what can be connected to without it");
	}
}

void merge_network(struct merge *m)
{
	const struct policy_network *request = &m->request->network;
	struct policy_network *next = &m->next.network;

	if (request->mode < next->mode) {
		next->mode = request->mode;
		next->mode_why = request->mode_why;
	} else if (request->mode > next->mode) {
		merge_refuse_field(m, "/network/mode", request->mode == POLICY_NETWORK_HOST ? "\"host\"" : "\"filtered\"",
		                   "a network no wider than without it");
	}
	next->domains.allowed = narrow_domains(m);
	narrow_sockets(m);
	unite_denied(m);
}

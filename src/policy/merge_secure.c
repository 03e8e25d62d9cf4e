#include "policy/merge_part.h"

#include "policy/decide.h"
#include "policy/schema.h"

#include <errno.h>

/* Opening TLS is for the rules' sake, so a request may ask for it; how it is opened is then not its to change. */
static void merge_tls(struct merge *m)
{
	const struct policy_tls *wanted = &m->request->network.tls;

	if (!wanted->terminate)
		return;
	if (m->base->network.tls.terminate)
		merge_refuse(m, wanted->why, "an object", "what it is without it");
	else
		m->next.network.tls = *wanted;
}

static void merge_requests(struct merge *m)
{
	const struct access_rule_vec *own = &m->base->network.requests, *wanted = &m->request->network.requests;
	unsigned above = own->n ? own->at[own->n - 1].layer + 1 : 0;
	struct access_rule_vec both = { 0 };

	for (size_t i = 0; i < own->n + wanted->n; i++) {
		struct access_rule *slot = access_rule_vec_add(&both, m->arena);

		if (!slot) {
			m->failed = -ENOMEM;
			return;
		}
		*slot = i < own->n ? own->at[i] : wanted->at[i - own->n];
		if (i >= own->n)
			slot->layer += above;
	}
	m->next.network.requests = both;
}

static void merge_stripped(struct merge *m)
{
	const struct text_vec *lists[] = { &m->base->network.stripped_headers, &m->request->network.stripped_headers };
	struct text_vec both = { 0 };

	for (unsigned i = 0; i < 2; i++)
		for (size_t k = 0; k < lists[i]->n; k++) {
			const char **slot = text_vec_add(&both, m->arena);

			if (slot)
				*slot = lists[i]->at[k];
			else
				m->failed = -ENOMEM;
		}
	m->next.network.stripped_headers = both;
}

/* A question about a host may open it, one about a request only closes. */
static void merge_asks(struct merge *m)
{
	enum policy_asks base = m->base->network.asks, request = m->request->network.asks;

	if (!policy_field_is_given(m->request, policy_field_by_pointer("/network/asks")))
		return;
	if (request & POLICY_ASKS_HOSTS & ~base)
		merge_refuse_field(m, "/network/asks", "hosts", "\"requests\", or what it is without it");
	m->next.network.asks = (enum policy_asks)((base & request & POLICY_ASKS_HOSTS) | ((base | request) & POLICY_ASKS_REQUESTS));
}

static void merge_tunnels(struct merge *m)
{
	const struct policy_network *request = &m->request->network;
	struct policy_network *next = &m->next.network;

	next->refuse_opaque_tunnels |= request->refuse_opaque_tunnels;
	next->require_host_match |= request->require_host_match;
	if (!policy_field_is_given(m->request, policy_field_by_pointer("/network/ambiguousRequestTarget")))
		return;
	if (request->ambiguous_target == POLICY_TARGET_REFUSE)
		next->ambiguous_target = POLICY_TARGET_REFUSE;
	else if (request->ambiguous_target != next->ambiguous_target)
		merge_refuse_field(m, "/network/ambiguousRequestTarget", "another reading", "\"refuse\", or what it is without it");
}

/* To use a secret is to have something of it: a request may mask what it would have anyway. */
/* Is the base's own word about the same? Another one could say less of it, or give it to others. */
static bool is_said(const struct credential_vec *own, const struct credential *credential)
{
	const char *name = credential->is_file ? credential->path : credential->name;

	for (size_t i = 0; i < own->n; i++)
		if (strcmp(own->at[i].is_file ? own->at[i].path : own->at[i].name, name) == 0)
			return true;
	return false;
}

static bool is_had(const struct merge *m, const struct credential_vec *own, const struct credential *credential)
{
	if (!credential->mask)
		return true;
	if (is_said(own, credential))
		return false;
	return credential->is_file ? policy_allows(m->base, credential->path, POLICY_READ)
	                           : merge_lets_through(&m->base->environment.inherit, credential->name);
}

static struct credential_vec unite_credentials(struct merge *m, const struct credential_vec *own, const struct credential_vec *wanted)
{
	struct credential_vec both = { 0 };

	for (size_t i = 0; i < own->n + wanted->n; i++) {
		const struct credential *credential = i < own->n ? &own->at[i] : &wanted->at[i - own->n];
		struct credential *slot;

		if (i >= own->n && !is_had(m, own, credential)) {
			merge_refuse(m, credential->why, arena_printf(m->arena, "\"%s\"", credential->name), "what can be had without it");
			continue;
		}
		slot = credential_vec_add(&both, m->arena);
		if (slot)
			*slot = *credential;
		else
			m->failed = -ENOMEM;
	}
	return both;
}

static void merge_credentials(struct merge *m)
{
	const struct policy_credentials *base = &m->base->credentials, *request = &m->request->credentials;

	merge_refuse_field(m, "/credentials/awsPairs", "a list", "what is signed without it");
	merge_refuse_field(m, "/credentials/sigv4", "an object", "what is signed without it");
	m->next.credentials.files = unite_credentials(m, &base->files, &request->files);
	m->next.credentials.variables = unite_credentials(m, &base->variables, &request->variables);
}

void merge_secure(struct merge *m)
{
	merge_tls(m);
	merge_requests(m);
	merge_stripped(m);
	merge_tunnels(m);
	merge_asks(m);
	merge_credentials(m);
}

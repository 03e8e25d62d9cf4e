#include "policy/merge.h"

#include "base/path.h"
#include "policy/decide.h"
#include "policy/environment.h"
#include "policy/merge_part.h"
#include "policy/places.h"
#include "policy/schema.h"

#include <errno.h>
#include <string.h>

/* --- What is not granted. --------------------------------------------------------------------------------------------------- */

void merge_refuse(struct merge *m, const char *why, const char *found, const char *allowed)
{
	const struct policy_fault fault = { .code = ERR_POLICY, .source = why ? why : "request", .found = found, .allowed = allowed };

	if (!found || policy_fault_add(m->faults, m->arena, fault) < 0)
		m->failed = -ENOMEM;
}

void merge_refuse_field(struct merge *m, const char *pointer, const char *found, const char *allowed)
{
	if (policy_field_is_given(m->request, policy_field_by_pointer(pointer)))
		merge_refuse(m, arena_printf(m->arena, "request %s", pointer), found, allowed);
}

/* --- Paths. ----------------------------------------------------------------------------------------------------------------- */

void merge_add_rule(struct merge *m, struct rule_vec *list, const struct policy_rule *rule)
{
	struct policy_rule *slot = rule_vec_add(list, m->arena);

	if (slot)
		*slot = *rule;
	else
		m->failed = -ENOMEM;
}

static size_t count_own(const struct rule_vec *list)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		n += !list->at[i].derived;
	return n;
}

static void add_own(struct merge *m, struct rule_vec *list, const struct rule_vec *from)
{
	for (size_t i = 0; i < from->n; i++)
		if (!from->at[i].derived)
			merge_add_rule(m, list, &from->at[i]);
}

static struct rule_vec unite(struct merge *m, const struct rule_vec *a, const struct rule_vec *b)
{
	struct rule_vec both = { 0 };

	add_own(m, &both, a);
	add_own(m, &both, b);
	return both;
}

static bool denies_below(const struct rule_vec *list, const char *top)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct policy_rule *rule = &list->at[i];
		bool below = path_within(rule->path, top);

		if (!rule->except && (rule->glob ? below || path_within(top, rule->path) : below && strcmp(rule->path, top) != 0))
			return true;
	}
	return false;
}

static bool has_glob(const struct rule_vec *list, const char *glob)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->at[i].glob && strcmp(list->at[i].glob, glob) == 0)
			return true;
	return false;
}

static bool is_granted(const struct merge *m, const struct policy_rule *rule, enum policy_access access)
{
	const struct policy_filesystem *fs = &m->base->filesystem;

	if (!rule->glob)
		return policy_allows(m->base, rule->path, access);
	if (has_glob(access == POLICY_WRITE ? &fs->allow_write : &fs->allow_read, rule->glob))
		return true;
	if (denies_below(&fs->deny_read, rule->path) || (access == POLICY_WRITE && denies_below(&fs->deny_write, rule->path)))
		return false;
	return policy_allows(m->base, rule->path, access);
}

/* How much of path the longest of the request's own denials names. */
static size_t longest_own(const struct rule_vec *list, const char *path)
{
	size_t longest = 0;

	for (size_t i = 0; i < list->n; i++) {
		size_t n = list->at[i].derived ? 0 : policy_rule_place(list, &list->at[i], path);

		if (n > longest)
			longest = n;
	}
	return longest;
}

/*
 * The request hides or protects this place, and does not open it again itself. Denials above the workspace do not reach into it: who hides
 * home means the rest of home.
 */
static bool is_denied(const struct merge *m, const struct policy_rule *rule, enum policy_access access)
{
	const struct policy_filesystem *fs = &m->request->filesystem;
	size_t least = path_within(rule->path, m->base->workspace.path) ? strlen(m->base->workspace.path) : 1;

	if (!policy_allows(m->request, rule->path, POLICY_READ) && longest_own(&fs->deny_read, rule->path) >= least)
		return true;
	return access == POLICY_WRITE && longest_own(&fs->deny_write, rule->path) >= least;
}

/* The request names nothing: the base's, but for what the request denies. */
static struct rule_vec keep(struct merge *m, const struct rule_vec *base, enum policy_access access)
{
	struct rule_vec kept = { 0 };

	for (size_t i = 0; i < base->n; i++)
		if (!base->at[i].derived && !is_denied(m, &base->at[i], access))
			merge_add_rule(m, &kept, &base->at[i]);
	return kept;
}

static struct rule_vec intersect(struct merge *m, const struct rule_vec *base, const struct rule_vec *request, enum policy_access access)
{
	const char *allowed = access == POLICY_WRITE ? "what can be written without it" : "what can be read without it";
	struct rule_vec kept = { 0 };

	if (count_own(request) == 0)
		return keep(m, base, access);
	for (size_t i = 0; i < request->n; i++) {
		const struct policy_rule *rule = &request->at[i];

		if (rule->derived)
			continue;
		if (is_granted(m, rule, access))
			merge_add_rule(m, &kept, rule);
		else
			merge_refuse(m, rule->why, arena_printf(m->arena, "\"%s\"", rule->text), allowed);
	}
	return kept;
}

/* The toolchain's view opens the workspace by itself. A base with the host's view that hides it keeps it hidden. */
static void narrow_view(struct merge *m)
{
	const char *path = m->base->workspace.path;
	const struct policy_verdict verdict = policy_decide(m->base, path, POLICY_READ);

	m->next.filesystem.view = m->request->filesystem.view;
	m->next.filesystem.view_why = m->request->filesystem.view_why;
	if (!verdict.allowed)
		merge_add_rule(
		    m, &m->next.filesystem.deny_read,
		    &(struct policy_rule){ .text = path, .why = verdict.rule->why, .literal = true, .path = path, .optional = true });
}

/* Rules that are off stay off until a request brings some of its own. */
static void merge_disabled(struct merge *m)
{
	const struct policy_filesystem *request = &m->request->filesystem;
	size_t own = count_own(&request->deny_read) + count_own(&request->allow_read) + count_own(&request->allow_write) +
	             count_own(&request->deny_write);

	if (own > 0 || request->view != POLICY_VIEW_HOST)
		m->next.filesystem.disabled = false;
	if (request->disabled && !m->base->filesystem.disabled)
		merge_refuse_field(m, "/filesystem/disabled", "true", "false");
}

static void merge_filesystem(struct merge *m)
{
	const struct policy_filesystem *base = &m->base->filesystem, *request = &m->request->filesystem;
	struct policy_filesystem *next = &m->next.filesystem;

	next->deny_read = unite(m, &base->deny_read, &request->deny_read);
	next->deny_write = unite(m, &base->deny_write, &request->deny_write);
	next->allow_read = intersect(m, &base->allow_read, &request->allow_read, POLICY_READ);
	next->allow_write = intersect(m, &base->allow_write, &request->allow_write, POLICY_WRITE);
	if (request->view > next->view)
		narrow_view(m);
	if (request->search_depth > next->search_depth)
		next->search_depth = request->search_depth;
	next->mandatory |= request->mandatory;
	next->hide_credentials |= request->hide_credentials;
	merge_disabled(m);
}

static void keep_places(struct merge *m, struct rule_vec *list, const struct rule_vec *from)
{
	for (size_t i = 0; i < from->n; i++) {
		struct policy_rule rule = from->at[i];

		rule.derived = false;
		if (rule.place && from->at[i].derived)
			merge_add_rule(m, list, &rule);
	}
}

/* Built-in places belong to a workspace or to a writable directory. Where those change, the base's places stay all the same. */
static void merge_places(struct merge *m)
{
	bool moved = m->next.workspace.path != m->base->workspace.path;

	if (!moved && count_own(&m->request->filesystem.allow_write) == 0)
		return;
	keep_places(m, &m->next.filesystem.deny_read, &m->base->filesystem.deny_read);
	keep_places(m, &m->next.filesystem.deny_write, &m->base->filesystem.deny_write);
}

static void merge_workspace(struct merge *m)
{
	const struct policy_workspace *workspace = &m->request->workspace;

	if (workspace->alias_text) { /* a name gives nothing */
		m->next.workspace.alias = workspace->alias;
		m->next.workspace.alias_text = workspace->alias_text;
		m->next.workspace.alias_why = workspace->alias_why;
	}
	if (!workspace->text || strcmp(workspace->path, m->base->workspace.path) == 0)
		return;
	if (policy_allows(m->base, workspace->path, POLICY_READ)) {
		m->next.workspace.path = workspace->path;
		m->next.workspace.text = workspace->text;
		m->next.workspace.why = workspace->why;
		return;
	}
	merge_refuse(m, workspace->why, arena_printf(m->arena, "\"%s\"", workspace->text), "a directory that can be read without it");
}

/* --- Words and numbers. ----------------------------------------------------------------------------------------------------- */

/* A field that is true where it allows something. */
static void merge_permission(struct merge *m, const char *pointer)
{
	const struct policy_field *field = policy_field_by_pointer(pointer);
	const bool *wanted = (const bool *)(const void *)((const char *)m->request + field->place);
	bool *place = (bool *)(void *)((char *)&m->next + field->place);

	if (*wanted && !*place)
		merge_refuse_field(m, pointer, "true", "false");
	*place = *place && *wanted;
}

static void merge_permissions(struct merge *m)
{
	static const char *const permissions[] = {
		"/filesystem/allowGitConfig",
		"/filesystem/allowAgentInstructions",
		"/network/allowAllUnixSockets",
		"/network/allowPrivateAddresses",
		"/process/allowPtrace",
		"/process/allowTerminal",
		"/allowNestedUserNamespaces",
		"/network/allowPlaintextHeaderSet",
		"/credentials/allowPlaintextInject",
	};

	for (size_t i = 0; i < sizeof(permissions) / sizeof(permissions[0]); i++)
		merge_permission(m, permissions[i]);
}

static void merge_words(struct merge *m)
{
	const struct policy *request = m->request;
	struct policy *next = &m->next;

	if (request->require > next->require) {
		next->require = request->require;
		next->require_why = request->require_why;
	}
	if (request->denials > next->denials)
		next->denials = request->denials;
	next->strict |= request->strict;
	next->process.umask |= request->process.umask;
	if (request->process.hostname)
		next->process.hostname = request->process.hostname;
	next->given[0] |= request->given[0];
	next->given[1] |= request->given[1];
}

static void merge_limits(struct merge *m)
{
	for (unsigned i = 0; i < POLICY_LIMITS_END; i++) {
		const struct policy_limit *wanted = &m->request->limit[i];

		if (wanted->value < m->next.limit[i].value)
			m->next.limit[i] = *wanted;
		else if (wanted->value > m->next.limit[i].value && wanted->why)
			merge_refuse(m, wanted->why, "more than the limit that holds without it", "as much, or less");
	}
}

/* --- The environment. ------------------------------------------------------------------------------------------------------- */

bool merge_lets_through(const struct text_vec *list, const char *entry)
{
	for (size_t i = 0; i < list->n; i++) {
		size_t n = strlen(list->at[i]);

		if (strcmp(list->at[i], entry) == 0 || (n > 0 && list->at[i][n - 1] == '*' && strncmp(list->at[i], entry, n - 1) == 0))
			return true;
	}
	return false;
}

static void merge_inherited(struct merge *m)
{
	const struct text_vec *wanted = &m->request->environment.inherit;
	struct text_vec kept = { 0 };

	for (size_t i = 0; i < wanted->n; i++) {
		const char **slot;

		if (!merge_lets_through(&m->base->environment.inherit, wanted->at[i])) {
			merge_refuse(m, "request /environment/inherit", arena_printf(m->arena, "\"%s\"", wanted->at[i]),
			             "names that are inherited without it");
			continue;
		}
		slot = text_vec_add(&kept, m->arena);
		if (slot)
			*slot = wanted->at[i];
		else
			m->failed = -ENOMEM;
	}
	if (wanted->n)
		m->next.environment.inherit = kept;
}

static const struct policy_variable *find_variable(const struct policy *policy, const char *name)
{
	const struct variable_vec *set = &policy->environment.set;

	for (size_t i = 0; i < set->n; i++)
		if (strcmp(set->at[i].name, name) == 0)
			return &set->at[i];
	return NULL;
}

/* What the base says of a variable stands; for others the request is free, since they are the sandbox's own. */
static void merge_variables(struct merge *m)
{
	const struct variable_vec *wanted = &m->request->environment.set;

	for (size_t i = 0; i < wanted->n; i++) {
		const struct policy_variable *theirs = &wanted->at[i], *ours = find_variable(m->base, theirs->name);
		bool same = ours && (ours->value && theirs->value ? strcmp(ours->value, theirs->value) == 0 : ours->value == theirs->value);

		if (ours && !same)
			merge_refuse(m, theirs->why, theirs->name, "what it is without it");
		else if (!ours && environment_set(&m->next, m->arena, theirs->name, theirs->value, theirs->why) < 0)
			m->failed = -ENOMEM;
	}
}

int policy_merge(struct policy *base, const struct policy *request, struct arena *arena, struct fault_vec *faults)
{
	struct merge m = { .base = base, .request = request, .next = *base, .arena = arena, .faults = faults };

	merge_filesystem(&m);
	merge_workspace(&m);
	merge_places(&m);
	merge_permissions(&m);
	merge_network(&m);
	merge_secure(&m);
	merge_words(&m);
	merge_limits(&m);
	merge_inherited(&m);
	merge_variables(&m);
	m.failed = m.failed ? m.failed : places_derive(&m.next, arena);
	if (!m.failed)
		*base = m.next;
	return m.failed;
}

int policy_tighten(struct policy *policy, const struct policy *request, struct arena *arena)
{
	const struct policy *chains[] = { policy->tighten, request }, *head = NULL, **tail = &head;

	/* All links anew: copies of the policy may share those that are there. */
	for (unsigned i = 0; i < 2; i++)
		for (const struct policy *link = chains[i]; link; link = link->tighten) {
			struct policy *copy = ARENA_NEW(arena, struct policy);

			if (!copy)
				return -ENOMEM;
			*copy = *link;
			copy->tighten = NULL;
			*tail = copy;
			tail = &copy->tighten;
		}
	policy->tighten = head;
	return 0;
}

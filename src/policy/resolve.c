#include "policy/policy.h"

#include "base/glob.h"
#include "base/path.h"
#include "policy/merge.h"
#include "policy/pattern.h"
#include "policy/places.h"

#include <errno.h>
#include <string.h>

enum { SHOWN_MAX = 200 }; /* of a path, in messages */

struct resolver {
	struct arena *arena;
	const char *cwd, *home;
	const char *glob_cwd, *glob_home; /* the same as patterns */
	bool optional_allows;             /* srt skips what does not exist */
};

/* Why text cannot be a path. */
static const char *reason_against(const struct resolver *resolver, const char *text, int errnum)
{
	if (errnum == ENAMETOOLONG)
		return "the path or a name in it is too long";
	if (!text[0])
		return "an empty path names nothing";
	if (text[0] == '~' && text[1] && text[1] != '/')
		return "another user's home cannot be named with \"~\": write it out";
	if (text[0] == '~' && !resolver->home)
		return "there is no home directory here: write the path out";
	return "the path leaves the root";
}

static int refuse(struct err *err, const struct policy_rule *rule, const char *reason)
{
	const char *more = strlen(rule->text) > SHOWN_MAX ? "…" : "";
	int r = err_set(err, ERR_POLICY, EINVAL, "\"%.*s%s\": %s", SHOWN_MAX, rule->text, more, reason);

	if (rule->why)
		err_at(err, rule->why);
	return r;
}

static int normalize(const struct resolver *resolver, const struct policy_rule *rule, const char *text, const char **ret, struct err *err)
{
	int r = path_normalize(resolver->arena, text, resolver->cwd, resolver->home, ret);

	if (r == -ENOMEM || r == 0)
		return r;
	return refuse(err, rule, reason_against(resolver, text, -r));
}

/* The pattern that text is, or NULL when it is a name. */
static int find_pattern(const struct resolver *resolver, const char *text, const char **ret_pattern)
{
	*ret_pattern = NULL;
	if (!strpbrk(text, "*?["))
		return 0;

	const char *pattern = pattern_quote_false_sets(resolver->arena, text);

	if (!pattern)
		return -ENOMEM;
	if (pattern_has_glob(pattern) || strchr(text, '\\'))
		*ret_pattern = pattern;
	return 0;
}

static int resolve_glob(const struct resolver *resolver, struct policy_rule *rule, const char *pattern, struct err *err)
{
	if (pattern_climbs(pattern))
		return refuse(err, rule, "\"..\" after a pattern names no one directory");

	int r = path_normalize(resolver->arena, pattern, resolver->glob_cwd, resolver->glob_home, &rule->glob);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return refuse(err, rule, reason_against(resolver, pattern, -r));
	rule->path = pattern_top(resolver->arena, rule->glob);
	return rule->path ? 0 : -ENOMEM;
}

static int resolve_rule(const struct resolver *resolver, struct policy_rule *rule, struct err *err)
{
	const char *text = rule->literal || !rule->text[0] ? rule->text : pattern_trim(resolver->arena, rule->text);
	const char *pattern = NULL, *name = NULL;
	int r = text ? 0 : -ENOMEM;

	if (r == 0 && !rule->literal)
		r = find_pattern(resolver, text, &pattern);
	if (r == 0)
		r = normalize(resolver, rule, text, &name, err);
	if (r < 0)
		return r;
	rule->path = name;
	rule->glob = rule->name = NULL;
	if (!pattern)
		return 0;
	r = resolve_glob(resolver, rule, pattern, err);
	if (r == 0 && !glob_match(rule->glob, name))
		rule->name = name;
	return r;
}

static int resolve_list(const struct resolver *resolver, struct rule_vec *list, bool deny, struct err *err)
{
	struct rule_vec fresh = { 0 };

	for (size_t i = 0; i < list->n; i++) {
		struct policy_rule rule = list->at[i], *slot;
		int r;

		if (rule.derived)
			continue;
		if (deny && rule.text[0] == '/' && policy_rule_is_inert(&rule))
			return refuse(err, &rule, "a pattern from \"/\" that ends in \"/\" denies nothing: drop the last slash");
		rule.optional = deny || resolver->optional_allows;
		r = resolve_rule(resolver, &rule, err);
		if (r < 0)
			return r;
		slot = rule_vec_add(&fresh, resolver->arena);
		if (!slot)
			return -ENOMEM;
		*slot = rule;
	}
	*list = fresh;
	return 0;
}

static int resolve_workspace(const struct resolver *resolver, struct policy_workspace *workspace, struct err *err)
{
	const struct policy_rule rule = { .text = workspace->text ? workspace->text : resolver->cwd, .why = workspace->why };

	const struct policy_rule alias = { .text = workspace->alias_text, .why = workspace->alias_why };
	int r = normalize(resolver, &rule, rule.text, &workspace->path, err);

	return r == 0 && alias.text ? normalize(resolver, &alias, alias.text, &workspace->alias, err) : r;
}

/* Whoever names domains, or a proxy that knows its own, wants them reached. */
static void settle_network(struct policy_network *network)
{
	const char *why = network->domains.allowed.n ? network->domains.allowed.at[0].why : network->ways.ports_why;

	if (network->mode_why || !why)
		return;
	network->mode = POLICY_NETWORK_FILTERED;
	network->mode_why = why;
}

static int resolve_text(const struct resolver *resolver, const char **text, const char *why, struct err *err)
{
	const struct policy_rule rule = { .text = *text, .why = why };

	return *text ? normalize(resolver, &rule, *text, text, err) : 0;
}

static int resolve_tls(const struct resolver *resolver, struct policy_tls *tls, struct err *err)
{
	struct text_vec fresh = { 0 };
	int r = resolve_text(resolver, &tls->ca_cert, tls->why, err);

	if (r == 0)
		r = resolve_text(resolver, &tls->ca_key, tls->why, err);
	for (size_t i = 0; i < tls->extra_cas.n && r == 0; i++) {
		const char **slot = text_vec_add(&fresh, resolver->arena);

		if (!slot)
			return -ENOMEM;
		*slot = tls->extra_cas.at[i];
		r = resolve_text(resolver, slot, tls->why, err);
	}
	tls->extra_cas = fresh;
	return r;
}

/* Into a list of its own: others may share the old one. */
static int resolve_parent(const struct resolver *resolver, struct variable_vec *parent, struct err *err)
{
	struct variable_vec fresh = { 0 };

	for (size_t i = 0; i < parent->n; i++) {
		struct policy_variable *slot = variable_vec_add(&fresh, resolver->arena);
		int r;

		if (!slot)
			return -ENOMEM;
		*slot = parent->at[i];
		r = strcmp(slot->name, "caCertPath") == 0 ? resolve_text(resolver, &slot->value, slot->why, err) : 0;
		if (r < 0)
			return r;
	}
	*parent = fresh;
	return 0;
}

/* The same. */
static int resolve_files(const struct resolver *resolver, struct credential_vec *files, struct err *err)
{
	struct credential_vec fresh = { 0 };

	for (size_t i = 0; i < files->n; i++) {
		struct credential *slot = credential_vec_add(&fresh, resolver->arena);
		int r;

		if (!slot)
			return -ENOMEM;
		*slot = files->at[i];
		slot->path = slot->name;
		r = slot->mask ? resolve_text(resolver, &slot->path, slot->why, err) : 0;
		if (r < 0)
			return r;
	}
	*files = fresh;
	return 0;
}

static int resolve_rules(const struct resolver *resolver, struct policy *policy, struct err *err)
{
	struct policy_filesystem *fs = &policy->filesystem;
	struct rule_vec *lists[] = { &fs->deny_read, &fs->deny_write, &fs->allow_read, &fs->allow_write, &policy->network.unix_sockets };
	int r = resolve_workspace(resolver, &policy->workspace, err);

	policy->home = resolver->home;
	settle_network(&policy->network);
	for (unsigned i = 0; i < sizeof(lists) / sizeof(lists[0]) && r == 0; i++)
		if (!fs->disabled || lists[i] == &policy->network.unix_sockets)
			r = resolve_list(resolver, lists[i], i < 2, err);
	if (r == 0)
		r = resolve_tls(resolver, &policy->network.tls, err);
	if (r == 0)
		r = resolve_parent(resolver, &policy->network.ways.parent, err);
	if (r == 0)
		r = resolve_files(resolver, &policy->credentials.files, err);
	return r ? r : places_derive(policy, resolver->arena);
}

/* What a request is not granted is an error here: somebody counts on it. */
static int tighten_by(const struct resolver *resolver, struct policy *policy, struct policy request, struct err *err)
{
	struct fault_vec faults = { 0 };
	int r = resolve_rules(resolver, &request, err);

	if (r == 0)
		r = policy_merge(policy, &request, resolver->arena, &faults);
	return r ? r : policy_faults_err(&faults, err);
}

static int resolve_all(struct resolver *resolver, struct policy *policy, struct err *err)
{
	const struct policy *request = policy->tighten;
	int r;

	resolver->glob_cwd = pattern_quote(resolver->arena, resolver->cwd);
	resolver->glob_home = resolver->home ? pattern_quote(resolver->arena, resolver->home) : NULL;
	if (!resolver->glob_cwd || (resolver->home && !resolver->glob_home))
		return -ENOMEM;
	r = resolve_rules(resolver, policy, err);
	for (; request && r == 0; request = request->tighten)
		r = tighten_by(resolver, policy, *request, err);
	policy->tighten = NULL;
	return r;
}

int policy_resolve(struct policy *policy, struct arena *arena, const char *cwd, const char *home, struct err *err)
{
	struct policy next = *policy;
	struct resolver resolver = { .arena = arena,
		                     .cwd = arena_dup(arena, cwd),
		                     .home = arena_dup(arena, home),
		                     .optional_allows = policy->dialect == POLICY_SRT };
	int r = resolver.cwd && (resolver.home || !home) ? 0 : -ENOMEM;

	if (!path_is_normal(cwd) || (home && !path_is_normal(home)))
		return err_set(err, ERR_USAGE, EINVAL, "working directory and home are to be absolute and normal paths");
	if (r == 0)
		r = resolve_all(&resolver, &next, err);
	if (r == -ENOMEM)
		return err_set(err, ERR_LIMIT, ENOMEM, "the policy's rules need more memory than a request may have");
	if (r == 0)
		*policy = next;
	return r;
}

#include "policy/policy.h"

#include "policy/environment.h"

#include <errno.h>

static const struct policy_limit initial_limits[POLICY_LIMITS_END] = {
#define LIMIT(id, key, unit, initial, sentence) [POLICY_LIMIT_##id] = { .value = (initial) },
#include "policy/limits.def"
#undef LIMIT
};

static void set_limits(struct policy *policy, bool unlimited)
{
	for (unsigned i = 0; i < POLICY_LIMITS_END; i++) {
		policy->limit[i] = initial_limits[i];
		if (unlimited)
			policy->limit[i].value = NUM_UNLIMITED;
	}
}

static struct policy common_start(enum policy_dialect dialect)
{
	return (struct policy){
		.dialect = dialect,
		.filesystem = { .mandatory = true, .search_depth = 3 },
		.network = { .mode = POLICY_NETWORK_OFF },
		.process = { .hostname = "sandbox", .umask = 022, .allow_terminal = true },
		.require = POLICY_REQUIRE_ANY,
		.denials = POLICY_DENIALS_WRITES,
	};
}

int policy_init(struct policy *policy, struct arena *arena)
{
	struct policy start = common_start(POLICY_COFFER);

	start.filesystem.view = POLICY_VIEW_TOOLCHAIN;
	start.filesystem.hide_credentials = true;
	set_limits(&start, false);

	int r = environment_inherit_default(&start, arena);

	if (r == 0)
		*policy = start;
	return r;
}

int policy_init_srt(struct policy *policy, struct arena *arena)
{
	struct policy start = common_start(POLICY_SRT);

	start.filesystem.view = POLICY_VIEW_HOST;
	start.network.mode = POLICY_NETWORK_FILTERED;
	start.network.allow_private_addresses = true;
	set_limits(&start, true);
	start.limit[POLICY_LIMIT_TMP] = initial_limits[POLICY_LIMIT_TMP]; /* the private /tmp needs a size */
	start.limit[POLICY_LIMIT_TMP_INODES] = initial_limits[POLICY_LIMIT_TMP_INODES];

	int r = environment_inherit_all(&start, arena);

	if (r == 0)
		*policy = start;
	return r;
}

void policy_init_request(struct policy *policy)
{
	*policy = (struct policy){
		.dialect = POLICY_COFFER,
		.filesystem = { .view = POLICY_VIEW_HOST, .allow_git_config = true, .allow_agent_instructions = true, .search_depth = 1 },
		.network = { .mode = POLICY_NETWORK_HOST,
		             .allow_all_unix_sockets = true,
		             .allow_private_addresses = true,
		             .allow_plaintext_header_set = true },
		.credentials = { .allow_plaintext_inject = true },
		.process = { .allow_ptrace = true, .allow_nested_user_namespaces = true, .allow_terminal = true },
		.require = POLICY_REQUIRE_ANY,
		.denials = POLICY_DENIALS_OFF,
	};
	set_limits(policy, true);
}

bool policy_rule_is_inert(const struct policy_rule *rule)
{
	size_t n = strlen(rule->text);

	return !rule->literal && n && strchr("/~", rule->text[0]) && rule->text[n - 1] == '/' && strpbrk(rule->text, "*?[");
}

int policy_add_rule(struct arena *arena, struct rule_vec *list, const char *text, bool literal, const char *why)
{
	const char *own_text = arena_dup(arena, text), *own_why = arena_dup(arena, why);
	struct policy_rule *rule = rule_vec_add(list, arena);

	if (!own_text || (why && !own_why) || !rule)
		return -ENOMEM;
	rule->text = own_text;
	rule->why = own_why;
	rule->literal = literal;
	return 0;
}

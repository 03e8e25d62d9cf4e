#include "policy/policy.h"

#include "unit/policy/sample.h"

static void test_default(void **state)
{
	struct policy policy = sample_default();

	(void)state;
	assert_int_equal(policy.dialect, POLICY_COFFER);
	assert_int_equal(policy.filesystem.view, POLICY_VIEW_TOOLCHAIN);
	assert_true(policy.filesystem.mandatory && policy.filesystem.hide_credentials);
	assert_false(policy.filesystem.disabled || policy.filesystem.allow_git_config || policy.filesystem.allow_agent_instructions);
	assert_int_equal(policy.filesystem.search_depth, 3);
	assert_int_equal(policy.network.mode, POLICY_NETWORK_OFF);
	assert_false(policy.network.allow_all_unix_sockets || policy.process.allow_ptrace || policy.process.allow_nested_user_namespaces);
	assert_true(policy.process.allow_terminal);
	assert_string_equal(policy.process.hostname, "sandbox");
	assert_int_equal(policy.process.umask, 022);
	assert_int_equal(policy.denials, POLICY_DENIALS_WRITES);
	assert_int_equal(policy.limit[POLICY_LIMIT_SWAP].value, 0);
	for (unsigned i = 0; i < POLICY_LIMITS_END; i++)
		assert_null(policy.limit[i].why);
	assert_true(policy.limit[POLICY_LIMIT_MEMORY].value < NUM_UNLIMITED);
	assert_true(policy.limit[POLICY_LIMIT_PROCESSES].value < NUM_UNLIMITED);
	assert_true(policy.limit[POLICY_LIMIT_OUTPUT].value < NUM_UNLIMITED);
}

static void test_srt(void **state)
{
	struct policy policy;

	(void)state;
	assert_int_equal(policy_init_srt(&policy, &arena), 0);
	assert_int_equal(policy.dialect, POLICY_SRT);
	assert_int_equal(policy.filesystem.view, POLICY_VIEW_HOST);
	assert_true(policy.filesystem.mandatory);
	assert_false(policy.filesystem.hide_credentials);
	assert_int_equal(policy.network.mode, POLICY_NETWORK_FILTERED); /* and no domain */
	assert_true(policy.limit[POLICY_LIMIT_MEMORY].value == NUM_UNLIMITED);
	assert_string_equal(policy.environment.inherit.at[0], "*");
}

static void test_rules_are_copied(void **state)
{
	struct rule_vec list = { 0 };
	char text[] = "path", why[] = "why";

	(void)state;
	assert_int_equal(policy_add_rule(&arena, &list, text, true, why), 0);
	assert_int_equal(policy_add_rule(&arena, &list, text, false, NULL), 0);
	text[0] = why[0] = 'x';
	assert_string_equal(list.at[0].text, "path");
	assert_string_equal(list.at[0].why, "why");
	assert_true(list.at[0].literal);
	assert_null(list.at[1].why);
}

static void test_no_memory(void **state)
{
	struct arena none;
	struct policy policy = { .strict = true };
	struct rule_vec list = { 0 };

	(void)state;
	arena_init(&none, 0);
	assert_int_equal(policy_init(&policy, &none), -ENOMEM);
	assert_int_equal(policy_init_srt(&policy, &none), -ENOMEM);
	assert_true(policy.strict);
	assert_int_equal(policy_add_rule(&none, &list, "x", false, "y"), -ENOMEM);
	arena_done(&none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default),
		cmocka_unit_test(test_srt),
		cmocka_unit_test(test_rules_are_copied),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

#include "policy/profiles.h"

#include "policy/check.h"
#include "unit/policy/sample.h"

static struct policy with_profile(const char *name)
{
	struct policy policy = sample_default();
	struct err err = { 0 };

	if (policy_read(&policy, &arena, policy_profile(name), NULL, &err) < 0)
		fail_msg("%s: %s", err.where, err.text);
	sample_resolve(&policy);
	return policy;
}

static void test_all_of_them_can_be_used(void **state)
{
	const struct policy_profile_info *info;
	size_t n = 0;

	(void)state;
	for (; (info = policy_profile_at(n)); n++) {
		struct policy policy = with_profile(info->name);
		struct fault_vec faults = { 0 };

		assert_int_equal(policy_check(&policy, &arena, &faults), 0);
		assert_int_equal(faults.n, 0);
		assert_ptr_equal(policy_profile(info->name), &info->document);
		assert_non_null(strstr(policy_profile_names(), info->name));
		assert_true(info->sentence[0]);
	}
	assert_int_equal(n, 4);
	assert_null(policy_profile("lax"));
	assert_null(policy_profile(""));
}

static void test_agent(void **state)
{
	struct policy policy = with_profile("agent");

	(void)state;
	assert_access(&policy, "/home/u/w/x", true, true);
	assert_access(&policy, "/home/u/w/.git/hooks/x", true, false);
	assert_access(&policy, "/home/u/.gitconfig", true, false);
	assert_access(&policy, "/home/u/.ssh/id", false, false);
	assert_string_equal(policy.filesystem.allow_write.at[0].why, "profile agent /filesystem/allowWrite/0");
}

static void test_build(void **state)
{
	struct policy policy = with_profile("build");
	struct policy usual = sample_default();

	(void)state;
	assert_access(&policy, "/home/u/w/x", true, true);
	assert_access(&policy, "/var/lib/dpkg/status", true, false);
	assert_false(policy.process.allow_ptrace);
	assert_true(policy.limit[POLICY_LIMIT_MEMORY].value > usual.limit[POLICY_LIMIT_MEMORY].value);
}

static void test_test(void **state)
{
	struct policy policy = with_profile("test");

	(void)state;
	assert_access(&policy, "/home/u/w/x", true, false);
	assert_true(policy.process.allow_ptrace);
}

static void test_strict(void **state)
{
	struct policy policy = with_profile("strict");

	(void)state;
	assert_access(&policy, "/home/u/w/x", true, false);
	assert_access(&policy, "/home/u/.cargo/bin/cargo", false, false);
	assert_access(&policy, "/home/u/.local/bin/x", false, false);
	assert_access(&policy, "/usr/bin/env", true, false);
	assert_true(policy.strict);
	assert_int_equal(policy.require, POLICY_REQUIRE_NAMESPACES);
	assert_int_equal(policy.denials, POLICY_DENIALS_ALL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_of_them_can_be_used),
		cmocka_unit_test(test_agent),
		cmocka_unit_test(test_build),
		cmocka_unit_test(test_test),
		cmocka_unit_test(test_strict),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

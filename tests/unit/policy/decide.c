#include "policy/decide.h"

#include "unit/policy/sample.h"

static void test_what_no_rule_covers(void **state)
{
	struct policy policy = sample_plain();

	(void)state;
	sample_resolve(&policy);
	assert_access(&policy, "/", true, false);
	assert_access(&policy, "/etc/passwd", true, false);
	assert_null(policy_decide(&policy, "/x", POLICY_WRITE).rule);
}

static void test_longest_path_decides(void **state)
{
	struct policy policy = sample_plain();

	(void)state;
	sample_add(&policy.filesystem.deny_read, "/a");
	sample_add(&policy.filesystem.allow_read, "/a/b");
	sample_add(&policy.filesystem.deny_read, "/a/b/c");
	sample_add(&policy.filesystem.allow_write, "/a/b/c/d");
	sample_add(&policy.filesystem.deny_write, "/a/b/c/d/e");
	sample_resolve(&policy);
	assert_access(&policy, "/a", false, false);
	assert_access(&policy, "/a/x", false, false);
	assert_access(&policy, "/ab", true, false);
	assert_access(&policy, "/a/b", true, false);
	assert_access(&policy, "/a/b/x", true, false);
	assert_access(&policy, "/a/b/c/x", false, false);
	assert_access(&policy, "/a/b/c/d", true, true);
	assert_access(&policy, "/a/b/c/d/e/f", true, false);
	assert_string_equal(policy_decide(&policy, "/a/b/c/d/e/f", POLICY_WRITE).rule->text, "/a/b/c/d/e");
	assert_string_equal(policy_decide(&policy, "/a/b/c/d/e/f", POLICY_READ).rule->text, "/a/b/c/d");
}

static void test_at_the_same_place(void **state)
{
	struct policy policy = sample_plain();

	(void)state;
	sample_add(&policy.filesystem.deny_read, "/r");
	sample_add(&policy.filesystem.allow_read, "/r");
	sample_add(&policy.filesystem.deny_write, "/w");
	sample_add(&policy.filesystem.allow_write, "/w");
	sample_add(&policy.filesystem.deny_read, "/h");
	sample_add(&policy.filesystem.allow_write, "/h");
	sample_resolve(&policy);
	assert_access(&policy, "/r", true, false);
	assert_access(&policy, "/w/x", true, false);
	assert_access(&policy, "/h/x", true, true);
}

static void test_what_is_hidden_cannot_be_written(void **state)
{
	struct policy policy = sample_plain();

	(void)state;
	sample_add(&policy.filesystem.allow_write, "/w");
	sample_add(&policy.filesystem.deny_read, "/w/secret");
	sample_resolve(&policy);
	assert_access(&policy, "/w/secret", false, false);
	assert_access(&policy, "/w/secret/x", false, false);
	assert_access(&policy, "/w/secrets", true, true);
}

static void test_a_pattern_counts_where_it_matched(void **state)
{
	struct policy policy = sample_plain();

	(void)state;
	sample_add(&policy.filesystem.allow_write, "/w");
	sample_add(&policy.filesystem.deny_write, "/w/**/gen");
	sample_add(&policy.filesystem.allow_write, "/w/a/gen/out");
	sample_add(&policy.filesystem.deny_read, "/w/**/*.pem");
	sample_add(&policy.filesystem.allow_read, "/w/pub/ca.pem");
	sample_resolve(&policy);
	assert_access(&policy, "/w/gen", true, false);
	assert_access(&policy, "/w/a/b/gen/x", true, false);
	assert_access(&policy, "/w/a/gen/out/x", true, true);
	assert_access(&policy, "/w/a/gen/out/gen/x", true, false);
	assert_access(&policy, "/w/x.pem/y", false, false);
	assert_access(&policy, "/w/pub/ca.pem", true, true);
	assert_access(&policy, "/gen", true, false);
}

static void test_disabled(void **state)
{
	struct policy policy = sample_plain();

	(void)state;
	policy.filesystem.disabled = true;
	sample_add(&policy.filesystem.deny_read, "/a");
	sample_resolve(&policy);
	assert_access(&policy, "/a", true, true);
}

static void test_srt_denies_writing_at_any_depth(void **state)
{
	struct policy policy;

	(void)state;
	assert_int_equal(policy_init_srt(&policy, &arena), 0);
	policy.filesystem.mandatory = false;
	sample_add(&policy.filesystem.allow_write, "/a");
	sample_add(&policy.filesystem.deny_write, "/a/b");
	sample_add(&policy.filesystem.allow_write, "/a/b/c");
	sample_add(&policy.filesystem.deny_write, "/g*");
	sample_add(&policy.filesystem.allow_write, "/gen/x");
	sample_resolve(&policy);
	assert_access(&policy, "/a/x", true, true);
	assert_access(&policy, "/a/b/c", true, false);
	assert_access(&policy, "/gen/x", true, false);

	struct policy ours = sample_plain();

	sample_add(&ours.filesystem.deny_write, "/a/b");
	sample_add(&ours.filesystem.allow_write, "/a/b/c");
	sample_resolve(&ours);
	assert_access(&ours, "/a/b/c", true, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_no_rule_covers),
		cmocka_unit_test(test_longest_path_decides),
		cmocka_unit_test(test_at_the_same_place),
		cmocka_unit_test(test_what_is_hidden_cannot_be_written),
		cmocka_unit_test(test_a_pattern_counts_where_it_matched),
		cmocka_unit_test(test_disabled),
		cmocka_unit_test(test_srt_denies_writing_at_any_depth),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

#include "policy/check.h"

#include "unit/policy/sample.h"

static struct fault_vec check(struct policy *policy)
{
	struct fault_vec faults = { 0 };

	sample_resolve(policy);
	assert_int_equal(policy_check(policy, &arena, &faults), 0);
	return faults;
}

/* One fault, with this in its text. */
static void wants(struct policy *policy, bool warning, const char *part)
{
	struct fault_vec faults = check(policy);

	if (faults.n != 1 || faults.at[0].warning != warning || !strstr(faults.at[0].allowed, part))
		fail_msg("%zu faults, the first \"%s\"", faults.n, faults.n ? faults.at[0].allowed : "");
}

static void test_the_default_is_fine(void **state)
{
	struct policy policy = sample_default();

	(void)state;
	assert_int_equal(check(&policy).n, 0);
	sample_add(&policy.filesystem.allow_write, ".");
	sample_add(&policy.filesystem.allow_read, "~/data");
	sample_add(&policy.filesystem.deny_write, "x");
	sample_add(&policy.filesystem.deny_read, "*.pem");
	assert_int_equal(check(&policy).n, 0);
}

static void test_limits(void **state)
{
	(void)state;
	for (unsigned i = 0; i < POLICY_LIMITS_END; i++) {
		struct policy policy = sample_default();

		policy.limit[i].value = 0;
		if (i == POLICY_LIMIT_SWAP)
			assert_int_equal(check(&policy).n, 0);
		else
			wants(&policy, false, "zero");
	}

	struct policy policy = sample_default();

	policy.limit[POLICY_LIMIT_MEMORY].value = 1000;
	wants(&policy, false, "less than 1M");
	policy.limit[POLICY_LIMIT_MEMORY].value = NUM_UNLIMITED;
	assert_int_equal(check(&policy).n, 0);
	policy.limit[POLICY_LIMIT_SWAP] = (struct policy_limit){ 1 << 30, "--swap" };
	wants(&policy, false, "together with memory");
	assert_string_equal(check(&policy).at[0].source, "--swap");
}

static struct policy with(bool write, const char *text)
{
	struct policy policy = sample_default();

	sample_add(write ? &policy.filesystem.allow_write : &policy.filesystem.allow_read, text);
	return policy;
}

static void test_void_rules(void **state)
{
	struct policy policy = with(true, "out");

	(void)state;
	sample_add(&policy.filesystem.deny_write, "out/");
	wants(&policy, false, "allows nothing");
	policy = with(true, "out");
	sample_add(&policy.filesystem.deny_write, "o*");
	wants(&policy, false, "\"o*\" denies it");
	policy = with(true, "a/b");
	sample_add(&policy.filesystem.deny_write, "a");
	assert_int_equal(check(&policy).n, 0); /* the deeper one decides */
	policy = with(false, "x.pem");
	sample_add(&policy.filesystem.deny_read, "*.pem");
	assert_int_equal(check(&policy).n, 0); /* at the same place allowRead wins */
}

static void test_what_cannot_be_written(void **state)
{
	static const char *const fresh[] = { "/proc", "/sys/kernel", "/dev", "/dev/sda" };
	struct policy policy = with(true, "/");

	(void)state;
	wants(&policy, false, "no sandbox");
	for (size_t i = 0; i < COUNT(fresh); i++) {
		policy = with(true, fresh[i]);
		wants(&policy, false, "made anew");
	}
	policy = with(true, "/device");
	assert_int_equal(check(&policy).n, 0);
	policy = with(true, "~");
	wants(&policy, true, "all of home");
	policy = with(true, "/home");
	wants(&policy, true, "all of home");
}

static void test_switches(void **state)
{
	struct policy policy = with(true, ".");

	(void)state;
	policy.filesystem.mandatory = false;
	wants(&policy, true, "execute it later");
	policy = sample_default();
	policy.filesystem.hide_credentials = false;
	wants(&policy, true, "keys and tokens");
	policy = sample_default();
	policy.filesystem.disabled = true;
	wants(&policy, false, "without rules");
}

static void test_workspace(void **state)
{
	struct policy policy = sample_default();
	struct fault_vec faults = { 0 };

	(void)state;
	sample_add(&policy.filesystem.deny_read, ".");
	wants(&policy, false, "hides the working directory");
	policy = sample_default();
	sample_resolve_at(&policy, "/home/u", "/home/u");
	assert_int_equal(policy_check(&policy, &arena, &faults), 0);
	assert_int_equal(faults.n, 1);
	assert_true(faults.at[0].warning);
	assert_non_null(strstr(faults.at[0].allowed, "too wide"));
}

static void test_published(void **state)
{
	struct policy policy = sample_default();
	struct published *slot = published_vec_add(&policy.network.publish, &arena);

	(void)state;
	assert_int_equal(publish_parse(&arena, "8080", slot), 0);
	slot->why = "--publish";
	assert_int_equal(check(&policy).n, 0);
	policy.network.mode = POLICY_NETWORK_HOST;
	assert_int_equal(check(&policy).n, 1);
	assert_string_equal(check(&policy).at[0].source, "--publish");
}

static void test_srt_decides_for_itself(void **state)
{
	struct policy policy;

	(void)state;
	assert_int_equal(policy_init_srt(&policy, &arena), 0);
	sample_add(&policy.filesystem.allow_write, "/");
	sample_add(&policy.filesystem.deny_write, "/");
	policy.filesystem.disabled = true;
	assert_int_equal(check(&policy).n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_default_is_fine),    cmocka_unit_test(test_limits),    cmocka_unit_test(test_void_rules),
		cmocka_unit_test(test_what_cannot_be_written), cmocka_unit_test(test_switches),  cmocka_unit_test(test_workspace),
		cmocka_unit_test(test_srt_decides_for_itself), cmocka_unit_test(test_published),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

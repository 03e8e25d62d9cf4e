#include "policy/fault.h"

#include "unit/policy/sample.h"

static void check(struct policy_fault fault, const char *wanted)
{
	autostr struct str line;

	str_init(&line, 1 << 16);
	policy_fault_print(&fault, &line);
	assert_string_equal(line.text, wanted);
}

static void test_one_line_each(void **state)
{
	(void)state;
	check(
	    (struct policy_fault){
		.source = "settings.json", .pointer = "/limits/memory", .found = "\"12 bananas\"", .allowed = "a size such as 512M" },
	    "settings.json /limits/memory: found \"12 bananas\", allowed a size such as 512M");
	check(
	    (struct policy_fault){
		.source = "settings.json", .pointer = "/filesytem", .found = "an unknown key", .nearest = "/filesystem" },
	    "settings.json /filesytem: found an unknown key; did you mean /filesystem?");
	check((struct policy_fault){ .source = "--memory", .found = "\"x\"", .allowed = "a size" },
	      "--memory: found \"x\", allowed a size");
	check((struct policy_fault){ .source = "--write", .allowed = "opening \"/\" is no sandbox" },
	      "--write: opening \"/\" is no sandbox");
	check((struct policy_fault){ .source = "--write", .warning = true, .allowed = "be careful" }, "--write: warning: be careful");
	check((struct policy_fault){ .source = "a\nb", .pointer = "/\x1b[2J", .found = "\x07" }, "a\\nb /\\x1b[2J: found \\x07");
}

static void test_first_error_and_how_many(void **state)
{
	struct fault_vec faults = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(policy_faults_err(&faults, &err), 0);
	assert_int_equal(
	    policy_fault_add(&faults, &arena, (struct policy_fault){ .code = ERR_POLICY, .warning = true, .source = "w", .allowed = "w" }),
	    0);
	assert_int_equal(policy_faults_err(&faults, &err), 0);
	assert_int_equal(err.code, ERR_NONE);
	assert_int_equal(
	    policy_fault_add(&faults, &arena,
	                     (struct policy_fault){ .code = ERR_UNSUPPORTED, .source = "s.json", .pointer = "/a", .found = "1" }),
	    0);
	assert_int_equal(policy_faults_err(&faults, &err), -ENOTSUP);
	assert_string_equal(err.where, "s.json /a");
	assert_string_equal(err.text, "found 1");
	assert_int_equal(policy_fault_add(&faults, &arena, (struct policy_fault){ .code = ERR_POLICY, .source = "s.json", .found = "2" }),
	                 0);
	assert_int_equal(policy_faults_err(&faults, &err), -ENOTSUP);
	assert_string_equal(err.text, "found 1 (and 1 more)");
	assert_int_equal(policy_faults_err(&faults, NULL), -ENOTSUP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_line_each),
		cmocka_unit_test(test_first_error_and_how_many),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

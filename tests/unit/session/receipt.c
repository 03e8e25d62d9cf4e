#include "session/receipt.h"

#include "base/json.h"

#include "unit/plan/sample.h"

static struct arena arena;
static struct policy policy;
static const struct facts facts = { .kernel = "6.1.0", .arch = "x86_64", .memory.version = FACTS_CGROUP_V2, .user_namespaces = true };

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, 16 << 20);
	return policy_init(&policy, &arena);
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static struct receipt make(void)
{
	struct plan plan = sample_plan(&arena);
	struct receipt receipt;

	assert_int_equal(receipt_make(&plan, &policy, &facts, &arena, &receipt), 0);
	return receipt;
}

static void test_what_the_plan_shows(void **state)
{
	struct receipt receipt = make();

	(void)state;
	assert_int_equal(receipt.rung, RECEIPT_NAMESPACES);
	assert_null(receipt.why_not_first);
	assert_string_equal(receipt.workspace, "shared");
	assert_int_equal(receipt.namespaces.n, 7);
	assert_string_equal(receipt.namespaces.at[0], "user");
	assert_string_equal(receipt.limit[POLICY_LIMIT_MEMORY].backend, "cgroup2");
	assert_string_equal(receipt.limit[POLICY_LIMIT_TIMEOUT].backend, "watch");
	assert_string_equal(receipt.limit[POLICY_LIMIT_TMP].backend, "tmpfs");
	assert_null(receipt.limit[POLICY_LIMIT_CPU_TIME].backend);
	assert_int_equal(receipt.seccomp_instructions, 2);
	assert_int_equal(receipt.notes.n, 2);
	assert_int_equal(strlen(receipt.digest), 64);
}

static void test_json(void **state)
{
	struct receipt receipt = make();
	autostr struct str text;
	autojson json_t *doc = NULL;

	(void)state;
	str_init(&text, 1 << 20);
	receipt_print_json(&receipt, &text);
	assert_int_equal(json_read(text.text, text.len, "receipt", &doc, NULL), 0);
	assert_string_equal(json_string_value(json_object_get(doc, "rung")), "namespaces");
	assert_int_equal(json_array_size(json_object_get(doc, "notes")), 2);
	assert_true(json_is_null(json_object_get(doc, "why_not_first")));
	assert_string_equal(json_string_value(json_object_get(doc, "kernel")), "6.1.0");
	assert_non_null(json_object_get(json_object_get(doc, "limits"), "memory"));
	assert_null(json_object_get(json_object_get(doc, "limits"), "cpuTime"));
}

static void test_untold_says_so(void **state)
{
	(void)state;
	policy.denials = POLICY_DENIALS_OFF;

	struct receipt receipt = make();

	assert_true(receipt.untold.n >= 1);
	assert_non_null(strstr(receipt.untold.at[0], "any"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_the_plan_shows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_json, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_untold_says_so, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("session/receipt", tests, NULL, NULL);
}

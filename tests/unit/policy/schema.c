#include "policy/schema.h"

#include "base/json.h"
#include "unit/policy/sample.h"

static const char *limit_pointers[] = {
#define LIMIT(id, key, unit, initial, sentence) "/limits/" key,
#include "policy/limits.def"
#undef LIMIT
};
static const enum policy_kind limit_kinds[] = {
#define LIMIT(id, key, unit, initial, sentence) POLICY_##unit,
#include "policy/limits.def"
#undef LIMIT
};

static void test_names_are_unique(void **state)
{
	(void)state;
	for (const struct policy_field *field = policy_field_next(NULL); field; field = policy_field_next(field)) {
		assert_ptr_equal(policy_field_by_pointer(field->pointer), field);
		if (field->option)
			assert_ptr_equal(policy_field_by_option(field->option), field);
		if (field->alias)
			assert_ptr_equal(policy_field_by_option(field->alias), field);
	}
	assert_null(policy_field_by_pointer("/limits"));
	assert_null(policy_field_by_option("no-such-option"));
}

static void test_names_with_dots(void **state)
{
	(void)state;
	assert_ptr_equal(policy_field_by_name("limits.memory"), policy_field_by_pointer("/limits/memory"));
	assert_ptr_equal(policy_field_by_name("strict"), policy_field_by_pointer("/strict"));
	assert_null(policy_field_by_name("limits.memor"));
	assert_null(policy_field_by_name("limits.memoryx"));
	assert_null(policy_field_by_name("limits"));
	assert_null(policy_field_by_name(""));
}

static void test_lines_are_well_formed(void **state)
{
	(void)state;
	for (const struct policy_field *field = policy_field_next(NULL); field; field = policy_field_next(field)) {
		assert_int_equal(field->pointer[0], '/');
		assert_true(field->sentence[0]);
		assert_true(field->kind == POLICY_CHOICE ? !!field->choices : !field->choices || field->fate == POLICY_IGNORED);
		assert_true(field->fate == POLICY_SET || (!field->option && !field->alias));
		assert_true(field->fate == POLICY_SET || field->kind == POLICY_BOOL || field->kind >= POLICY_TEXT);
		assert_true(field->kind == POLICY_CHOICE ||
		            (policy_kind_info(field->kind)->allowed && policy_kind_info(field->kind)->schema));
	}
}

static const char *section(const struct policy_field *field)
{
	const char *slash = strchr(field->pointer + 1, '/');

	return arena_dup_n(&arena, field->pointer, slash ? (size_t)(slash - field->pointer) : 0);
}

/* The printer relies on it. The top level may be left and come back. */
static void test_fields_of_a_section_follow_each_other(void **state)
{
	const char *closed[16], *open = "";
	size_t n = 0;

	(void)state;
	for (const struct policy_field *field = policy_field_next(NULL); field; field = policy_field_next(field)) {
		if (strcmp(section(field), open) == 0)
			continue;
		if (*open)
			closed[n++] = open;
		open = section(field);
		for (size_t i = 0; i < n; i++)
			assert_string_not_equal(closed[i], open);
	}
}

static void test_each_limit_is_a_field(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(limit_pointers); i++) {
		const struct policy_field *field = policy_field_by_pointer(limit_pointers[i]);

		assert_non_null(field);
		assert_int_equal(field->kind, limit_kinds[i]);
		assert_int_equal(field->place, offsetof(struct policy, limit) + i * sizeof(struct policy_limit));
	}
}

/* Each example is a value that the reader takes. */
static void test_examples_are_right(void **state)
{
	(void)state;
	for (const struct policy_field *field = policy_field_next(NULL); field; field = policy_field_next(field)) {
		struct policy policy = sample_default();
		struct fault_vec faults = { 0 };
		const char *name = strrchr(field->pointer, '/') + 1, *text = arena_printf(&arena, "{\"%s\": %s}", name, field->example);

		if (*section(field))
			text = arena_printf(&arena, "{\"%s\": %s}", section(field) + 1, text);
		if (sample_read(&policy, text, POLICY_COFFER, &faults) < 0) {
			assert_int_equal(field->fate, POLICY_UNSUPPORTED);
			assert_int_equal(faults.at[0].code, ERR_UNSUPPORTED);
		}
	}
}

static void test_choices(void **state)
{
	size_t n;

	(void)state;
	assert_memory_equal(policy_choice("off|host", 0, &n), "off", 3);
	assert_int_equal(n, 3);
	assert_memory_equal(policy_choice("off|host", 1, &n), "host", 4);
	assert_int_equal(n, 4);
	assert_null(policy_choice("off|host", 2, &n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_are_unique),
		cmocka_unit_test(test_names_with_dots),
		cmocka_unit_test(test_lines_are_well_formed),
		cmocka_unit_test(test_fields_of_a_section_follow_each_other),
		cmocka_unit_test(test_each_limit_is_a_field),
		cmocka_unit_test(test_examples_are_right),
		cmocka_unit_test(test_choices),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

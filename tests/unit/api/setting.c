#include <coffer.h>

#include "base/json.h"
#include "policy/schema.h"
#include "unit/unit.h"

#include <stdio.h>

static void test_same_table_as_the_parser(void **state)
{
	size_t i = 0;

	(void)state;
	for (const struct policy_field *field = policy_field_next(NULL); field; field = policy_field_next(field)) {
		if (field->fate != POLICY_SET)
			continue;

		const struct coffer_setting *setting = coffer_setting_at(i++);

		assert_non_null(setting);
		assert_string_equal(setting->pointer, field->pointer);
		assert_ptr_equal(setting->kind == COFFER_SETTING_CHOICE, field->kind == POLICY_CHOICE);
		assert_int_equal(setting->choices != NULL, setting->kind == COFFER_SETTING_CHOICE);
	}
	assert_null(coffer_setting_at(i));
}

/* Each example is what --help and the manual show: it must be right. */
static void test_examples_can_be_set(void **state)
{
	const struct coffer_setting *setting = NULL;

	(void)state;
	for (size_t i = 0; (setting = coffer_setting_at(i)); i++) {
		char document[512];
		struct coffer_policy *policy = NULL;
		struct coffer_error error;
		const char *second = strchr(setting->pointer + 1, '/');
		int n = (int)strcspn(setting->pointer + 1, "/");
		if (strcmp(setting->pointer, "/filesystem/disabled") == 0)
			continue; /* only in srt's documents */
		if (second)
			snprintf(document, sizeof(document), "{\"%.*s\": {\"%s\": %s}}", n, setting->pointer + 1, second + 1,
			         setting->example);
		else
			snprintf(document, sizeof(document), "{\"%s\": %s}", setting->pointer + 1, setting->example);
		assert_int_equal(coffer_policy_new(&policy, &error), 0);
		if (coffer_policy_read(policy, document, strlen(document), "example", &error) < 0)
			fail_msg("%s: %s", document, error.text);
		coffer_policy_free(policy);
	}
}

static void test_options_are_unique(void **state)
{
	const struct coffer_setting *one = NULL, *two = NULL;

	(void)state;
	for (size_t i = 0; (one = coffer_setting_at(i)); i++)
		for (size_t j = 0; j < i && (two = coffer_setting_at(j)); j++) {
			if (!one->option || !two->option)
				continue;
			assert_string_not_equal(one->option, two->option);
			if (one->alias)
				assert_string_not_equal(one->alias, two->option);
		}
}

static void test_schema_is_json(void **state)
{
	char *text = NULL;
	autojson json_t *doc = NULL;

	(void)state;
	assert_int_equal(coffer_setting_schema(&text, NULL), 0);
	assert_int_equal(json_read(text, strlen(text), "schema", &doc, NULL), 0);
	assert_non_null(json_object_get(doc, "properties"));
	coffer_text_free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_table_as_the_parser),
		cmocka_unit_test(test_examples_can_be_set),
		cmocka_unit_test(test_options_are_unique),
		cmocka_unit_test(test_schema_is_json),
	};

	return cmocka_run_group_tests_name("api/setting", tests, NULL, NULL);
}

#include "plan/outcome.h"

#include "unit/unit.h"

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(outcome_cause_name(CAUSE_EXIT), "exit");
	assert_string_equal(outcome_cause_name(CAUSE_PARENT_GONE), "parent_gone");
	for (unsigned i = 0; i < CAUSES_END; i++) {
		assert_non_null(outcome_cause_name(i));
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(outcome_cause_name(i), outcome_cause_name(k));
	}
	assert_null(outcome_cause_name(CAUSES_END));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_names) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "cli/nearest.h"

#include "unit/unit.h"

static const char *guess(const char *wanted)
{
	static const char *const words[] = { "run", "explain", "why", "doctor", "memory", "timeout", "allow-write", "allow-read", "q" };
	struct nearest nearest = { .wanted = wanted };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		nearest_try(&nearest, words[i]);
	return nearest.word;
}

static void test_near(void **state)
{
	(void)state;
	assert_string_equal(guess("rnu"), "run");
	assert_string_equal(guess("explian"), "explain");
	assert_string_equal(guess("memroy"), "memory");
	assert_string_equal(guess("allow-writ"), "allow-write");
	assert_string_equal(guess("timeouts"), "timeout");
	assert_string_equal(guess("allow-r"), "allow-read");
}

static void test_far(void **state)
{
	char huge[200];

	(void)state;
	memset(huge, 'a', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	assert_null(guess("bananas"));
	assert_null(guess(""));
	assert_null(guess("z"));
	assert_null(guess(huge));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_near), cmocka_unit_test(test_far) };

	return cmocka_run_group_tests_name("cli/nearest", tests, NULL, NULL);
}

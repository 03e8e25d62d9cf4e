#include "base/nearest.h"

#include "unit/unit.h"

static void test_distance(void **state)
{
	(void)state;
	assert_int_equal(nearest_distance("", ""), 0);
	assert_int_equal(nearest_distance("a", ""), 2);
	assert_int_equal(nearest_distance("", "abc"), 6);
	assert_int_equal(nearest_distance("memory", "memory"), 0);
	assert_int_equal(nearest_distance("memry", "memory"), 2);
	assert_int_equal(nearest_distance("memorry", "memory"), 2);
	assert_int_equal(nearest_distance("memary", "memory"), 2);
	assert_int_equal(nearest_distance("allowwrite", "allowWrite"), 1); /* half a letter */
	assert_int_equal(nearest_distance("kitten", "sitting"), 6);
}

static void test_same_in_both_directions(void **state)
{
	static const char *const words[] = { "", "a", "denyRead", "denyWrite", "allowRead", "view", "filesystem" };

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		for (size_t j = 0; j < sizeof(words) / sizeof(words[0]); j++)
			assert_int_equal(nearest_distance(words[i], words[j]), nearest_distance(words[j], words[i]));
}

static void test_long_words_are_near_to_nothing(void **state)
{
	char word[NEAREST_WORD_MAX + 2];

	(void)state;
	memset(word, 'x', sizeof(word));
	word[NEAREST_WORD_MAX + 1] = '\0';
	assert_int_equal(nearest_distance(word, "x"), NEAREST_NONE);
	assert_int_equal(nearest_distance("x", word), NEAREST_NONE);
	word[NEAREST_WORD_MAX] = '\0';
	assert_int_equal(nearest_distance(word, word), 0);
}

static void test_limit_grows_with_the_word(void **state)
{
	(void)state;
	assert_int_equal(nearest_limit(3), 4);
	assert_int_equal(nearest_limit(9), 6);
	assert_int_equal(nearest_limit(30), 20);
}

static const char *guess(const char *wanted)
{
	static const char *const words[] = { "run", "explain", "why", "doctor", "memory", "timeout", "allow-write", "allow-read", "q" };
	struct nearest nearest = { .wanted = wanted };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		nearest_try(&nearest, words[i]);
	return nearest.word;
}

static void test_guess_near(void **state)
{
	(void)state;
	assert_string_equal(guess("rnu"), "run");
	assert_string_equal(guess("explian"), "explain");
	assert_string_equal(guess("memroy"), "memory");
	assert_string_equal(guess("allow-writ"), "allow-write");
	assert_string_equal(guess("timeouts"), "timeout");
	assert_string_equal(guess("allow-r"), "allow-read");
}

static void test_guess_far(void **state)
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
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_distance),
		cmocka_unit_test(test_same_in_both_directions),
		cmocka_unit_test(test_long_words_are_near_to_nothing),
		cmocka_unit_test(test_limit_grows_with_the_word),
		cmocka_unit_test(test_guess_near),
		cmocka_unit_test(test_guess_far),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "policy/nearest.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_distance),
		cmocka_unit_test(test_same_in_both_directions),
		cmocka_unit_test(test_long_words_are_near_to_nothing),
		cmocka_unit_test(test_limit_grows_with_the_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

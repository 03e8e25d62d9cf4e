#include "policy/pattern.h"

#include "base/glob.h"
#include "unit/policy/sample.h"

static void test_has_glob(void **state)
{
	static const char *const with[] = { "*", "a*", "?", "/a/[b]", "[", "a/**/b" };
	static const char *const without[] = { "", "/", "/a", "a]", "\\*", "/a\\?b", "\\[a]", "a\\\\" };

	(void)state;
	for (size_t i = 0; i < COUNT(with); i++)
		assert_true(pattern_has_glob(with[i]));
	for (size_t i = 0; i < COUNT(without); i++)
		assert_false(pattern_has_glob(without[i]));
}

static void test_quoted_matches_itself_alone(void **state)
{
	static const char *const paths[] = { "/",   "/a",    "/a b",  "/a*",       "/[id]/x",    "/a?b",     "/a\\b",
		                             "/**", "/[!a]", "/a\nb", "/\xff\xfe", "/[a-z]*?\\", "/list[]/x" };

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		const char *quoted = pattern_quote(&arena, paths[i]);

		assert_false(pattern_has_glob(quoted));
		assert_true(glob_match(quoted, paths[i]));
		assert_string_equal(pattern_top(&arena, quoted), paths[i]);
		for (size_t j = 0; j < COUNT(paths); j++)
			assert_int_equal(glob_match(quoted, paths[j]), i == j);
	}
}

static void check_top(const char *pattern, const char *top)
{
	assert_string_equal(pattern_top(&arena, pattern), top);
}

static void test_top(void **state)
{
	(void)state;
	check_top("/*", "/");
	check_top("/**/x", "/");
	check_top("/a/*.c", "/a");
	check_top("/a/b/[cd]/e", "/a/b");
	check_top("/a/b?/c", "/a");
	check_top("/a\\*/b/*", "/a*/b");
	check_top("/\\[id\\]/x/**", "/[id]/x");
	check_top("/a/b", "/a/b");
	check_top("/a\\/b/*", "/a\\/b"); /* a backslash before a slash, or at the end, stands for itself */
	check_top("/a\\", "/a\\");
}

static void check_trim(const char *text, const char *wanted)
{
	assert_string_equal(pattern_trim(&arena, text), wanted);
}

static void test_trim(void **state)
{
	(void)state;
	check_trim("a", "a");
	check_trim("a/", "a");
	check_trim("a///", "a");
	check_trim("a/**", "a");
	check_trim("a/**/", "a");
	check_trim("a/**/**", "a");
	check_trim("a/*/**", "a/*");
	check_trim("a**", "a**");
	check_trim("/", "/");
	check_trim("/**", "/");
	check_trim("//", "/");
	check_trim("**", ".");
	check_trim("**/", ".");
	check_trim("~/**", "~");
	check_trim("**/x", "**/x");
}

static void check_false_sets(const char *text, const char *wanted)
{
	assert_string_equal(pattern_quote_false_sets(&arena, text), wanted);
}

static void test_false_sets(void **state)
{
	(void)state;
	check_false_sets("a", "a");
	check_false_sets("[ab]", "[ab]");
	check_false_sets("[!ab]", "[!ab]");
	check_false_sets("[a-z]", "[a-z]");
	check_false_sets("[]a]", "[]a]");
	check_false_sets("[user-id]", "\\[user-id]"); /* r-i goes backwards */
	check_false_sets("list[].ts", "list\\[].ts");
	check_false_sets("a[b", "a\\[b");
	check_false_sets("a[b/c]", "a\\[b/c]");
	check_false_sets("\\[a]", "\\[a]");
	check_false_sets("[a][", "[a]\\[");
	check_false_sets("[", "\\[");
	check_false_sets("a\\", "a\\");
	check_false_sets("[a\\/b]", "\\[a\\/b]");
}

static void test_climbs(void **state)
{
	(void)state;
	assert_true(pattern_climbs("*/.."));
	assert_true(pattern_climbs("/a/**/../b"));
	assert_true(pattern_climbs("[ab]/x/../c"));
	assert_false(pattern_climbs("../*"));
	assert_false(pattern_climbs("/a/../b/*"));
	assert_false(pattern_climbs("*/..x"));
	assert_false(pattern_climbs("a\\*/.."));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_has_glob),   cmocka_unit_test(test_quoted_matches_itself_alone),
		cmocka_unit_test(test_top),        cmocka_unit_test(test_trim),
		cmocka_unit_test(test_false_sets), cmocka_unit_test(test_climbs),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

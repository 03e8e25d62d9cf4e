#include "base/glob.h"

#include "unit/unit.h"

#include <time.h>

static void test_is_pattern(void **state)
{
	static const char *const patterns[] = { "*", "/a/*", "/a?", "/[ab]", "/[!a]", "/**/x", "/a\\b", "/[]]", "/a/b/c/[x-z]" };
	static const char *const literals[] = { "", "/", "/a/b", "/a[", "/a[b", "/a]b", "/[]", "/[!]", "/a\\", "/[a/b]", "/a-b!c" };

	(void)state;
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		assert_true(glob_is_pattern(patterns[i]));
	for (size_t i = 0; i < sizeof(literals) / sizeof(literals[0]); i++)
		assert_false(glob_is_pattern(literals[i]));
}

static const struct {
	const char *pattern, *path;
	bool matches, covers;
} cases[] = {
	{ "/", "/", true, true },
	{ "/", "/a", false, true },
	{ "/a", "/a", true, true },
	{ "/a", "/a/b", false, true },
	{ "/a", "/ab", false, false },
	{ "/a/b", "/a", false, false },
	{ "/*", "/a", true, true },
	{ "/*", "/.a", true, true },
	{ "/*", "/", false, false },
	{ "/*", "/a/b", false, true },
	{ "/a*", "/a", true, true },
	{ "/a*c", "/abbbc", true, true },
	{ "/a*c", "/ab/c", false, false },
	{ "/*a*b*", "/xxaxxbxx", true, true },
	{ "/*a*b*", "/xxbxxaxx", false, false },
	{ "/?", "/a", true, true },
	{ "/?", "/", false, false },
	{ "/?", "/ab", false, false },
	{ "/a?b", "/a/b", false, false },
	{ "/**", "/", true, true },
	{ "/**", "/a/b/c", true, true },
	{ "/a/**", "/a", true, true },
	{ "/a/**", "/a/b/c", true, true },
	{ "/a/**", "/ab", false, false },
	{ "/**/c", "/c", true, true },
	{ "/**/c", "/a/b/c", true, true },
	{ "/**/c", "/a/b/cc", false, false },
	{ "/**/c", "/a/c/d", false, true },
	{ "/a/**/b", "/a/b", true, true },
	{ "/a/**/b", "/a/x/y/b", true, true },
	{ "/a/**/b", "/a/x/y/b/z", false, true },
	{ "/a/**/b/**/c", "/a/b/b/c/c", true, true },
	{ "/a/**/b/c", "/a/b/x/b/c", true, true },
	{ "/**/**/a", "/a", true, true },
	{ "/**/a/b", "/a/a/b", true, true },
	{ "/**/*.pem", "/etc/ssl/key.pem", true, true },
	{ "/a**b", "/axxb", true, true }, /* not a whole component: two plain stars */
	{ "/a**b", "/ax/b", false, false },
	{ "/**a", "/xa", true, true },
	{ "/***", "/a", true, true },
	{ "/***", "/a/b", false, true },
	{ "/[abc]", "/b", true, true },
	{ "/[abc]", "/d", false, false },
	{ "/[a-c]x", "/bx", true, true },
	{ "/[!a-c]", "/d", true, true },
	{ "/[!a-c]", "/b", false, false },
	{ "/[a-]", "/-", true, true },
	{ "/[-a]", "/-", true, true },
	{ "/[c-a]", "/b", false, false },
	{ "/[]a]", "/]", true, true },
	{ "/[!]a]", "/]", false, false },
	{ "/[!]a]", "/b", true, true },
	{ "/[\\]]", "/]", true, true },
	{ "/[\\!a]", "/!", true, true },
	{ "/[a-\\]]", "/]", false, false }, /* from 'a' down to ']' there is nothing */
	{ "/[[]", "/[", true, true },
	{ "/[[-a]", "/]", true, true },
	{ "/[a", "/[a", true, true }, /* no set: literal text */
	{ "/[]", "/[]", true, true },
	{ "/[!]", "/[!]", true, true },
	{ "/[a/b]", "/[a/b]", true, true },
	{ "/[a/b]", "/a", false, false },
	{ "/x[", "/x[", true, true },
	{ "/*[", "/ab[", true, true },
	{ "/[!a]", "/a/", false, false },
	{ "/\\*", "/*", true, true },
	{ "/\\*", "/a", false, false },
	{ "/a\\b", "/ab", true, true },
	{ "/a\\\\b", "/a\\b", true, true },
	{ "/a\\", "/a\\", true, true },
	{ "/[\x80-\xff]", "/\xc3", true, true }, /* bytes, not signed chars */
	{ "/A", "/a", false, false },
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (glob_match(cases[i].pattern, cases[i].path) != cases[i].matches)
			fail_msg("glob_match %s %s", cases[i].pattern, cases[i].path);
		if (glob_covers(cases[i].pattern, cases[i].path) != cases[i].covers)
			fail_msg("glob_covers %s %s", cases[i].pattern, cases[i].path);
	}
}

static void test_may_match_below(void **state)
{
	static const struct {
		const char *pattern, *dir;
		bool may;
	} below[] = {
		{ "/a/*", "/", true },       { "/a/*", "/a", true },        { "/a/*", "/b", false },     { "/a/*", "/a/b", false },
		{ "/**/x", "/p/q/r", true }, { "/a/**/x", "/a/q/r", true }, { "/a/**", "/a", true },     { "/a/**", "/b", false },
		{ "/*/b/*", "/x", true },    { "/*/b/*", "/x/b", true },    { "/*/b/*", "/x/c", false }, { "/", "/", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++)
		if (glob_may_match_below(below[i].pattern, below[i].dir) != below[i].may)
			fail_msg("%s below %s", below[i].pattern, below[i].dir);
}

static void test_literal_top(void **state)
{
	static const struct {
		const char *pattern;
		size_t top;
	} tops[] = {
		{ "/*", 1 }, { "/**/x", 1 }, { "/a/*", 2 }, { "/a/b*c/d", 2 }, { "/a/b/[x]", 4 }, { "/a/b[", 5 }, { "/", 1 }, { "/a/b", 4 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(tops) / sizeof(tops[0]); i++)
		assert_int_equal(glob_literal_top(tops[i].pattern), tops[i].top);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void fill(char *text, size_t n, const char *unit)
{
	size_t step = strlen(unit);

	for (size_t i = 0; i < n; i++)
		text[i] = unit[i % step];
	text[0] = '/';
	text[n] = '\0';
}

/* The patterns that make a backtracking matcher take years. */
static void test_worst_cases_take_no_time(void **state)
{
	static const char *const patterns[] = { "*a", "*a*",     "**/", "/**/a", "a*",   "[a]*",  "[",
		                                "*[", "[!b-z]*", "?*",  "*?",    "\\a*", "/**/*a" };
	static char pattern[4096], path[4096];
	double start = seconds();

	(void)state;
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		fill(pattern, 4000, patterns[i]);
		memcpy(pattern + 3998, "/b", 3);
		fill(path, 4095, "a");
		glob_match(pattern, path);
		glob_covers(pattern, path);
		fill(path, 4095, "a/");
		glob_match(pattern, path);
		glob_covers(pattern, path);
		glob_may_match_below(pattern, path);
		glob_is_pattern(pattern);
	}
	assert_true(seconds() - start < 20); /* with sanitizers; a second without */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_pattern),
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_may_match_below),
		cmocka_unit_test(test_literal_top),
		cmocka_unit_test(test_worst_cases_take_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

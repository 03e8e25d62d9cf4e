#include "base/regex.h"

#include "unit/unit.h"

#include <errno.h>
#include <string.h>
#include <time.h>

static struct arena arena;

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, 64 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

/* found, and the group: NULL where there is none. */
static void check(const char *pattern, const char *text, const char *found, const char *group)
{
	struct regex_match match;
	struct regex *regex;
	const char *fault = NULL;
	bool is;

	if (regex_compile(pattern, &arena, &regex, &fault) < 0)
		fail_msg("/%s/ %s", pattern, fault);
	is = regex_find(regex, text, strlen(text), 0, &match);
	if (is != (found != NULL))
		fail_msg("/%s/ in %s", pattern, text);
	if (!is)
		return;
	if (match.end - match.start != strlen(found) || memcmp(text + match.start, found, strlen(found)) != 0)
		fail_msg("/%s/ in %s: %.*s", pattern, text, (int)(match.end - match.start), text + match.start);
	if ((match.group_start != REGEX_NONE) != (group != NULL))
		fail_msg("/%s/ in %s: group", pattern, text);
	if (group && (match.group_end - match.group_start != strlen(group) || memcmp(text + match.group_start, group, strlen(group)) != 0))
		fail_msg("/%s/ in %s: group %.*s", pattern, text, (int)(match.group_end - match.group_start), text + match.group_start);
}

/* As JavaScript has them. */
static void test_matches(void **state)
{
	(void)state;
	check("a", "bab", "a", NULL);
	check("", "x", "", NULL);
	check("token: (\\S+)", "x token: abc def", "token: abc", "abc");
	check("\"token\":\\s*\"([^\"]+)\"", "{\"token\":  \"s3cret\", \"b\": \"c\"}", "\"token\":  \"s3cret\"", "s3cret");
	check("(a|ab)(c|bcd)", "abcd", "abcd", "a");
	check("(?:x|y)(z)", "yz", "yz", "z");
	check("a+?", "aaa", "a", NULL);
	check("(a*)b", "aaab", "aaab", "aaa");
	check("(a*?)b", "aaab", "aaab", "aaa");
	check("<(.*?)>", "<a><b>", "<a>", "a");
	check("<(.*)>", "<a><b>", "<a><b>", "a><b");
	check("^b", "ab", NULL, NULL);
	check("^a$", "a", "a", NULL);
	check("^a$", "a\n", NULL, NULL);
	check("a.c", "a\nc", NULL, NULL);
	check("\\bfoo\\b", "a foo.", "foo", NULL);
	check("\\bfoo\\b", "afoo", NULL, NULL);
	check("\\Boo", "foo", "oo", NULL);
	check("[a-c\\d_-]+", "xx-b_7xx", "-b_7", NULL);
	check("[^\\n]+", "\nab\n", "ab", NULL);
	check("[]]", "]", NULL, NULL); /* an empty set, then a bracket */
	check("a{2}", "aaa", "aa", NULL);
	check("a{2,}", "aaaa", "aaaa", NULL);
	check("a{0,2}b", "aaab", "aab", NULL);
	check("(?:ab){2,3}?", "ababab", "abab", NULL);
	check("a{x", "a{x", "a{x", NULL);
	check("(a)?b", "b", "b", NULL);
	check("(x+x+)+y", "xxxxy", "xxxxy", "xxxx");
	check("(a*)*", "aa", "aa", "aa");
	check("\\x41\\.\\/", "A./", "A./", NULL);
	check("(eyJ[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+)", "x=eyJh.eyJz.c2ln;", "eyJh.eyJz.c2ln", "eyJh.eyJz.c2ln");
}

static void test_faults(void **state)
{
	static const char *const bad[] = { "(",     "a)",     "[a",      "*a", "a**", "(?=a)", "(?<x>a)",       "\\1",   "\\k",
		                           "[b-a]", "a{5,2}", "a{2000}", "\\", "[\\", "(?",    "(a{900}){900}", "\\p{L}" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct regex *regex;
		const char *fault = NULL;

		if (regex_compile(bad[i], &arena, &regex, &fault) != -EINVAL || !fault)
			fail_msg("/%s/", bad[i]);
	}
}

/* What makes a backtracking search last for ever. */
static void test_no_expression_is_slow(void **state)
{
	static char text[20001];
	struct regex_match match;
	struct regex *regex;
	const char *fault;
	clock_t start = clock();

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	assert_int_equal(regex_compile("(?:a+)+(?:a+)+b", &arena, &regex, &fault), 0);
	assert_false(regex_find(regex, text, sizeof(text) - 1, 0, &match));
	assert_true((clock() - start) / CLOCKS_PER_SEC < 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_no_expression_is_slow),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

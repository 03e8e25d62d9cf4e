#include "base/path.h"

#include "unit/unit.h"

#include <stdlib.h>

static struct arena arena;

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, 1 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static void test_is_normal(void **state)
{
	static const char *const good[] = { "/", "/a", "/a/b", "/...", "/.a", "/a.", "/..a", "/a b", "/\xff", "/~" };
	static const char *const bad[] = { "",     "a",     "a/b",    "//",      "/a/", "/a//b", "/.", "/..",
		                           "/a/.", "/a/..", "/a/./b", "/a/../b", "//a", "./a",   "~" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(path_is_normal(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(path_is_normal(bad[i]));
}

static void check(const char *text, const char *base, const char *home, const char *wanted)
{
	const char *path = NULL;

	assert_int_equal(path_normalize(&arena, text, base, home, &path), 0);
	assert_string_equal(path, wanted);
	assert_true(path_is_normal(path));
}

static void test_normalize(void **state)
{
	(void)state;
	check("/", "/base", "/home/u", "/");
	check("////", "/base", "/home/u", "/");
	check("/.", "/base", NULL, "/");
	check("/a//b/./c/", "/base", NULL, "/a/b/c");
	check("/a/../b", "/base", NULL, "/b");
	check("/a/b/../..", "/base", NULL, "/");
	check("a", "/base", NULL, "/base/a");
	check("./a", "/base", NULL, "/base/a");
	check(".", "/base", NULL, "/base");
	check("..", "/base", NULL, "/");
	check("../x", "/base/sub", NULL, "/base/x");
	check("a", "/", NULL, "/a");
	check("~", "/base", "/home/u", "/home/u");
	check("~/", "/base", "/home/u", "/home/u");
	check("~/.ssh", "/base", "/home/u", "/home/u/.ssh");
	check("~/../v", "/base", "/home/u", "/home/v");
	check("~", "/base", "/", "/");
	check("a~", "/base", "/home/u", "/base/a~");
	check("./~", "/base", "/home/u", "/base/~");
	check("/~user", "/base", NULL, "/~user");
	check("...", "/base", NULL, "/base/...");
	check("..a/.b", "/base", NULL, "/base/..a/.b");
}

static void test_normalize_refuses(void **state)
{
	static const struct {
		const char *text, *base, *home;
	} bad[] = {
		{ "", "/base", "/home/u" },      { "~", "/base", NULL },
		{ "~/x", "/base", NULL },        { "~root", "/base", "/home/u" },
		{ "/..", "/base", "/home/u" },   { "/a/../..", "/base", "/home/u" },
		{ "../..", "/base", "/home/u" }, { "~/../../..", "/base", "/home/u" },
	};
	const char *path = "untouched";

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(path_normalize(&arena, bad[i].text, bad[i].base, bad[i].home, &path), -EINVAL);
	assert_string_equal(path, "untouched");
}

/* n components of `name`, each with a slash in front. */
static char *repeat(const char *name, size_t n)
{
	char *text = arena_alloc(&arena, n * (strlen(name) + 1) + 1);

	for (size_t i = 0, at = 0; i < n; i++) {
		text[at++] = '/';
		memcpy(text + at, name, strlen(name));
		at += strlen(name);
	}
	return text;
}

static void test_lengths(void **state)
{
	const char *path = NULL;
	char name[PATH_NAME_MAX + 3];

	(void)state;
	memset(name, 'n', sizeof(name));
	name[0] = '/';
	name[PATH_NAME_MAX + 1] = '\0';
	assert_int_equal(path_normalize(&arena, name, "/", NULL, &path), 0);
	name[PATH_NAME_MAX + 1] = 'n';
	name[PATH_NAME_MAX + 2] = '\0';
	assert_int_equal(path_normalize(&arena, name, "/", NULL, &path), -ENAMETOOLONG);

	const char *longest = repeat("abcd", PATH_BYTES_MAX / 5); /* 819 × 5 = 4095 */

	assert_int_equal(strlen(longest), PATH_BYTES_MAX);
	assert_int_equal(path_normalize(&arena, longest, "/", NULL, &path), 0);
	assert_string_equal(path, longest);
	assert_int_equal(path_normalize(&arena, "x", longest, NULL, &path), -ENAMETOOLONG);
	assert_int_equal(path_normalize(&arena, "..", longest, NULL, &path), 0);
	assert_int_equal(path_normalize(&arena, repeat("a", PATH_DEPTH_MAX - 1), "/", NULL, &path), 0);
	assert_int_equal(path_normalize(&arena, repeat("a", PATH_DEPTH_MAX), "/", NULL, &path), -ENAMETOOLONG);
	/* Long text, short path: only the result counts. */
	assert_int_equal(path_normalize(&arena, repeat(".", 5000), "/", NULL, &path), 0);
	assert_string_equal(path, "/");
}

static void test_out_of_memory(void **state)
{
	struct arena none = { 0 };
	const char *path = NULL;

	(void)state;
	assert_int_equal(path_normalize(&none, "/a", "/", NULL, &path), -ENOMEM);
	assert_null(path);
	assert_null(path_parent(&none, "/a/b"));
	assert_null(path_join(&none, "/a", "b"));
}

static void test_within(void **state)
{
	(void)state;
	assert_true(path_within("/a", "/a"));
	assert_true(path_within("/a/b", "/a"));
	assert_true(path_within("/a", "/"));
	assert_true(path_within("/", "/"));
	assert_false(path_within("/ab", "/a"));
	assert_false(path_within("/a", "/a/b"));
	assert_false(path_within("/", "/a"));
	assert_false(path_within("/b/a", "/a"));
	assert_string_equal(path_below("/a/b/c", "/a"), "b/c");
	assert_string_equal(path_below("/a", "/a"), "");
	assert_string_equal(path_below("/a/b", "/"), "a/b");
	assert_string_equal(path_below("/", "/"), "");
	assert_null(path_below("/abc", "/ab"));
}

static void test_parts(void **state)
{
	(void)state;
	assert_string_equal(path_name("/a/b"), "b");
	assert_string_equal(path_name("/a"), "a");
	assert_string_equal(path_name("/"), "");
	assert_string_equal(path_parent(&arena, "/a/b"), "/a");
	assert_string_equal(path_parent(&arena, "/a"), "/");
	assert_string_equal(path_parent(&arena, "/"), "/");
	assert_string_equal(path_join(&arena, "/a", "b/c"), "/a/b/c");
	assert_string_equal(path_join(&arena, "/", "b"), "/b");
	assert_string_equal(path_join(&arena, "/a", ""), "/a");
	assert_string_equal(path_join(&arena, "/", ""), "/");

	const char *longest = repeat("abcd", PATH_BYTES_MAX / 5);

	assert_null(path_join(&arena, longest, "x"));
	assert_null(path_join(&arena, "/x", longest));
	assert_string_equal(path_join(&arena, longest, ""), longest);
	assert_string_equal(path_join(&arena, "/", longest + 1), longest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_normal), cmocka_unit_test(test_normalize),     cmocka_unit_test(test_normalize_refuses),
		cmocka_unit_test(test_lengths),   cmocka_unit_test(test_out_of_memory), cmocka_unit_test(test_within),
		cmocka_unit_test(test_parts),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

#include "egress/target.h"

#include "unit/unit.h"

static struct target target;

static void check(const char *path, const char *plain, bool ambiguous, const char *normalized)
{
	if (target_read((struct head_text){ path, strlen(path) }, &target) < 0)
		fail_msg("%s", path);
	if (target.ambiguous != ambiguous || strcmp(target.plain, plain) != 0 || strcmp(target.normalized, normalized) != 0)
		fail_msg("%s: %s %s %d", path, target.plain, target.normalized, target.ambiguous);
}

static void test_readings(void **state)
{
	(void)state;
	check("/a/b?c=../d", "/a/b", false, "/a/b?c=../d");
	check("", "/", false, "/");
	check("?q", "/", false, "/?q");
	check("/a/../b", "/b", true, "/b");
	check("/a/./b/", "/a/b/", true, "/a/b/");
	check("/../../x", "/x", true, "/x");
	check("/a/%2e%2E/b", "/b", true, "/b");
	check("/a/.%2e", "/", true, "/");
	check("/a/..;x=y/b", "/b", true, "/b");
	check("/a/%2e%2e;/b", "/b", true, "/b");
	check("/a/.;/b", "/a/b", true, "/a/b");
	check("/a/..;", "/", true, "/");
	check("/a/..", "/", true, "/");
	check("/a/...", "/a/...", false, "/a/...");
	check("//a", "/a", true, "/a");
	check("/.//a", "/a", true, "/a");
	check("/\\a", "/a", true, "/a");
	check("/a\\..\\b", "/b", true, "/b");
	check("/a//b", "/a/b", false, "/a//b");
	check("/%61dmin", "/admin", false, "/%61dmin");
	check("/a%2f..%2fb", "/b", false, "/a%2f..%2fb");
	check("/%252e%252e/", "/", false, "/%252e%252e/"); /* for those who decode twice */
	check("/%zz%", "/%zz%", false, "/%zz%");
	assert_int_equal(target_read((struct head_text){ "/a%00b", 6 }, &target), -EINVAL);
	assert_int_equal(target_read((struct head_text){ "a", 1 }, &target), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_readings) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

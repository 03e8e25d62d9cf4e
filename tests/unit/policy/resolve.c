#include "policy/policy.h"

#include "unit/policy/sample.h"

/* What one entry of denyWrite becomes: "path" or "path glob". */
static void check(const char *text, bool literal, const char *path, const char *glob)
{
	struct policy policy = sample_plain();

	assert_int_equal(policy_add_rule(&arena, &policy.filesystem.deny_write, text, literal, "test"), 0);
	sample_resolve(&policy);
	assert_string_equal(policy.filesystem.deny_write.at[0].path, path);
	if (glob)
		assert_string_equal(policy.filesystem.deny_write.at[0].glob, glob);
	else
		assert_null(policy.filesystem.deny_write.at[0].glob);
}

static void test_names(void **state)
{
	(void)state;
	check("/a", false, "/a", NULL);
	check("/a/", false, "/a", NULL);
	check("/a//b/./c", false, "/a/b/c", NULL);
	check("/a/../b", false, "/b", NULL);
	check("x", false, "/home/u/w/x", NULL);
	check("./x", false, "/home/u/w/x", NULL);
	check(".", false, "/home/u/w", NULL);
	check("..", false, "/home/u", NULL);
	check("../x/", false, "/home/u/x", NULL);
	check("~", false, "/home/u", NULL);
	check("~/", false, "/home/u", NULL);
	check("~/.ssh", false, "/home/u/.ssh", NULL);
	check("a~", false, "/home/u/w/a~", NULL);
	check("a b", false, "/home/u/w/a b", NULL);
	check("a\nb", false, "/home/u/w/a\nb", NULL);
	check("\xff", false, "/home/u/w/\xff", NULL);
	check("/", false, "/", NULL);
	check("-rf", false, "/home/u/w/-rf", NULL);
	check("back\\slash", false, "/home/u/w/back\\slash", NULL);
}

static void test_trailing_stars_say_nothing(void **state)
{
	(void)state;
	check("src/**", false, "/home/u/w/src", NULL);
	check("/a/**", false, "/a", NULL);
	check("**", false, "/home/u/w", NULL);
	check("/**", false, "/", NULL);
	check("~/**", false, "/home/u", NULL);
}

static void test_patterns(void **state)
{
	(void)state;
	check("*.pem", false, "/home/u/w", "/home/u/w/*.pem");
	check("**/*.pem", false, "/home/u/w", "/home/u/w/**/*.pem");
	check("/etc/*/x?", false, "/etc", "/etc/*/x?");
	check("~/.[a-c]*", false, "/home/u", "/home/u/.[a-c]*");
	check("../*.c", false, "/home/u", "/home/u/*.c");
	check("a/*/**", false, "/home/u/w/a", "/home/u/w/a/*");
	check("a/*/", false, "/home/u/w/a", "/home/u/w/a/*");
	check("a\\**", false, "/home/u/w", "/home/u/w/a\\**");
}

static void test_text_with_glob_characters_as_a_name(void **state)
{
	(void)state;
	check("app/[id]", true, "/home/u/w/app/[id]", NULL);
	check("*.pem", true, "/home/u/w/*.pem", NULL);
	check("src/**", true, "/home/u/w/src/**", NULL);
	check("x/", true, "/home/u/w/x", NULL);
	check("[user-id]", false, "/home/u/w/[user-id]", NULL);
	check("list[].ts", false, "/home/u/w/list[].ts", NULL);
	check("a[b", false, "/home/u/w/a[b", NULL);
}

static void test_pattern_is_also_the_name_that_it_spells(void **state)
{
	struct policy policy = sample_plain();

	(void)state;
	sample_add(&policy.filesystem.deny_write, "app/[id]");
	sample_add(&policy.filesystem.deny_read, "*.pem");
	sample_add(&policy.filesystem.allow_write, ".");
	sample_resolve(&policy);
	assert_access(&policy, "/home/u/w/app/i", true, false);
	assert_access(&policy, "/home/u/w/app/d/x", true, false);
	assert_access(&policy, "/home/u/w/app/[id]", true, false);
	assert_access(&policy, "/home/u/w/app/[id]/x", true, false);
	assert_access(&policy, "/home/u/w/app/id", true, true);
	assert_access(&policy, "/home/u/w/*.pem", false, false);
	assert_int_equal(policy.filesystem.deny_read.n, 1); /* which matches its own name */
}

static void test_directories_with_glob_characters_are_no_patterns(void **state)
{
	struct policy policy = sample_plain();

	(void)state;
	sample_add(&policy.filesystem.allow_write, "*.log");
	sample_add(&policy.filesystem.deny_read, "~/x?");
	sample_resolve_at(&policy, "/w/[id]*", "/home/[ab]");
	assert_access(&policy, "/w/[id]*/a.log", true, true);
	assert_access(&policy, "/w/i/a.log", true, false);
	assert_access(&policy, "/home/[ab]/x1", false, false);
	assert_access(&policy, "/home/a/x1", true, false);
	assert_string_equal(policy.filesystem.allow_write.at[0].path, "/w/[id]*");
}

static void refuse(const char *text, bool deny, const char *home, const char *part)
{
	struct policy policy = sample_plain();
	struct rule_vec *list = deny ? &policy.filesystem.deny_read : &policy.filesystem.allow_read;
	struct err err = { 0 };
	int r;

	assert_int_equal(policy_add_rule(&arena, list, text, false, "settings.json /filesystem/denyRead/0"), 0);
	r = policy_resolve(&policy, &arena, "/home/u/w", home, &err);
	assert_true(r < 0);
	assert_int_equal(err.code, ERR_POLICY);
	assert_string_equal(err.where, "settings.json /filesystem/denyRead/0");
	assert_non_null(strstr(err.text, part));
	assert_null(list->at[0].path); /* nothing happened */
	assert_null(policy.workspace.path);
}

static void test_what_cannot_be(void **state)
{
	char long_path[5000], long_name[400];

	(void)state;
	memset(long_path, 'a', sizeof(long_path));
	for (size_t i = 0; i < sizeof(long_path); i += 100)
		long_path[i] = '/';
	long_path[sizeof(long_path) - 1] = '\0';
	memset(long_name, 'b', sizeof(long_name));
	long_name[sizeof(long_name) - 1] = '\0';
	refuse("", false, "/home/u", "empty");
	refuse("../../../..", false, "/home/u", "leaves the root");
	refuse("/..", false, "/home/u", "leaves the root");
	refuse("../../../../*", false, "/home/u", "leaves the root");
	refuse("~root/x", false, "/home/u", "another user's home");
	refuse("~root/*", false, "/home/u", "another user's home");
	refuse("~", false, NULL, "no home");
	refuse("~/x", true, NULL, "no home");
	refuse(long_path, false, "/home/u", "too long");
	refuse(long_name, true, "/home/u", "too long");
	refuse("*/..", false, "/home/u", "\"..\" after a pattern");
	refuse("/**/secrets/", true, "/home/u", "drop the last slash");
	refuse("/a/**/", true, "/home/u", "drop the last slash");
	refuse("/a/*/", true, "/home/u", "drop the last slash");
}

static void test_inert_is_for_rooted_denials_alone(void **state)
{
	(void)state;
	check("*/", false, "/home/u/w", "/home/u/w/*");
	check("~/*/", false, "/home/u", "/home/u/*");
	check("/a/", false, "/a", NULL);

	struct policy policy = sample_plain();

	sample_add(&policy.filesystem.allow_write, "/a/*/");
	sample_resolve(&policy);
	assert_string_equal(policy.filesystem.allow_write.at[0].glob, "/a/*");
}

static void test_again_changes_nothing(void **state)
{
	struct policy policy = sample_default(), once;

	(void)state;
	sample_add(&policy.filesystem.allow_write, ".");
	sample_add(&policy.filesystem.allow_read, "[ab]");
	sample_resolve(&policy);
	once = policy;
	sample_resolve(&policy);
	assert_int_equal(policy.filesystem.deny_write.n, once.filesystem.deny_write.n);
	assert_int_equal(policy.filesystem.allow_read.n, once.filesystem.allow_read.n);
	assert_int_equal(policy.filesystem.deny_read.n, once.filesystem.deny_read.n);
	for (size_t i = 0; i < policy.filesystem.deny_write.n; i++)
		assert_string_equal(policy.filesystem.deny_write.at[i].path, once.filesystem.deny_write.at[i].path);
}

static void test_workspace(void **state)
{
	struct policy policy = sample_default();

	(void)state;
	sample_resolve(&policy);
	assert_string_equal(policy.workspace.path, "/home/u/w");
	policy.workspace.text = "~/other/../else";
	policy.workspace.why = "--workspace";
	sample_resolve(&policy);
	assert_string_equal(policy.workspace.path, "/home/u/else");
	assert_access(&policy, "/home/u/else/x", true, false);
	assert_access(&policy, "/home/u/w/x", false, false);
}

static void test_directories_have_to_be_normal(void **state)
{
	struct policy policy = sample_plain();
	struct err err = { 0 };

	(void)state;
	assert_true(policy_resolve(&policy, &arena, "w", "/home/u", &err) < 0);
	assert_int_equal(err.code, ERR_USAGE);
	assert_true(policy_resolve(&policy, &arena, "/w/", "/home/u", &err) < 0);
	assert_true(policy_resolve(&policy, &arena, "/w", "home", &err) < 0);
}

static void test_too_little_memory_is_an_error(void **state)
{
	(void)state;
	for (size_t ceiling = 0; ceiling < 40000; ceiling += 997) {
		struct policy policy = sample_default();
		struct arena small;
		struct err err = { 0 };
		int r;

		sample_add(&policy.filesystem.allow_write, ".");
		arena_init(&small, ceiling);
		r = policy_resolve(&policy, &small, "/home/u/w", "/home/u", &err);
		assert_true(r == 0 || (r == -ENOMEM && err.code == ERR_LIMIT && !policy.workspace.path));
		arena_done(&small);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_trailing_stars_say_nothing),
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_text_with_glob_characters_as_a_name),
		cmocka_unit_test(test_pattern_is_also_the_name_that_it_spells),
		cmocka_unit_test(test_directories_with_glob_characters_are_no_patterns),
		cmocka_unit_test(test_what_cannot_be),
		cmocka_unit_test(test_inert_is_for_rooted_denials_alone),
		cmocka_unit_test(test_again_changes_nothing),
		cmocka_unit_test(test_workspace),
		cmocka_unit_test(test_directories_have_to_be_normal),
		cmocka_unit_test(test_too_little_memory_is_an_error),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

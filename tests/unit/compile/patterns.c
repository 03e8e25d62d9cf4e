#include "compile/patterns.h"

#include "plan/rules.h"
#include "unit/compile/world.h"

static bool acts(const struct world *w)
{
	return plan_number(world_find(w, OP_INIT, NULL), 1) & PLAN_INIT_ACT;
}

static bool acts_on_opens(const struct world *w)
{
	return plan_number(world_find(w, OP_INIT, NULL), 1) & PLAN_INIT_ACT_OPENS;
}

static size_t lines(const struct world *w)
{
	return plan_list_count(&w->plan, world_find(w, OP_INIT, NULL), 3);
}

static bool forbids(const struct world *w, const char *path)
{
	const struct rules rules = { &w->plan, world_find(w, OP_INIT, NULL) };

	return rules_name(&rules, path, false);
}

static void test_nothing_to_guard_where_nothing_is_writable(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_deny_write(&w, "later");
	assert_int_equal(world_compile(&w), 0);
	assert_false(acts(&w) || acts_on_opens(&w));
	assert_int_equal(lines(&w), 0);
	world_done(&w);
}

static void test_the_table_guards_absent_names(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_allow_write(&w, ".");
	assert_int_equal(world_compile(&w), 0);
	assert_true(acts(&w) && !acts_on_opens(&w));
	assert_true(forbids(&w, "/home/u/ws/.git/hooks/pre-commit"));
	assert_true(forbids(&w, "/home/u/ws/new/.git/hooks/pre-commit"));
	assert_true(forbids(&w, "/home/u/ws/new/.git/config"));
	assert_true(forbids(&w, "/home/u/ws/.vscode/tasks.json"));
	assert_true(forbids(&w, "/home/u/ws/new/.git")); /* a file there sends git elsewhere */
	assert_false(forbids(&w, "/home/u/ws/.git/hooks/pre-commit.sample"));
	assert_false(forbids(&w, "/home/u/ws/.git/index.lock"));
	assert_false(forbids(&w, "/home/u/ws/.gitignore"));
	world_done(&w);
}

static void test_what_somebody_hid_is_not_read_later_either(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_deny_read(&w, "later");
	world_deny_read(&w, "*.key");
	world_deny_read(&w, "/home/u/elsewhere"); /* hidden anyway */
	assert_int_equal(world_compile(&w), 0);
	assert_true(acts_on_opens(&w) && !acts(&w));
	assert_true(world_guards(&w, "r/home/u/ws/later") && world_guards(&w, "r/home/u/ws/*.key"));
	assert_int_equal(lines(&w), 3); /* and the host's password hashes, since every open is looked at */
	world_done(&w);
}

/* A deeper rule opens what a pattern forbids, but not what the pattern forbids deeper still. */
static void test_exceptions_hold_no_longer_than_they_should(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_add(&w, "d 0755 1000 1000 /home/u/ws/vendor\nd 0755 1000 1000 /home/u/ws/vendor/cache\n");
	world_allow_write(&w, ".");
	world_deny_write(&w, "**/vendor");
	world_allow_write(&w, "vendor/cache");
	assert_int_equal(world_compile(&w), 0);
	assert_true(forbids(&w, "/home/u/ws/vendor/x"));
	assert_false(forbids(&w, "/home/u/ws/vendor/cache/x"));
	assert_true(forbids(&w, "/home/u/ws/vendor/cache/vendor"));
	assert_true(forbids(&w, "/home/u/ws/vendor/cache/.git/hooks/post-merge"));
	assert_false(forbids(&w, "/home/u/ws/vendor/cache/.git/hooks/post-merge.sample"));
	world_done(&w);
}

static void test_odd_names_are_quoted(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_allow_write(&w, ".");
	assert_int_equal(policy_add_rule(&w.arena, &w.policy.filesystem.deny_write, "a*[b]?\\", true, "--rule"), 0);
	assert_int_equal(world_compile(&w), 0);
	assert_true(forbids(&w, "/home/u/ws/a*[b]?\\"));
	assert_false(forbids(&w, "/home/u/ws/axb?\\"));
	world_done(&w);
}

/* Names are made where links lead. */
static void test_globs_are_moved_to_the_real_place(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_add(&w, "d 0755 1000 1000 /data\nd 0755 1000 1000 /data/x\nl 0777 1000 1000 /home/u/x -> /data/x\n");
	world_allow_write(&w, "/home/u/x");
	world_deny_write(&w, "/home/u/x/**/lock");
	assert_int_equal(world_compile(&w), 0);
	assert_true(world_guards(&w, "w/data/x/**/lock"));
	assert_true(forbids(&w, "/data/x/deep/lock"));
	world_done(&w);
}

static void test_what_cannot_be_enforced_is_an_error_or_said(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_allow_write(&w, ".");
	w.facts.seccomp_notify = false;
	assert_int_equal(world_compile(&w), 0);
	assert_true(world_notes(&w, "protected names"));
	assert_int_equal(lines(&w), 0);
	world_done(&w);

	world_init(&w);
	world_allow_write(&w, ".");
	w.facts.tracing_why = "kernel.yama.ptrace_scope is more than 1";
	assert_int_equal(world_compile(&w), 0);
	assert_true(world_notes(&w, "sysctl -w kernel.yama.ptrace_scope=1"));
	assert_int_equal(lines(&w), 0);
	world_lose_namespaces(&w);
	assert_true(world_compile(&w) < 0);
	assert_non_null(strstr(w.err.text, "sysctl -w kernel.yama.ptrace_scope=1"));
	world_done(&w);

	world_init(&w);
	world_allow_write(&w, ".");
	world_deny_write(&w, "later");
	w.policy.process.allow_nested_user_namespaces = true;
	assert_true(world_compile(&w) < 0);
	assert_int_equal(w.err.code, ERR_UNSUPPORTED);
	assert_string_equal(w.err.where, "--rule");
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_to_guard_where_nothing_is_writable),
		cmocka_unit_test(test_the_table_guards_absent_names),
		cmocka_unit_test(test_what_somebody_hid_is_not_read_later_either),
		cmocka_unit_test(test_exceptions_hold_no_longer_than_they_should),
		cmocka_unit_test(test_odd_names_are_quoted),
		cmocka_unit_test(test_globs_are_moved_to_the_real_place),
		cmocka_unit_test(test_what_cannot_be_enforced_is_an_error_or_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "unit/compile/world.h"

#include "plan/rules.h"
#include "policy/mask.h"

#define START "hidden as found at the start"

static bool acts_on_opens(const struct world *w)
{
	return plan_number(world_find(w, OP_INIT, NULL), 1) & PLAN_INIT_ACT_OPENS;
}

static bool hides(const struct world *w, const char *path)
{
	const struct rules rules = { &w->plan, world_find(w, OP_INIT, NULL) };

	return rules_read(&rules, path);
}

static void test_a_file_that_somebody_hid_is_hidden_by_name(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_deny_read(&w, "file");
	world_deny_read(&w, "sub");
	assert_int_equal(world_compile(&w), 0);
	assert_true(world_has(&w, OP_MASK, "/home/u/ws/file"));
	assert_true(acts_on_opens(&w) && hides(&w, "/home/u/ws/file") && hides(&w, "/home/u/ws/sub/file"));
	assert_false(hides(&w, "/home/u/ws/files") || world_notes(&w, START));
	assert_false(world_guards(&w, "w/home/u/ws/file")); /* nothing is written here */
	world_done(&w);
}

/* Only where no open would be looked at otherwise. */
static void test_a_directory_is_not_worth_it(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_deny_read(&w, "sub");
	assert_int_equal(world_compile(&w), 0);
	assert_false(acts_on_opens(&w));
	assert_true(world_notes(&w, "/home/u/ws/sub is " START));
	world_done(&w);
}

static void test_the_table_is_worth_it_where_something_is_written(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_add(&w, "f 0600 1000 1000 /home/u/ws/.env\n");
	assert_int_equal(world_compile(&w), 0);
	assert_false(acts_on_opens(&w));
	assert_true(world_notes(&w, "/home/u/ws/.env is " START));
	world_done(&w);

	world_init(&w);
	world_add(&w, "f 0600 1000 1000 /home/u/ws/.env\n");
	world_allow_write(&w, ".");
	assert_int_equal(world_compile(&w), 0);
	assert_true(acts_on_opens(&w) && hides(&w, "/home/u/ws/.env") && world_guards(&w, "w/home/u/ws/.env"));
	assert_true(hides(&w, "/etc/shadow")); /* then the others cost nothing more */
	assert_false(world_notes(&w, START));
	world_done(&w);
}

static void test_an_ordinary_run_is_as_fast_as_it_was(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_allow_write(&w, ".");
	assert_int_equal(world_compile(&w), 0);
	assert_false(acts_on_opens(&w) || world_notes(&w, START));
	world_done(&w);
}

static void test_what_is_shown_below_something_hidden_stays_open(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_deny_read(&w, "file");
	world_deny_read(&w, "sub");
	world_allow_read(&w, "sub/file");
	assert_int_equal(world_compile(&w), 0);
	assert_true(hides(&w, "/home/u/ws/file"));
	assert_false(hides(&w, "/home/u/ws/sub/file") || hides(&w, "/home/u/ws/sub"));
	world_done(&w);
}

static void mask_file(struct world *w, const char *path, bool exists)
{
	struct credential *credential = credential_vec_add(&w->policy.credentials.files, &w->arena);
	struct input_file *file = exists ? input_file_vec_add(&w->inputs.secret_files, &w->arena) : NULL;

	assert_non_null(credential);
	*credential = (struct credential){ .is_file = true, .name = path, .path = path, .mask = true, .why = "--mask" };
	if (file)
		*file = (struct input_file){ path, "secret", 6 };
}

static void test_a_masked_file_is_masked_by_name(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	mask_file(&w, "/home/u/ws/file", true);
	mask_file(&w, "/home/u/ws/later", false);
	assert_int_equal(world_compile(&w), 0);
	assert_true(world_has(&w, OP_COVER, "/home/u/ws/file"));
	assert_true(acts_on_opens(&w) && hides(&w, "/home/u/ws/file") && hides(&w, "/home/u/ws/later"));
	world_done(&w);
}

/* The host has no name in a directory of the sandbox's own. */
static void test_a_masked_file_alone_in_its_directory_needs_nothing(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_add(&w, "f 0600 1000 1000 /home/u/.netrc\n");
	mask_file(&w, "/home/u/.netrc", true);
	assert_int_equal(world_compile(&w), 0);
	assert_true(world_has(&w, OP_COVER, "/home/u/.netrc"));
	assert_false(acts_on_opens(&w));
	world_done(&w);
}

static void test_what_cannot_be_kept_is_said(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_deny_read(&w, "file");
	w.facts.tracing_why = "kernel.yama.ptrace_scope is more than 1";
	assert_int_equal(world_compile(&w), 0);
	assert_false(acts_on_opens(&w));
	assert_true(world_notes(&w, "/home/u/ws/file is " START) && world_notes(&w, "yama"));
	world_done(&w);

	world_init(&w);
	mask_file(&w, "/home/u/ws/file", true);
	w.policy.strict = true;
	w.facts.seccomp_notify = false;
	assert_true(world_compile(&w) < 0);
	assert_int_equal(w.err.code, ERR_UNSUPPORTED);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_file_that_somebody_hid_is_hidden_by_name),
		cmocka_unit_test(test_a_directory_is_not_worth_it),
		cmocka_unit_test(test_the_table_is_worth_it_where_something_is_written),
		cmocka_unit_test(test_an_ordinary_run_is_as_fast_as_it_was),
		cmocka_unit_test(test_what_is_shown_below_something_hidden_stays_open),
		cmocka_unit_test(test_a_masked_file_is_masked_by_name),
		cmocka_unit_test(test_a_masked_file_alone_in_its_directory_needs_nothing),
		cmocka_unit_test(test_what_cannot_be_kept_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

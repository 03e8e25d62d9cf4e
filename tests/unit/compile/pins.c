#include "unit/compile/world.h"

static bool is_pinned(const struct world *w, const char *path)
{
	const struct plan_op *op = world_find(w, OP_REBIND, path);

	return op && !(plan_number(op, 1) & PLAN_TREE_RO);
}

static size_t position(const struct world *w, const char *path)
{
	return (size_t)(world_find(w, OP_REBIND, path) - w->plan.op);
}

static void test_each_directory_above_is_pinned_once_and_first(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	w.policy.filesystem.mandatory = false;
	world_add(
	    &w,
	    "d 0755 1000 1000 /home/u/ws/a\nd 0755 1000 1000 /home/u/ws/a/b\nf 0644 1000 1000 /home/u/ws/a/b/x\nf 0644 1000 1000 /home/u/ws/a/b/y\n"
	    "d 0755 1000 1000 /home/u/ws/a-b\n");
	world_allow_write(&w, ".");
	world_deny_write(&w, "a/b/x");
	world_deny_write(&w, "a/b/y");
	assert_int_equal(world_compile(&w), 0);
	assert_true(is_pinned(&w, "/home/u/ws/a") && is_pinned(&w, "/home/u/ws/a/b"));
	assert_int_equal(world_count(&w, OP_REBIND), 4);
	assert_true(position(&w, "/home/u/ws/a") < position(&w, "/home/u/ws/a/b"));
	assert_true(position(&w, "/home/u/ws/a/b") < position(&w, "/home/u/ws/a/b/x"));
	world_done(&w);
}

static void test_existing_directories_above_an_absent_name(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	w.policy.filesystem.mandatory = false;
	world_allow_write(&w, ".");
	world_deny_write(&w, "sub/later/x");
	assert_int_equal(world_compile(&w), 0);
	assert_true(is_pinned(&w, "/home/u/ws/sub"));
	assert_int_equal(world_count(&w, OP_REBIND), 1);
	world_done(&w);
}

static void test_what_lies_below_a_read_only_place_needs_none(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	w.policy.filesystem.mandatory = false;
	world_add(&w, "d 0755 1000 1000 /home/u/ws/a\nd 0755 1000 1000 /home/u/ws/a/b\nf 0644 1000 1000 /home/u/ws/a/b/x\n");
	world_allow_write(&w, ".");
	world_deny_write(&w, "a");
	world_deny_read(&w, "a/b/x");
	assert_int_equal(world_compile(&w), 0);
	assert_false(world_has(&w, OP_REBIND, "/home/u/ws/a/b"));
	assert_true(world_has(&w, OP_MASK, "/home/u/ws/a/b/x"));
	world_done(&w);
}

static void test_where_nothing_can_be_renamed_there_are_none(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_deny_read(&w, "sub/file");
	assert_int_equal(world_compile(&w), 0);
	assert_int_equal(world_count(&w, OP_REBIND), 0);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_directory_above_is_pinned_once_and_first),
		cmocka_unit_test(test_existing_directories_above_an_absent_name),
		cmocka_unit_test(test_what_lies_below_a_read_only_place_needs_none),
		cmocka_unit_test(test_where_nothing_can_be_renamed_there_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

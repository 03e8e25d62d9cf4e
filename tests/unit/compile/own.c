#include "unit/compile/world.h"

static struct input_own *add(struct world *w, const char *name, const char *text)
{
	struct input_own *file = input_own_vec_add(&w->inputs.own_files, &w->arena);

	*file = (struct input_own){ name, text, strlen(text) };
	w->inputs.own_directory = "/dev/code";
	return file;
}

static void test_files_in_a_place_of_their_own(void **state)
{
	struct world w;

	(void)state;
	for (int view = 0; view < 2; view++) {
		const struct plan_op *top, *file;
		size_t n = 0;

		world_init(&w);
		w.policy.filesystem.view = view ? POLICY_VIEW_HOST : POLICY_VIEW_TOOLCHAIN;
		add(&w, "main.py", "print(1)\n");
		add(&w, "data", "");
		assert_int_equal(world_compile(&w), 0);
		top = world_find(&w, OP_TMPFS, "/dev/code");
		file = world_find(&w, OP_FILE, "/dev/code/main.py");
		assert_true(top && file && top < file);
		assert_true(world_has(&w, OP_FILE, "/dev/code/data"));
		assert_memory_equal(plan_blob(&w.plan, file, 2, &n), "print(1)\n", 9);
		assert_int_equal(n, 9);
		assert_true(plan_number(world_find(&w, OP_REMOUNT, "/dev/code"), 1) & PLAN_TREE_RO);
		world_done(&w);
	}
}

static void test_without_files_nothing_is_made(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	assert_int_equal(world_compile(&w), 0);
	assert_false(world_has(&w, OP_TMPFS, "/dev/code"));
	world_done(&w);
}

static void test_names(void **state)
{
	static const char *const odd[] = { "", ".", "..", "a/b", "/etc/passwd", NULL };
	struct world w;

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		world_init(&w);
		add(&w, odd[i], "");
		assert_int_equal(world_compile(&w), -EINVAL);
		assert_int_equal(w.err.code, ERR_USAGE);
		world_done(&w);
	}
	world_init(&w);
	add(&w, "twice", "");
	add(&w, "twice", "");
	assert_int_equal(world_compile(&w), -EEXIST);
	world_done(&w);
}

static void test_needs_mounts(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	w.facts.user_namespaces = false;
	w.facts.user_namespaces_why = "a test";
	w.policy.require = POLICY_REQUIRE_ANY;
	add(&w, "main.py", "");
	assert_true(world_compile(&w) < 0);
	assert_int_equal(w.err.code, ERR_UNSUPPORTED);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files_in_a_place_of_their_own),
		cmocka_unit_test(test_without_files_nothing_is_made),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_needs_mounts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

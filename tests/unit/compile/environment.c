#include "policy/environment.h"

#include "unit/compile/world.h"

static const char *nth(const struct world *w, unsigned operand, size_t n)
{
	const struct plan_op *op = world_find(w, OP_EXEC, NULL);
	const char *s = plan_list_next(&w->plan, op, operand, NULL);

	while (s && n--)
		s = plan_list_next(&w->plan, op, operand, s);
	return s;
}

static void test_a_name_is_looked_for_in_path(void **state)
{
	static const char *const env[] = { "PATH=/usr/bin::relative:/opt//x/:/usr/bin/../bin", NULL };
	struct world w;

	(void)state;
	world_init(&w);
	w.inputs.env = env;
	assert_int_equal(world_compile(&w), 0);
	assert_string_equal(nth(&w, 0, 0), "/usr/bin/tool");
	assert_string_equal(nth(&w, 0, 1), "/opt/x/tool"); /* the working directory is never in PATH */
	assert_string_equal(nth(&w, 0, 2), "/usr/bin/tool");
	assert_null(nth(&w, 0, 3));
	assert_string_equal(nth(&w, 1, 0), "tool");
	assert_string_equal(nth(&w, 1, 1), "argument");
	world_done(&w);
}

static void test_a_path_is_itself(void **state)
{
	static const char *const here[] = { "./x/../y", NULL }, *const nowhere[] = { "/../../..", NULL }, *const empty[] = { "", NULL };
	struct world w;

	(void)state;
	world_init(&w);
	w.inputs.argv = here;
	assert_int_equal(world_compile(&w), 0);
	assert_string_equal(nth(&w, 0, 0), "/home/u/ws/y");
	assert_string_equal(nth(&w, 1, 0), "./x/../y");
	world_done(&w);

	for (int i = 0; i < 2; i++) {
		world_init(&w);
		w.inputs.argv = i ? nowhere : empty;
		assert_true(world_compile(&w) < 0);
		assert_int_equal(w.err.code, ERR_USAGE);
		world_done(&w);
	}
}

static void test_only_listed_variables_pass(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	assert_int_equal(environment_set(&w.policy, &w.arena, "CI", "1", "--env"), 0);
	assert_int_equal(world_compile(&w), 0);
	for (size_t i = 0; nth(&w, 2, i); i++)
		assert_null(strstr(nth(&w, 2, i), "SECRET"));
	world_done(&w);
}

static void test_directories_of_path_are_shown(void **state)
{
	static const char *const env[] = { "PATH=/srv/tools/bin:/home:/home/u:/:/home/u/secret", NULL };
	struct world w;

	(void)state;
	world_init(&w);
	w.inputs.env = env;
	world_add(&w, "d 0755 0 0 /srv\nd 0755 0 0 /srv/tools\nd 0755 0 0 /srv/tools/bin\nd 0755 1000 1000 /home/u/secret\n");
	world_deny_read(&w, "/home/u/secret");
	assert_int_equal(world_compile(&w), 0);
	assert_true(world_has(&w, OP_TREE, "/srv/tools/bin"));
	assert_false(world_has(&w, OP_TREE, "/home") || world_has(&w, OP_TREE, "/home/u") || world_has(&w, OP_TREE, "/"));
	assert_false(world_has(&w, OP_TREE, "/home/u/secret"));
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_name_is_looked_for_in_path),
		cmocka_unit_test(test_a_path_is_itself),
		cmocka_unit_test(test_only_listed_variables_pass),
		cmocka_unit_test(test_directories_of_path_are_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

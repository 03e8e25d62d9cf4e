#include "unit/compile/world.h"

static const struct survey_question *asked(const struct world *w, const char *path, const char *glob)
{
	for (size_t i = 0; i < w->questions.n; i++) {
		const struct survey_question *q = &w->questions.at[i];

		if (strcmp(q->path, path) == 0 && (glob ? q->glob && strcmp(q->glob, glob) == 0 : !q->glob))
			return q;
	}
	return NULL;
}

static void test_each_path_with_what_is_above_it_once(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_allow_read(&w, "/srv/a/b");
	world_deny_read(&w, "/srv/a/b/c");
	assert_int_equal(world_compile(&w), 0);
	assert_true(asked(&w, "/srv", NULL) && asked(&w, "/srv/a", NULL) && asked(&w, "/srv/a/b", NULL) && asked(&w, "/srv/a/b/c", NULL));
	assert_true(asked(&w, "/", NULL) && asked(&w, "/home/u/ws", NULL) && asked(&w, "/dev/null", NULL) &&
	            asked(&w, "/etc/passwd", NULL));
	for (size_t i = 1; i < w.questions.n; i++) {
		const struct survey_question *a = &w.questions.at[i - 1], *b = &w.questions.at[i];

		assert_false(strcmp(a->path, b->path) == 0 && !a->glob && !b->glob);
	}
	world_done(&w);
}

static void test_globs_are_walked_as_deep_as_they_say(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	w.policy.filesystem.search_depth = 2;
	world_allow_write(&w, ".");
	world_deny_write(&w, "**/*.lock");
	assert_int_equal(world_compile(&w), 0);
	assert_int_equal(asked(&w, "/home/u/ws", "/home/u/ws/**/*.lock")->depth_max, 0);
	assert_int_equal(asked(&w, "/home/u/ws", "/home/u/ws/**/.git/config")->depth_max, 4);
	world_done(&w);
}

static void test_listings_are_for_rung_two(void **state)
{
	struct world w;

	(void)state;
	for (int rung = 1; rung <= 2; rung++) {
		world_init(&w);
		if (rung == 2)
			world_lose_namespaces(&w);
		world_deny_read(&w, "sub/file");
		assert_int_equal(world_compile(&w), 0);
		assert_int_equal(asked(&w, "/home/u/ws/sub", NULL)->list, rung == 2);
		assert_int_equal(asked(&w, "/", NULL)->list, rung == 2);
		world_done(&w);
	}
}

/* The default asks little: each question is a system call or two in the way of every run. */
static void test_the_default_asks_little(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	assert_int_equal(world_compile(&w), 0);
	assert_true(w.questions.n < 220);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_path_with_what_is_above_it_once),
		cmocka_unit_test(test_globs_are_walked_as_deep_as_they_say),
		cmocka_unit_test(test_listings_are_for_rung_two),
		cmocka_unit_test(test_the_default_asks_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "unit/compile/world.h"

/* Root's sandbox may not search /root: what is opened in there is put into an empty /root. */
static void test_what_is_opened_behind_a_barrier_is_put_into_an_empty_one(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_become_root(&w);
	world_add(&w, "d 0700 0 0 /root\nd 0755 0 0 /root/ws\nd 0755 0 0 /root/ws/h\n");
	w.policy.filesystem.view = POLICY_VIEW_HOST;
	w.inputs.cwd = "/root/ws";
	w.inputs.home = "/root";
	world_deny_read(&w, "h");
	assert_int_equal(world_compile(&w), 0);
	assert_true(world_has(&w, OP_TMPFS, "/root") && world_has(&w, OP_DIR, "/root/ws") && world_has(&w, OP_HOST_TREE, "/root/ws"));
	assert_true(world_has(&w, OP_MASK, "/root/ws/h"));
	world_done(&w);
}

/* Shown with another owner it is none. */
static void test_a_named_tree_has_no_barriers(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_become_root(&w);
	world_add(&w,
	          "d 0700 1000 1000 /home/u/ws/private\nd 0755 1000 1000 /home/u/ws/private/h\nd 0755 1000 1000 /home/u/ws/private/w\n");
	world_allow_write(&w, "private/w");
	world_deny_read(&w, "private/h");
	assert_int_equal(world_compile(&w), 0);
	assert_false(world_has(&w, OP_TMPFS, "/home/u/ws/private"));
	assert_true(world_has(&w, OP_MASK, "/home/u/ws/private/h"));
	world_done(&w);

	world_init(&w);
	world_become_root(&w);
	world_add(&w, "d 0700 0 0 /home/u/ws/roots\nd 0755 1000 1000 /home/u/ws/roots/w\n");
	world_allow_write(&w, "roots/w");
	assert_int_equal(world_compile(&w), 0);
	assert_true(world_has(&w, OP_TMPFS, "/home/u/ws/roots") && world_has(&w, OP_DIR, "/home/u/ws/roots/w"));
	world_done(&w);
}

/* Nobody opens it as root there: what is only a default is left out, what somebody named is an error that says what to do. */
static void test_root_of_a_container_cannot_open_behind_barriers(void **state)
{
	static const char *const env[] = { "PATH=/root/tools:/usr/bin", "LANG=C.UTF-8", NULL };
	struct world w;

	(void)state;
	world_init(&w);
	world_become_container_root(&w);
	world_add(&w, "d 0700 0 0 /root\nd 0755 0 0 /root/tools\nd 0755 0 0 /root/ws\n");
	w.inputs.env = env;
	assert_int_equal(world_compile(&w), 0);
	assert_false(world_has(&w, OP_TREE, "/root/tools"));
	assert_true(world_has(&w, OP_TREE, "/home/u/ws"));
	world_done(&w);

	world_init(&w);
	world_become_container_root(&w);
	world_add(&w, "d 0700 0 0 /root\nd 0755 0 0 /root/tools\nd 0755 0 0 /root/ws\n");
	world_allow_write(&w, "/root/ws");
	assert_true(world_compile(&w) < 0);
	assert_int_equal(w.err.code, ERR_DENIED);
	assert_non_null(strstr(w.err.text, "who may not search /root"));
	assert_string_equal(w.err.where, "--rule");
	world_done(&w);
}

static void test_ordinary_users_meet_their_own_modes(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_add(&w, "d 0700 1000 1000 /home/u/ws/private\nd 0755 1000 1000 /home/u/ws/private/w\n");
	world_allow_write(&w, "private/w");
	assert_int_equal(world_compile(&w), 0);
	assert_false(world_has(&w, OP_TMPFS, "/home/u/ws/private"));
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_opened_behind_a_barrier_is_put_into_an_empty_one),
		cmocka_unit_test(test_a_named_tree_has_no_barriers),
		cmocka_unit_test(test_root_of_a_container_cannot_open_behind_barriers),
		cmocka_unit_test(test_ordinary_users_meet_their_own_modes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "unit/compile/world.h"

static void test_namespaces_where_there_are_any(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	assert_int_equal(world_compile(&w), 0);
	assert_int_not_equal(plan_number(world_find(&w, OP_SPAWN, NULL), 0), 0);
	assert_true(world_has(&w, OP_PIVOT, NULL));
	assert_int_equal(w.plan.head->note_count, 0);
	world_done(&w);
}

static void test_stepping_down_is_said(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_lose_namespaces(&w);
	assert_int_equal(world_compile(&w), 0);
	assert_int_equal(plan_number(world_find(&w, OP_SPAWN, NULL), 0), 0);
	assert_false(world_has(&w, OP_PIVOT, NULL));
	assert_true(world_has(&w, OP_LANDLOCK_ENTER, NULL));
	assert_true(world_notes(&w, "user namespaces are off (kernel.apparmor_restrict_unprivileged_userns=1)"));
	world_done(&w);
}

static void refuse(struct world *w, const char *fix)
{
	assert_true(world_compile(w) < 0);
	assert_int_equal(w->err.code, ERR_UNSUPPORTED);
	if (!strstr(w->err.text, fix))
		fail_msg("%s", w->err.text);
	world_done(w);
}

static void test_a_floor_refuses_with_the_fix(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_lose_namespaces(&w);
	w.policy.require = POLICY_REQUIRE_NAMESPACES;
	w.policy.require_why = "--require";
	refuse(&w, "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0");
	assert_string_equal(w.err.where, "--require");

	world_init(&w);
	world_lose_namespaces(&w);
	w.facts.user_namespaces_why = "user.max_user_namespaces=0";
	w.policy.strict = true;
	refuse(&w, "sudo sysctl -w user.max_user_namespaces");

	world_init(&w);
	w.facts.landlock_abi = 0;
	w.policy.require = POLICY_REQUIRE_LANDLOCK;
	refuse(&w, "lsm=");
}

static void test_below_the_second_rung_is_nothing(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_lose_namespaces(&w);
	w.facts.landlock_abi = 0;
	refuse(&w, "Landlock is off");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_namespaces_where_there_are_any),
		cmocka_unit_test(test_stepping_down_is_said),
		cmocka_unit_test(test_a_floor_refuses_with_the_fix),
		cmocka_unit_test(test_below_the_second_rung_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

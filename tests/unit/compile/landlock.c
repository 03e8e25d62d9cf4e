#include "compile/landlock.h"

#include "unit/compile/sight.h"
#include "unit/compile/world.h"

enum { MAKE_CHAR = 1 << 6, MAKE_BLOCK = 1 << 11, REFER = 1 << 13, TRUNCATE = 1 << 14, IOCTL_DEV = 1 << 15 };

static void test_no_rule_asks_for_what_is_not_handled(void **state)
{
	(void)state;
	for (uint32_t abi = 2; abi <= 9; abi++) {
		struct world w;

		world_init(&w);
		w.facts.landlock_abi = abi;
		world_allow_write(&w, ".");
		assert_int_equal(world_compile(&w), 0);

		const struct plan_op *open = world_find(&w, OP_LANDLOCK_OPEN, NULL);
		uint64_t handled = plan_number(open, 1);

		assert_true(plan_number(open, 0) <= 7);
		assert_int_equal(!!(handled & TRUNCATE), abi >= 3);
		assert_int_equal(!!(handled & IOCTL_DEV), abi >= 5);
		assert_int_equal(plan_number(open, 3), abi >= 6 ? 3 : 0);
		assert_int_equal(plan_number(open, 2), 0); /* its own network is its own */
		for (uint32_t i = 0; i < w.plan.head->op_count; i++)
			if (w.plan.op[i].code == OP_LANDLOCK_PATH) {
				assert_int_equal(plan_number(&w.plan.op[i], 1) & ~handled, 0);
				assert_int_equal(plan_number(&w.plan.op[i], 1) & (MAKE_CHAR | MAKE_BLOCK), 0);
			}
		world_done(&w);
	}
}

static void test_rights_follow_regions(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_allow_write(&w, "sub");
	world_allow_write(&w, "file");
	assert_int_equal(world_compile(&w), 0);
	assert_true(sight_rights(&w.plan, "/home/u/ws/sub/new") & SIGHT_MAKE_REG);
	assert_false(sight_rights(&w.plan, "/home/u/ws/x") & (SIGHT_WRITE_FILE | SIGHT_MAKE_REG));
	assert_true(sight_rights(&w.plan, "/tmp/x") & SIGHT_WRITE_FILE);
	assert_true(sight_rights(&w.plan, "/dev/null") & SIGHT_WRITE_FILE);
	assert_false(sight_rights(&w.plan, "/usr/bin/tool") & SIGHT_WRITE_FILE);
	assert_false(sight_rights(&w.plan, "/home/u/other") & SIGHT_READ_FILE);
	/* A file has no rights of directories. */
	assert_int_equal(plan_number(world_find(&w, OP_LANDLOCK_PATH, "/home/u/ws/file"), 1) & (SIGHT_READ_DIR | SIGHT_MAKE_REG | REFER),
	                 0);
	world_done(&w);
}

static void test_a_second_wall_that_would_break_renames_is_left_out(void **state)
{
	(void)state;
	for (uint32_t abi = 0; abi <= 1; abi++) {
		struct world w;

		world_init(&w);
		w.facts.landlock_abi = abi;
		assert_int_equal(world_compile(&w), 0);
		assert_false(world_has(&w, OP_LANDLOCK_OPEN, NULL));
		assert_true(world_notes(&w, "the mounts stand alone"));
		world_done(&w);

		world_init(&w);
		w.facts.landlock_abi = abi;
		w.policy.strict = true;
		assert_true(world_compile(&w) < 0);
		assert_int_equal(w.err.code, ERR_UNSUPPORTED);
		world_done(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_rule_asks_for_what_is_not_handled),
		cmocka_unit_test(test_rights_follow_regions),
		cmocka_unit_test(test_a_second_wall_that_would_break_renames_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "compile/compile.h"

#include "plan/print.h"
#include "unit/compile/world.h"

static void test_the_same_values_give_the_same_bytes(void **state)
{
	struct plan first;
	struct world w;

	(void)state;
	world_init(&w);
	world_allow_write(&w, ".");
	assert_int_equal(world_compile(&w), 0);
	first = w.plan;
	assert_int_equal(compile(&w.policy, &w.inputs, &w.facts, &w.arena, &w.plan, &w.err), 0);
	assert_int_equal(first.size, w.plan.size);
	assert_memory_equal(first.head, w.plan.head, first.size);
	world_done(&w);
}

static void test_every_operation_says_who_asked(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_allow_write(&w, ".");
	assert_int_equal(world_compile(&w), 0);
	for (uint32_t i = 0; i < w.plan.head->op_count; i++)
		assert_true(*plan_why(&w.plan, &w.plan.op[i]));
	assert_string_equal(plan_why(&w.plan, world_find(&w, OP_TREE, "/home/u/ws")), "--rule");
	world_done(&w);
}

static void test_writable_mounts_of_the_host_have_neither_setuid_nor_devices(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_allow_write(&w, "/");
	assert_int_equal(world_compile(&w), 0);
	for (uint32_t i = 0; i < w.plan.head->op_count; i++) {
		const struct plan_op *op = &w.plan.op[i];
		unsigned flags = op->code == OP_TREE ? 2 : 1;

		if ((op->code == OP_TREE || op->code == OP_REBIND) && !(plan_number(op, flags) & PLAN_TREE_RO))
			assert_int_equal(plan_number(op, flags) & (PLAN_TREE_NOSUID | PLAN_TREE_NODEV), PLAN_TREE_NOSUID | PLAN_TREE_NODEV);
	}
	world_done(&w);
}

static void test_srt_may_have_no_rules_at_all(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	assert_int_equal(policy_init_srt(&w.policy, &w.arena), 0);
	w.policy.filesystem.disabled = true;
	assert_int_equal(world_compile(&w), 0);
	assert_false(plan_number(world_find(&w, OP_TREE, "/"), 2) & PLAN_TREE_RO);
	assert_true(world_has(&w, OP_PROC, "/proc") && world_has(&w, OP_REBIND, "/sys"));
	world_done(&w);
}

/* Every allocation fails once; each time there is an error and no plan. */
static void test_memory_runs_out_anywhere(void **state)
{
	size_t needed, step;
	struct world w;

	(void)state;
	world_init(&w);
	world_allow_write(&w, ".");
	assert_int_equal(world_compile(&w), 0);
	needed = w.arena.used_bytes;
	world_done(&w);
	step = needed / 200;
	for (size_t ceiling = needed / 2; ceiling < needed; ceiling += step) {
		struct arena small;
		struct plan plan;
		struct err err = { 0 };

		world_init(&w);
		world_allow_write(&w, ".");
		assert_int_equal(world_compile(&w), 0);
		arena_init(&small, ceiling - needed / 2);
		if (compile(&w.policy, &w.inputs, &w.facts, &small, &plan, &err) < 0)
			assert_int_equal(err.code, ERR_LIMIT);
		arena_done(&small);
		world_done(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_same_values_give_the_same_bytes),
		cmocka_unit_test(test_every_operation_says_who_asked),
		cmocka_unit_test(test_writable_mounts_of_the_host_have_neither_setuid_nor_devices),
		cmocka_unit_test(test_srt_may_have_no_rules_at_all),
		cmocka_unit_test(test_memory_runs_out_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Plans that make a session, and plans that are carried out in one. */
#include "unit/plan/draft.h"

/* What is left of the sample for a sandbox that is there already. */
static struct draft for_session(void)
{
	struct draft d = SAMPLE;

	for (uint32_t i = d.head.op_count; i-- > 0;)
		if (plan_op_info(d.op[i].code)->stage < PLAN_SHED || d.op[i].code == OP_CAPS_DROP || d.op[i].code == OP_HOSTNAME ||
		    (d.op[i].code >= OP_LANDLOCK_OPEN && d.op[i].code <= OP_LANDLOCK_ENTER))
			drop(&d, i);
	return d;
}

static void test_for_session(void **state)
{
	struct draft sample = SAMPLE, d = for_session();

	(void)state;
	wants(&d, PLAN_FINE, ABSENT);
	assert_true(plan_is_for_session(&d.plan));
	insert(&d, 0, sample.op[at(&sample, OP_WATCH)]);
	wants(&d, PLAN_FINE, ABSENT);
	/* Nothing of the host, and nothing of the sandbox's making. */
	static const enum plan_opcode not [] = { OP_CGROUP_MAKE, OP_TREE, OP_DIR, OP_PIVOT, OP_IDMAP };
	for (size_t i = 0; i < sizeof(not ) / sizeof(not [0]); i++) {
		d = for_session();
		insert(&d, 0, sample.op[at(&sample, not [i])]);
		wants(&d, PLAN_NO_SPAWN, 0);
	}
	d = SAMPLE; /* a whole plan whose SPAWN is missing */
	drop(&d, at(&d, OP_SPAWN));
	wants(&d, PLAN_NO_SPAWN, at(&d, OP_CGROUP_MAKE));
	d = for_session();
	drop(&d, at(&d, OP_NO_NEW_PRIVS));
	wants(&d, PLAN_NO_NEW_PRIVS_LATE, at(&d, OP_INIT));
}

static void test_serve(void **state)
{
	struct draft d = SAMPLE;

	(void)state;
	for (uint32_t i = d.head.op_count; i-- > 0;)
		if (d.op[i].code == OP_INIT || d.op[i].code == OP_CLOSE_FDS || d.op[i].code == OP_SECCOMP)
			drop(&d, i);
	d.op[d.head.op_count - 1] = (struct plan_op){ .code = OP_SERVE, .why = d.op[d.head.op_count - 1].why };
	wants(&d, PLAN_FINE, ABSENT);
	insert(&d, d.head.op_count - 1, d.op[d.head.op_count - 1]);
	wants(&d, PLAN_NOT_ONE_EXEC_LAST, d.head.op_count - 2);
	d = for_session(); /* a session makes no session */
	d.op[d.head.op_count - 1] = (struct plan_op){ .code = OP_SERVE, .why = d.op[d.head.op_count - 1].why };
	drop(&d, at(&d, OP_SECCOMP));
	wants(&d, PLAN_NO_SPAWN, d.head.op_count - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_for_session), cmocka_unit_test(test_serve) };

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

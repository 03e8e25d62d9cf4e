#include "unit/compile/world.h"

static void test_private_places(void **state)
{
	struct world w;

	(void)state;
	for (int view = 0; view < 2; view++) {
		world_init(&w);
		w.policy.filesystem.view = view ? POLICY_VIEW_HOST : POLICY_VIEW_TOOLCHAIN;
		assert_int_equal(world_compile(&w), 0);
		assert_true(world_has(&w, OP_TMPFS, "/tmp") && world_has(&w, OP_TMPFS, "/dev/shm") && world_has(&w, OP_PROC, "/proc"));
		assert_true(world_has(&w, OP_DEVPTS, "/dev/pts") && world_has(&w, OP_TREE, "/dev/null") &&
		            world_has(&w, OP_MASK, "/proc/keys"));
		assert_int_equal(world_has(&w, OP_TMPFS, "/run"), view); /* in a skeleton a directory will do */
		assert_int_equal(world_has(&w, OP_LINK, "/var/tmp"), !view);
		world_done(&w);
	}
}

static void test_tmp_has_the_policys_size(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	w.policy.limit[POLICY_LIMIT_TMP] = (struct policy_limit){ 12345, "--tmp" };
	w.policy.limit[POLICY_LIMIT_TMP_INODES] = (struct policy_limit){ 67, "--tmp-inodes" };
	assert_int_equal(world_compile(&w), 0);
	for (int i = 0; i < 2; i++) {
		const struct plan_op *op = world_find(&w, OP_TMPFS, i ? "/tmp" : "/dev/shm");

		assert_int_equal(plan_number(op, 2), 12345);
		assert_int_equal(plan_number(op, 3), 67);
		assert_string_equal(plan_why(&w.plan, op), "--tmp");
	}
	world_done(&w);
}

static void test_a_rule_for_tmp_itself_means_the_hosts(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_allow_write(&w, "/tmp");
	assert_int_equal(world_compile(&w), 0);
	assert_true(world_has(&w, OP_TREE, "/tmp"));
	assert_false(world_has(&w, OP_TMPFS, "/tmp"));
	world_done(&w);
}

static void test_a_workspace_in_tmp_is_there(void **state)
{
	struct world w;

	(void)state;
	for (int view = 0; view < 2; view++) {
		world_init(&w);
		w.policy.filesystem.view = view ? POLICY_VIEW_HOST : POLICY_VIEW_TOOLCHAIN;
		w.inputs.cwd = "/tmp/ws";
		world_add(&w, "d 0755 1000 1000 /tmp/ws\n");
		assert_int_equal(world_compile(&w), 0);
		assert_true(world_has(&w, OP_TMPFS, "/tmp") && world_has(&w, OP_DIR, "/tmp/ws") && world_has(&w, OP_TREE, "/tmp/ws"));
		world_done(&w);
	}
}

static void test_proc_and_dev_are_never_the_hosts(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_allow_write(&w, "/");
	world_allow_write(&w, "/proc");
	world_allow_write(&w, "/dev");
	assert_int_equal(world_compile(&w), 0);
	assert_true(world_has(&w, OP_PROC, "/proc") && world_has(&w, OP_TMPFS, "/dev"));
	assert_false(world_has(&w, OP_TREE, "/proc") || world_has(&w, OP_TREE, "/dev"));
	assert_true(plan_number(world_find(&w, OP_REBIND, "/sys"), 1) & PLAN_TREE_RO);
	world_done(&w);
}

static void test_what_somebody_hides_in_proc(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_deny_read(&w, "/proc/meminfo");
	world_deny_read(&w, "/dev/null");
	assert_int_equal(world_compile(&w), 0);
	assert_true(world_has(&w, OP_MASK, "/proc/meminfo"));
	assert_false(world_has(&w, OP_TREE, "/dev/null"));
	world_done(&w);
}

/* Root's id outside may write what procfs lets root write, capabilities or not. */
static void test_proc_is_read_only_for_roots_id(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	w.facts.uid = w.facts.gid = 0;
	assert_int_equal(world_compile(&w), 0);
	assert_true(plan_number(world_find(&w, OP_PROC, "/proc"), 1) & PLAN_PROC_RO);
	world_done(&w);
}

/* Where parts of the caller's own are covered the kernel gives no fresh one; the host's would show the host's processes. */
static void test_rather_no_proc_than_the_hosts(void **state)
{
	struct world w;

	(void)state;
	for (int view = 0; view < 2; view++) {
		world_init(&w);
		w.facts.proc_mountable = false;
		w.policy.filesystem.view = view ? POLICY_VIEW_HOST : POLICY_VIEW_TOOLCHAIN;
		world_allow_write(&w, ".");
		assert_int_equal(world_compile(&w), 0);
		assert_false(world_has(&w, OP_PROC, NULL) || world_has(&w, OP_MASK, "/proc/keys"));
		assert_int_equal(world_has(&w, OP_MASK, "/proc"), view);
		assert_true(world_notes(&w, "no /proc inside") && world_notes(&w, "protected names"));
		assert_int_equal(plan_number(world_find(&w, OP_SECCOMP, NULL), 1), 0);
		world_done(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_private_places),
		cmocka_unit_test(test_tmp_has_the_policys_size),
		cmocka_unit_test(test_a_rule_for_tmp_itself_means_the_hosts),
		cmocka_unit_test(test_a_workspace_in_tmp_is_there),
		cmocka_unit_test(test_proc_and_dev_are_never_the_hosts),
		cmocka_unit_test(test_what_somebody_hides_in_proc),
		cmocka_unit_test(test_proc_is_read_only_for_roots_id),
		cmocka_unit_test(test_rather_no_proc_than_the_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

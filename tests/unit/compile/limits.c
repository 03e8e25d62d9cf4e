#include "unit/compile/world.h"

#include <sys/resource.h>

#define MINE "/sys/fs/cgroup/mine/coffer-0123456789ab"

static void limit(struct world *w, enum policy_limit_id id, uint64_t value)
{
	w->policy.limit[id] = (struct policy_limit){ value, "--limit" };
}

static void expect_set(const struct world *w, const char *file, const char *value)
{
	const struct plan_op *op = world_find(w, OP_CGROUP_SET, file);

	if (!op)
		fail_msg("%s is not set", file);
	assert_string_equal(plan_text(&w->plan, op, 1), value);
}

static const struct plan_op *rlimit(const struct world *w, int resource)
{
	for (uint32_t i = 0; i < w->plan.head->op_count; i++)
		if (w->plan.op[i].code == OP_RLIMIT && plan_number(&w->plan.op[i], 0) == (uint64_t)resource)
			return &w->plan.op[i];
	return NULL;
}

static void test_cgroup2_is_one_directory(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	limit(&w, POLICY_LIMIT_MEMORY, 1000000);
	limit(&w, POLICY_LIMIT_SWAP, 8192);
	limit(&w, POLICY_LIMIT_PROCESSES, 5);
	limit(&w, POLICY_LIMIT_CPUS, 150);
	assert_int_equal(world_compile(&w), 0);
	assert_int_equal(world_count(&w, OP_CGROUP_MAKE), 1);
	assert_true(world_has(&w, OP_CGROUP_MAKE, MINE));
	expect_set(&w, MINE "/memory.max", "999424"); /* whole pages: it is read back */
	expect_set(&w, MINE "/memory.oom.group", "1");
	expect_set(&w, MINE "/memory.swap.max", "8192");
	expect_set(&w, MINE "/pids.max", "5");
	expect_set(&w, MINE "/cpu.max", "150000 100000");
	assert_true(world_has(&w, OP_CGROUP_JOIN, MINE "/cgroup.procs"));
	world_done(&w);
}

static void test_cgroup1_is_one_a_controller(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	w.facts.memory = (struct facts_controller){ FACTS_CGROUP_V1, "/c/memory" };
	w.facts.pids = (struct facts_controller){ FACTS_CGROUP_V1, "/c/pids" };
	w.facts.cpu = (struct facts_controller){ FACTS_CGROUP_V1, "/c/cpu" };
	limit(&w, POLICY_LIMIT_MEMORY, 1 << 20);
	limit(&w, POLICY_LIMIT_SWAP, 1 << 20);
	limit(&w, POLICY_LIMIT_CPUS, 50);
	assert_int_equal(world_compile(&w), 0);
	assert_int_equal(world_count(&w, OP_CGROUP_MAKE), 3);
	assert_int_equal(world_count(&w, OP_CGROUP_JOIN), 3);
	expect_set(&w, "/c/memory/coffer-0123456789ab/memory.limit_in_bytes", "1048576");
	expect_set(&w, "/c/memory/coffer-0123456789ab/memory.memsw.limit_in_bytes", "2097152");
	expect_set(&w, "/c/cpu/coffer-0123456789ab/cpu.cfs_quota_us", "50000");
	world_done(&w);
}

static void test_without_cgroups_each_weakening_is_said(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	w.facts.memory = w.facts.pids = w.facts.cpu = (struct facts_controller){ FACTS_CGROUP_NONE, NULL };
	w.facts.rlimit_nproc_per_userns = false;
	limit(&w, POLICY_LIMIT_CPUS, 100);
	limit(&w, POLICY_LIMIT_MEMORY, 1 << 20);
	assert_int_equal(world_compile(&w), 0);
	assert_int_equal(world_count(&w, OP_CGROUP_MAKE), 0);
	assert_int_equal(plan_number(rlimit(&w, RLIMIT_DATA), 1), 1 << 20);
	assert_non_null(rlimit(&w, RLIMIT_NPROC));
	assert_true(world_notes(&w, "memory:") && world_notes(&w, "processes:") && world_notes(&w, "cpus:"));
	world_done(&w);

	world_init(&w);
	w.facts.cpu = (struct facts_controller){ FACTS_CGROUP_NONE, NULL };
	w.policy.strict = true;
	limit(&w, POLICY_LIMIT_CPUS, 100);
	assert_true(world_compile(&w) < 0);
	assert_int_equal(w.err.code, ERR_UNSUPPORTED);
	assert_string_equal(w.err.where, "--limit");
	world_done(&w);
}

static void test_unlimited_is_no_operation(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	for (unsigned i = 0; i < POLICY_LIMITS_END; i++)
		limit(&w, i, NUM_UNLIMITED);
	assert_int_equal(world_compile(&w), 0);
	assert_int_equal(world_count(&w, OP_CGROUP_MAKE), 0);
	assert_null(rlimit(&w, RLIMIT_NOFILE));
	assert_null(rlimit(&w, RLIMIT_CPU));
	assert_int_equal(plan_number(world_find(&w, OP_WATCH, NULL), 0), UINT64_MAX);
	assert_int_not_equal(plan_number(world_find(&w, OP_TMPFS, "/tmp"), 2), 0); /* to tmpfs 0 is unlimited, and refused */
	world_done(&w);
}

static void test_rlimits_and_watch(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	limit(&w, POLICY_LIMIT_CPU_TIME, 1500);
	limit(&w, POLICY_LIMIT_TIMEOUT, 2000);
	limit(&w, POLICY_LIMIT_OUTPUT, 77);
	limit(&w, POLICY_LIMIT_FILE_SIZE, 99);
	assert_int_equal(world_compile(&w), 0);
	assert_int_equal(plan_number(rlimit(&w, RLIMIT_CPU), 1), 2);
	assert_int_equal(plan_number(rlimit(&w, RLIMIT_CPU), 2), 3);
	assert_int_equal(plan_number(rlimit(&w, RLIMIT_CORE), 1), 1); /* 0 would be piped to the host's core handler */
	assert_int_equal(plan_number(rlimit(&w, RLIMIT_CORE), 2), 1);
	assert_int_equal(plan_number(rlimit(&w, RLIMIT_FSIZE), 2), 99);
	assert_int_equal(plan_number(rlimit(&w, RLIMIT_RTPRIO), 2), 0);
	assert_int_equal(plan_number(rlimit(&w, RLIMIT_NICE), 2), 0);
	assert_int_equal(plan_number(world_find(&w, OP_WATCH, NULL), 0), 2000);
	assert_int_equal(plan_number(world_find(&w, OP_WATCH, NULL), 1), 77);
	assert_int_equal(plan_number(world_find(&w, OP_WATCH, NULL), 3), 1); /* output was asked for: it counts */
	assert_int_equal(plan_number(world_find(&w, OP_WATCH, NULL), 2), 1500);
	world_done(&w);
}

/* Version 1: what processor time is counted by may be mounted apart from what it is shared out by. */
static void test_processor_time_has_a_cgroup_of_its_own(void **state)
{
	static const struct facts_controller cpu = { FACTS_CGROUP_V1, "/sys/fs/cgroup/cpu/mine" },
					     cpuacct = { FACTS_CGROUP_V1, "/sys/fs/cgroup/cpuacct/mine" };

	(void)state;
	for (int together = 0; together <= 1; together++) {
		struct world w;

		world_init(&w);
		w.facts.memory = w.facts.pids = w.facts.freezer = (struct facts_controller){ 0 };
		w.facts.cpu = cpu;
		w.facts.cpuacct = together ? cpu : cpuacct;
		assert_int_equal(world_compile(&w), 0);
		assert_int_equal(world_count(&w, OP_CGROUP_MAKE), 0);
		limit(&w, POLICY_LIMIT_CPU_TIME, 1500);
		limit(&w, POLICY_LIMIT_CPUS, 100);
		assert_int_equal(world_compile(&w), 0);
		assert_int_equal(world_count(&w, OP_CGROUP_MAKE), together ? 1 : 2);
		assert_int_equal(world_count(&w, OP_CGROUP_JOIN), together ? 1 : 2);
		world_done(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cgroup2_is_one_directory),
		cmocka_unit_test(test_cgroup1_is_one_a_controller),
		cmocka_unit_test(test_without_cgroups_each_weakening_is_said),
		cmocka_unit_test(test_unlimited_is_no_operation),
		cmocka_unit_test(test_rlimits_and_watch),
		cmocka_unit_test(test_processor_time_has_a_cgroup_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "compile/bpf.h"

#include "unit/compile/world.h"

static size_t at(const struct world *w, enum plan_opcode code)
{
	return (size_t)(world_find(w, code, NULL) - w->plan.op);
}

static void test_the_one_right_order(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	assert_int_equal(world_compile(&w), 0);
	assert_true(at(&w, OP_CAPS_DROP) < at(&w, OP_NO_NEW_PRIVS) && at(&w, OP_NO_NEW_PRIVS) < at(&w, OP_LANDLOCK_OPEN));
	assert_true(at(&w, OP_LANDLOCK_ENTER) < at(&w, OP_INIT) && at(&w, OP_INIT) < at(&w, OP_CLOSE_FDS));
	assert_int_equal(at(&w, OP_SECCOMP), at(&w, OP_CLOSE_FDS) + 1);
	assert_int_equal(at(&w, OP_EXEC), at(&w, OP_SECCOMP) + 1);
	world_done(&w);
}

static void expect_filter(const struct world *w, const struct bpf_request *request)
{
	const void *wanted, *found;
	size_t wanted_bytes, found_bytes;

	assert_int_equal(bpf_build(w->host.arena, request, &wanted, &wanted_bytes, NULL), 0);
	found = plan_blob(&w->plan, world_find(w, OP_SECCOMP, NULL), 0, &found_bytes);
	assert_int_equal(found_bytes, wanted_bytes);
	assert_memory_equal(found, wanted, found_bytes);
	assert_int_equal(plan_number(world_find(w, OP_SECCOMP, NULL), 1), request->notify);
}

static void test_the_filter_is_the_policys(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	assert_int_equal(world_compile(&w), 0);
	expect_filter(&w, &(struct bpf_request){ .notify = true, .tell_writes = true, .act_sockets = true, .inet = true });
	world_done(&w);

	world_init(&w);
	w.policy.denials = POLICY_DENIALS_OFF;
	w.policy.network.allow_all_unix_sockets = w.policy.process.allow_ptrace = true;
	assert_int_equal(world_compile(&w), 0);
	expect_filter(&w, &(struct bpf_request){ .inet = true, .unix_sockets = true, .ptrace = true });
	world_done(&w);

	world_init(&w);
	w.policy.denials = POLICY_DENIALS_ALL;
	world_allow_write(&w, ".");
	assert_int_equal(world_compile(&w), 0);
	expect_filter(&w,
	              &(struct bpf_request){
			  .notify = true, .tell_writes = true, .tell_reads = true, .act_names = true, .act_sockets = true, .inet = true });
	world_done(&w);

	world_init(&w); /* no network of its own: no internet sockets, and the host's IPC is not for it */
	world_lose_namespaces(&w);
	w.policy.denials = POLICY_DENIALS_OFF;
	assert_int_equal(world_compile(&w), 0);
	expect_filter(&w, &(struct bpf_request){ .host_ipc = true });
	world_done(&w);
}

static void test_init_is_told_the_regions_where_it_reports(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	assert_int_equal(world_compile(&w), 0);

	const struct plan_op *init = world_find(&w, OP_INIT, NULL);
	const char *before = NULL;

	assert_int_equal(plan_number(init, 1), PLAN_INIT_TELL | PLAN_INIT_SOCKETS | PLAN_INIT_ABSTRACT);
	assert_int_equal(plan_list_count(&w.plan, init, 4), plan_list_count(&w.plan, init, 2) + plan_list_count(&w.plan, init, 3));
	for (const char *s = NULL; (s = plan_list_next(&w.plan, init, 2, s)); before = s)
		assert_true(!before || strcmp(before + 1, s + 1) < 0);
	world_done(&w);

	world_init(&w);
	w.policy.denials = POLICY_DENIALS_OFF;
	w.policy.network.allow_all_unix_sockets = true;
	assert_int_equal(world_compile(&w), 0);
	assert_int_equal(plan_list_count(&w.plan, world_find(&w, OP_INIT, NULL), 2), 0);
	world_done(&w);
}

static void test_a_pipe_for_results_is_asked_for(void **state)
{
	struct world w;

	(void)state;
	for (int kind = COMPILE_RUN; kind <= COMPILE_EXEC; kind++)
		for (int asked = 0; asked < 2; asked++) {
			bool there = asked && kind == COMPILE_RUN;

			world_init(&w);
			w.inputs.kind = (enum compile_kind)kind;
			w.inputs.results = asked;
			assert_int_equal(world_compile(&w), 0);
			assert_int_equal(world_find(&w, OP_RESULTS, NULL) != NULL, there);
			if (there)
				assert_int_equal(at(&w, OP_RESULTS), at(&w, OP_CLOSE_FDS) + 1);
			world_done(&w);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_one_right_order),
		cmocka_unit_test(test_the_filter_is_the_policys),
		cmocka_unit_test(test_init_is_told_the_regions_where_it_reports),
		cmocka_unit_test(test_a_pipe_for_results_is_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "plan/build.h"

#include "unit/plan/sample.h"

static struct arena arena;

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, 64 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static void test_deterministic(void **state)
{
	struct plan one = sample_plan(&arena), two = sample_plan(&arena);

	(void)state;
	assert_int_equal(one.size, two.size);
	assert_memory_equal(one.head, two.head, one.size);
}

static void test_note_may_come_late(void **state)
{
	struct plan_build b;
	struct plan plan;

	(void)state;
	plan_build_init(&b, &arena);
	plan_build_note(&b, "%s", "");
	small_plan_ops(&b);
	plan_build_note(&b, "a note of %d%%", 50);
	assert_int_equal(plan_build_done(&b, &plan, NULL), 0);
	assert_int_equal(plan.head->note_count, 2);
	assert_string_equal(plan_note(&plan, 0), "");
	assert_string_equal(plan_note(&plan, 1), "a note of 50%");
	assert_string_equal(plan_text(&plan, &plan.op[5], 0), "/bin/true");
	assert_string_equal(plan_why(&plan, &plan.op[0]), "default");
	assert_string_equal(plan_why(&plan, &plan.op[1]), "");
}

static void fails(struct plan_build *b, int r, enum err_code code)
{
	struct plan plan = { 0 };
	struct err err = { 0 };

	assert_int_equal(plan_build_done(b, &plan, &err), r);
	assert_int_equal(err.code, code);
	assert_null(plan.head);
}

static void test_empty(void **state)
{
	struct plan_build b;

	(void)state;
	plan_build_init(&b, &arena);
	fails(&b, -EINVAL, ERR_INTERNAL); /* there is no EXEC */
}

static void test_missing_operand(void **state)
{
	struct plan_build b;

	(void)state;
	plan_build_init(&b, &arena);
	plan_add(&b, OP_HOSTNAME, "default", (const char *)NULL);
	small_plan_ops(&b);
	fails(&b, -EINVAL, ERR_INTERNAL);

	plan_build_init(&b, &arena);
	plan_add(&b, OP_EXEC, "default", (const struct text_vec *)NULL, EMPTY_LIST, EMPTY_LIST);
	fails(&b, -EINVAL, ERR_INTERNAL);

	plan_build_init(&b, &arena);
	plan_add(&b, OP_CODES_END, "default");
	fails(&b, -EINVAL, ERR_INTERNAL);
}

static void test_no_reason_is_an_empty_one(void **state)
{
	struct plan_build b;
	struct plan plan;

	(void)state;
	plan_build_init(&b, &arena);
	plan_add(&b, OP_WATCH, NULL, N(1), N(1), N(1), N(0));
	small_plan_ops(&b);
	assert_int_equal(plan_build_done(&b, &plan, NULL), 0);
	assert_string_equal(plan_why(&plan, &plan.op[0]), "");
}

static void test_ceilings(void **state)
{
	struct plan_build b;
	struct arena large;
	unsigned i;

	(void)state;
	arena_init(&large, 256 << 20);
	plan_build_init(&b, &large);
	for (i = 0; i <= PLAN_OPS_MAX; i++)
		plan_add(&b, OP_LOOPBACK, "");
	fails(&b, -E2BIG, ERR_LIMIT);

	plan_build_init(&b, &large);
	for (i = 0; i < PLAN_SLOTS_MAX; i++)
		assert_int_equal(plan_build_slot(&b), i);
	assert_int_equal(plan_build_slot(&b), 0);
	fails(&b, -E2BIG, ERR_LIMIT);

	char *much = arena_alloc(&large, PLAN_BYTES_MAX);

	plan_build_init(&b, &large);
	plan_add(&b, OP_FILE, "", "/x", N(0), (const void *)much, (size_t)PLAN_BYTES_MAX);
	fails(&b, -E2BIG, ERR_LIMIT);

	plan_build_init(&b, &large); /* fits by itself, but not with a note */
	plan_add(&b, OP_FILE, "", "/x", N(0), (const void *)much, (size_t)PLAN_BYTES_MAX - 16);
	plan_build_note(&b, "a note that is too much");
	fails(&b, -E2BIG, ERR_LIMIT);
	arena_done(&large);
}

static void test_out_of_memory(void **state)
{
	(void)state;
	for (size_t ceiling = 0; ceiling < 40000; ceiling += 480) {
		struct plan_build b;
		struct plan plan;
		struct arena small;
		struct err err = { 0 };

		arena_init(&small, ceiling);
		plan_build_init(&b, &small);
		sample_host(&b);
		sample_birth(&b);
		sample_root(&b);
		sample_lock(&b);

		int r = plan_build_done(&b, &plan, &err);

		assert_true(r == 0 || r == -ENOMEM);
		assert_true(r == 0 || err.code == ERR_LIMIT);
		arena_done(&small);
	}
}

static void test_error_names_operation_and_rule(void **state)
{
	struct plan_build b;
	struct plan plan;
	struct err err = { 0 };

	(void)state;
	plan_build_init(&b, &arena);
	sample_host(&b);
	plan_add(&b, OP_SPAWN, "--flag", N(0));
	plan_add(&b, OP_HOSTNAME, "settings.json /process/hostname", "sandbox");
	plan_add(&b, OP_CAPS_DROP, "");
	plan_add(&b, OP_NO_NEW_PRIVS, "");
	plan_add(&b, OP_CLOSE_FDS, "");
	plan_add(&b, OP_SECCOMP, "", (const void *)sample_filter, sizeof(sample_filter), N(0));
	plan_add(&b, OP_EXEC, "", LIST("/bin/true"), LIST("true"), EMPTY_LIST);
	assert_int_equal(plan_build_done(&b, &plan, &err), -EINVAL);
	assert_string_equal(err.where, "settings.json /process/hostname");
	assert_string_equal(err.text,
	                    "operation 5, HOSTNAME sandbox: an operation would change the host, for SPAWN makes no namespace for it");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deterministic),
		cmocka_unit_test(test_note_may_come_late),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_missing_operand),
		cmocka_unit_test(test_no_reason_is_an_empty_one),
		cmocka_unit_test(test_ceilings),
		cmocka_unit_test(test_out_of_memory),
		cmocka_unit_test(test_error_names_operation_and_rule),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

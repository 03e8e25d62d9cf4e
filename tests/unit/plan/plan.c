#include "plan/plan.h"

#include "plan/print.h"
#include "unit/plan/sample.h"

#include <stdlib.h>

static struct arena arena;

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, 1 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static void test_table(void **state)
{
	(void)state;
	for (unsigned code = 0; code < OP_CODES_END; code++) {
		const struct plan_op_info *info = plan_op_info(code);

		assert_true(strlen(info->operands) <= PLAN_OPERANDS_MAX);
		assert_int_equal(strspn(info->operands, "nthpslb"), strlen(info->operands));
		assert_true(info->stage <= PLAN_EXEC);
		/* An actor runs one slice: so the stage says the actor. */
		assert_int_equal(info->actor, info->stage == PLAN_PREPARE ? PLAN_HOST
		                              : info->stage == PLAN_BIRTH ? PLAN_WARDEN
		                                                          : PLAN_JAIL);
		assert_true(code == 0 || plan_op_info(code - 1)->stage <= info->stage);
	}
	assert_null(plan_op_info(OP_CODES_END));
	assert_null(plan_op_info(~0u));
}

static const struct plan_op *find(const struct plan *plan, enum plan_opcode code)
{
	const struct plan_op *op = plan->op;

	while (op->code != code)
		op++;
	return op;
}

static void test_operands_come_back(void **state)
{
	struct plan plan = sample_plan(&arena);
	const struct plan_op *exec = find(&plan, OP_EXEC), *file = find(&plan, OP_FILE), *init = find(&plan, OP_INIT);
	size_t len;

	(void)state;
	assert_string_equal(plan_note(&plan, 0), "Landlock ABI 3: TCP rules not enforced");
	assert_string_equal(plan_note(&plan, 1), "second");
	assert_int_equal(plan_list_count(&plan, exec, 0), 2);

	const char *s = plan_list_next(&plan, exec, 1, NULL);

	assert_string_equal(s, "python3");
	s = plan_list_next(&plan, exec, 1, s);
	assert_string_equal(s, "main.py");
	s = plan_list_next(&plan, exec, 1, s);
	assert_string_equal(s, "a b");
	assert_null(plan_list_next(&plan, exec, 1, s));

	assert_string_equal(plan_text(&plan, file, 0), "/etc/two words");
	assert_int_equal(plan_number(file, 1), 0644);
	assert_memory_equal(plan_blob(&plan, file, 2, &len), "abc", 3);
	assert_int_equal(len, 3);
	assert_string_equal(plan_why(&plan, find(&plan, OP_MASK)), "/filesystem/denyRead/0");

	const void *filter = plan_blob(&plan, init, 0, &len);

	assert_int_equal((uintptr_t)filter % PLAN_BLOB_ALIGN, 0);
	assert_int_equal(len, sizeof(sample_filter));
	assert_memory_equal(filter, sample_filter, len);
	assert_int_equal(plan_number(find(&plan, OP_WATCH), 2), UINT64_MAX);
}

/* A copy of the block that is exactly n bytes long, so that a sanitizer sees every byte too far. */
static void *copy(const struct plan *plan, size_t n)
{
	void *block = malloc(n ? n : 1);

	memcpy(block, plan->head, n);
	return block;
}

/* Encode and decode are the identity: a copy of the bytes is the same plan. */
static void test_copy_is_the_same_plan(void **state)
{
	struct plan plan = sample_plan(&arena), again;
	void *block = copy(&plan, plan.size);
	char left[SHA256_BYTES * 2 + 1], right[SHA256_BYTES * 2 + 1];
	struct str a autostr, b autostr;

	(void)state;
	assert_int_equal(plan_open(block, plan.size, &again), 0);
	plan_digest(&plan, left);
	plan_digest(&again, right);
	assert_string_equal(left, right);
	str_init(&a, 1 << 20);
	str_init(&b, 1 << 20);
	plan_print_json(&plan, &a);
	plan_print_json(&again, &b);
	assert_false(a.failed);
	assert_string_equal(a.text, b.text);
	free(block);
}

/* Reads all that a plan says, as the launcher and the printer do. */
static void read_everything(const struct plan *plan)
{
	struct str out autostr;

	str_init(&out, 1 << 24);
	plan_check(plan);
	plan_print(plan, &out);
	plan_print_json(plan, &out);
	assert_false(out.failed);
}

static void test_every_truncation_is_refused(void **state)
{
	struct plan plan = sample_plan(&arena), cut = { 0 };

	(void)state;
	for (size_t n = 0; n < plan.size; n++) {
		void *block = copy(&plan, n);

		assert_int_equal(plan_open(block, n, &cut), -EINVAL);
		free(block);
	}
	assert_null(cut.head); /* outputs are written on success only */
	assert_int_equal(plan_open(NULL, 0, &cut), -EINVAL);

	char *longer = malloc(plan.size + 1);

	memcpy(longer, plan.head, plan.size);
	longer[plan.size] = '\0';
	assert_int_equal(plan_open(longer, plan.size + 1, &cut), -EINVAL);
	free(longer);
}

static void test_every_flipped_byte_stays_in_bounds(void **state)
{
	static const unsigned char flips[] = { 0x01, 0x80, 0xff, 0x2f };
	struct plan plan = sample_plan(&arena), broken;
	size_t opened = 0;

	(void)state;
	for (size_t i = 0; i < plan.size * sizeof(flips); i++) {
		unsigned char *block = copy(&plan, plan.size);

		block[i / sizeof(flips)] ^= flips[i % sizeof(flips)];
		if (plan_open(block, plan.size, &broken) == 0) {
			read_everything(&broken);
			opened++;
		}
		free(block);
	}
	assert_true(opened > 0); /* a flipped letter of a path is still a plan */
}

/* Overwrites one field of a small plan; the block must be refused. */
static void refuse_head(size_t offset, uint32_t value)
{
	struct plan plan = small_plan(&arena), broken;
	unsigned char *block = copy(&plan, plan.size);

	memcpy(block + offset, &value, sizeof(value));
	assert_int_equal(plan_open(block, plan.size, &broken), -EINVAL);
	free(block);
}

static void test_head(void **state)
{
	static const uint32_t values[] = { 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff0, PLAN_OPS_MAX + 1 };

	(void)state;
	refuse_head(offsetof(struct plan_head, magic), 0);
	refuse_head(offsetof(struct plan_head, version), 2);
	refuse_head(offsetof(struct plan_head, op_count), 0);
	refuse_head(offsetof(struct plan_head, bytes_len), 0);
	refuse_head(offsetof(struct plan_head, slots), PLAN_SLOTS_MAX + 1);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		refuse_head(offsetof(struct plan_head, op_count), values[i]);
		refuse_head(offsetof(struct plan_head, note_count), values[i]);
		refuse_head(offsetof(struct plan_head, bytes_len), values[i]);
	}
}

static void test_misaligned(void **state)
{
	struct plan plan = small_plan(&arena), broken;
	char *block = malloc(plan.size + 1);

	(void)state;
	memcpy(block + 1, plan.head, plan.size);
	assert_int_equal(plan_open(block + 1, plan.size, &broken), -EINVAL);
	free(block);
}

/* Changes one operation of a small plan; the block must be refused. */
static void refuse_op(enum plan_opcode code, unsigned operand, uint64_t arg)
{
	struct plan plan = small_plan(&arena), broken;
	unsigned char *block = copy(&plan, plan.size);
	struct plan_op *op = (struct plan_op *)(void *)(block + ((const char *)find(&plan, code) - (const char *)plan.head));

	op->arg[operand] = arg;
	assert_int_equal(plan_open(block, plan.size, &broken), -EINVAL);
	free(block);
}

static uint64_t pack(uint64_t offset, uint64_t length)
{
	return offset << 32 | length;
}

static void test_operands_out_of_bounds(void **state)
{
	struct plan plan = small_plan(&arena);
	uint64_t end = plan.head->bytes_len, filter = find(&plan, OP_SECCOMP)->arg[0] >> 32;

	(void)state;
	refuse_op(OP_EXEC, 0, pack(end, 1));
	refuse_op(OP_EXEC, 0, pack(end - 1, 2));
	refuse_op(OP_EXEC, 0, pack(UINT32_MAX, UINT32_MAX));
	refuse_op(OP_EXEC, 0, pack(0, end + 1));
	refuse_op(OP_EXEC, 0, pack(0, 3)); /* the last string of the list has no NUL */
	refuse_op(OP_EXEC, 3, 1);          /* behind the last operand */
	refuse_op(OP_SECCOMP, 0, pack(filter, end));
	refuse_op(OP_SECCOMP, 0, pack(filter + 1, 8)); /* a filter that does not start where one may */
	refuse_op(OP_SECCOMP, 0, pack(UINT32_MAX - 7, 16));
}

static void test_strings(void **state)
{
	struct plan plan = sample_plan(&arena), broken;
	unsigned char *block = copy(&plan, plan.size);
	struct plan_op *op = (struct plan_op *)(void *)(block + ((const char *)find(&plan, OP_CHDIR) - (const char *)plan.head));
	uint64_t good = op->arg[0];

	(void)state;
	op->arg[0] = good - 1; /* the byte behind is not a NUL */
	assert_int_equal(plan_open(block, plan.size, &broken), -EINVAL);
	op->arg[0] = good + 1; /* a NUL within */
	assert_int_equal(plan_open(block, plan.size, &broken), -EINVAL);
	op->arg[0] = pack(plan.head->bytes_len, 0);
	assert_int_equal(plan_open(block, plan.size, &broken), -EINVAL);
	op->arg[0] = good;
	op->reserved = 1;
	assert_int_equal(plan_open(block, plan.size, &broken), -EINVAL);
	op->reserved = 0;
	op->why = plan.head->bytes_len;
	assert_int_equal(plan_open(block, plan.size, &broken), -EINVAL);
	op->why = 0;
	op->code = OP_CODES_END;
	assert_int_equal(plan_open(block, plan.size, &broken), -EINVAL);
	op->code = OP_CHDIR;
	assert_int_equal(plan_open(block, plan.size, &broken), 0);

	op = (struct plan_op *)(void *)(block + ((const char *)find(&plan, OP_TREE) - (const char *)plan.head));
	op->arg[0] = plan.head->slots;
	assert_int_equal(plan_open(block, plan.size, &broken), -EINVAL);
	free(block);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_operands_come_back),
		cmocka_unit_test(test_copy_is_the_same_plan),
		cmocka_unit_test(test_every_truncation_is_refused),
		cmocka_unit_test(test_every_flipped_byte_stays_in_bounds),
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_misaligned),
		cmocka_unit_test(test_operands_out_of_bounds),
		cmocka_unit_test(test_strings),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

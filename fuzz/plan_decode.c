/* A plan as the launcher is handed it: whatever the bytes, opening, checking and reading it stays within the block. */
#include "fuzz.h"

#include "plan/print.h"

#include <stdlib.h>
#include <string.h>

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void is_inside(const struct plan *plan, const char *text, size_t n)
{
	require(text >= plan->bytes && text + n <= (const char *)plan->head + plan->size);
}

static void read_operand(const struct plan *plan, const struct plan_op *op, unsigned operand, char kind)
{
	const char *s = NULL;
	size_t n = 0;

	switch (kind) {
	case 't':
		require(plan_number(op, operand) < PLAN_SLOTS_MAX);
		break;
	case 'h':
	case 'p':
	case 's':
		s = plan_text(plan, op, operand);
		is_inside(plan, s, strlen(s) + 1);
		break;
	case 'l':
		while ((s = plan_list_next(plan, op, operand, s))) {
			is_inside(plan, s, strlen(s) + 1);
			n++;
		}
		require(n == plan_list_count(plan, op, operand));
		break;
	case 'b':
		s = plan_blob(plan, op, operand, &n);
		is_inside(plan, s, n);
		break;
	}
}

static void read_plan(const struct plan *plan)
{
	for (uint32_t i = 0; i < plan->head->note_count; i++)
		is_inside(plan, plan_note(plan, i), strlen(plan_note(plan, i)) + 1);
	for (uint32_t i = 0; i < plan->head->op_count; i++) {
		const char *kinds = plan_op_info(plan->op[i].code)->operands;

		is_inside(plan, plan_why(plan, &plan->op[i]), 1);
		for (unsigned k = 0; kinds[k]; k++)
			read_operand(plan, &plan->op[i], k, kinds[k]);
	}

	struct plan_verdict verdict = plan_check(plan);

	require(verdict.fault < PLAN_FAULTS_END && verdict.op <= plan->head->op_count);
	require(plan_fault_text(verdict.fault) != NULL);
}

static void print_plan(const struct plan *plan)
{
	struct str out autostr;

	str_init(&out, 1 << 20);
	plan_print(plan, &out);
	str_clear(&out);
	plan_print_json(plan, &out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct plan plan;

	if (size > 1 << 16)
		return 0;

	void *block = malloc(size + 1); /* aligned as a mapping would be */

	if (size)
		memcpy(block, data, size);
	if (plan_open(block, size, &plan) == 0) {
		read_plan(&plan);
		print_plan(&plan);
	}
	free(block);
	return 0;
}

/*
 * draft.h: a plan whose operations can be moved about, and what plan_check says of it then.
 */
#ifndef COFFER_TESTS_UNIT_PLAN_DRAFT_H
#define COFFER_TESTS_UNIT_PLAN_DRAFT_H

#include "unit/plan/sample.h"

static struct arena arena;

static inline int set_up(void **state)
{
	(void)state;
	arena_init(&arena, 64 << 20);
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

/* A plan whose operations can be moved about. */
struct draft {
	struct plan_head head;
	struct plan_op op[128];
	struct plan plan;
};

static inline struct draft draft_of(struct plan plan)
{
	struct draft d = { .head = *plan.head };

	assert_true(plan.head->op_count < 127);
	memcpy(d.op, plan.op, plan.head->op_count * sizeof(d.op[0]));
	d.plan = plan;
	return d;
}

static inline uint32_t at(const struct draft *d, enum plan_opcode code)
{
	uint32_t i = 0;

	while (d->op[i].code != code)
		i++;
	return i;
}

static inline void drop(struct draft *d, uint32_t i)
{
	memmove(&d->op[i], &d->op[i + 1], (d->head.op_count - i - 1) * sizeof(d->op[0]));
	d->head.op_count--;
}

static inline void insert(struct draft *d, uint32_t i, struct plan_op op)
{
	memmove(&d->op[i + 1], &d->op[i], (d->head.op_count - i) * sizeof(d->op[0]));
	d->op[i] = op;
	d->head.op_count++;
}

static inline void move(struct draft *d, enum plan_opcode code, enum plan_opcode before)
{
	struct plan_op op = d->op[at(d, code)];

	drop(d, at(d, code));
	insert(d, at(d, before), op);
}

#define ABSENT UINT32_MAX

static inline void wants(struct draft *d, enum plan_fault fault, uint32_t op)
{
	struct plan_verdict verdict;

	d->plan.head = &d->head;
	d->plan.op = d->op;
	verdict = plan_check(&d->plan);
	assert_int_equal(verdict.fault, fault);
	assert_int_equal(verdict.op, op == ABSENT ? d->head.op_count : op);
}

#define SAMPLE draft_of(sample_plan(&arena))

#endif

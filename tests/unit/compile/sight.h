/*
 * sight.h: what a process inside sees of a host path, found by carrying the plan's mounts out on paper; and what Landlock adds.
 *
 * The answer is for real paths: nothing here follows links.
 */
#ifndef COFFER_TESTS_UNIT_COMPILE_SIGHT_H
#define COFFER_TESTS_UNIT_COMPILE_SIGHT_H

#include "base/path.h"
#include "plan/plan.h"

#include <string.h>

enum sight { SIGHT_HIDDEN, SIGHT_READ, SIGHT_WRITE };

/* The rights of a tree slot: a tree of the host, and whether it is read-only. */
static inline bool sight_slot_is_read_only(const struct plan *plan, uint64_t slot)
{
	for (uint32_t i = 0; i < plan->head->op_count; i++) {
		const struct plan_op *op = &plan->op[i];

		if ((op->code == OP_TREE || op->code == OP_HOST_TREE) && plan_number(op, 0) == slot)
			return plan_number(op, 2) & PLAN_TREE_RO;
	}
	return false;
}

static inline bool sight_slot_shows(const struct plan *plan, uint64_t slot, const char *path)
{
	for (uint32_t i = 0; i < plan->head->op_count; i++) {
		const struct plan_op *op = &plan->op[i];

		if ((op->code == OP_TREE || op->code == OP_HOST_TREE) && plan_number(op, 0) == slot)
			return strcmp(plan_text(plan, op, 1), path) == 0;
	}
	return false;
}

/* What a mount operation does to the sight of what is below its path. `before` is the sight of the path itself. */
static inline enum sight sight_after(const struct plan *plan, const struct plan_op *op, const char **ret_path, enum sight before)
{
	enum sight tree = SIGHT_READ;

	switch (op->code) {
	case OP_ROOT_NEW:
		*ret_path = "/";
		return SIGHT_HIDDEN;
	case OP_ROOT_TREE:
		*ret_path = "/";
		return sight_slot_is_read_only(plan, plan_number(op, 0)) ? SIGHT_READ : SIGHT_WRITE;
	case OP_PLACE:
		*ret_path = plan_text(plan, op, 1);
		tree = sight_slot_is_read_only(plan, plan_number(op, 0)) ? SIGHT_READ : SIGHT_WRITE;
		return sight_slot_shows(plan, plan_number(op, 0), *ret_path) ? tree : SIGHT_HIDDEN;
	case OP_REBIND:
		*ret_path = plan_text(plan, op, 0);
		return plan_number(op, 1) & PLAN_TREE_RO && before == SIGHT_WRITE ? SIGHT_READ : before;
	case OP_TMPFS:
	case OP_PROC:
	case OP_MASK:
		*ret_path = plan_text(plan, op, 0);
		return SIGHT_HIDDEN;
	default:
		*ret_path = NULL;
		return before;
	}
}

/* Later mounts lie on earlier ones. A rebind of a directory takes what is mounted below it along. */
static inline enum sight sight_of(const struct plan *plan, const char *path)
{
	enum sight sight = SIGHT_HIDDEN;

	for (uint32_t i = 0; i < plan->head->op_count; i++) {
		const char *at;
		enum sight after = sight_after(plan, &plan->op[i], &at, sight);

		if (at && path_within(path, at))
			sight = after;
	}
	return sight;
}

/* The rights that Landlock grants to a path, by the rules at and above it. */
static inline uint64_t sight_rights(const struct plan *plan, const char *path)
{
	uint64_t rights = 0;

	for (uint32_t i = 0; i < plan->head->op_count; i++) {
		const struct plan_op *op = &plan->op[i];

		if (op->code == OP_LANDLOCK_PATH && path_within(path, plan_text(plan, op, 0)))
			rights |= plan_number(op, 1);
	}
	return rights;
}

enum { SIGHT_WRITE_FILE = 1 << 1, SIGHT_READ_FILE = 1 << 2, SIGHT_READ_DIR = 1 << 3, SIGHT_MAKE_REG = 1 << 8 };

#endif

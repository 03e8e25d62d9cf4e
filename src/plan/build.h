/*
 * build.h: putting a plan together. Lives in an arena; the first failure sticks and plan_build_done reports it.
 *
 *   struct plan_build b;
 *   plan_build_init(&b, arena);
 *   plan_build_note(&b, "Landlock ABI 3: TCP rules not enforced");      // before or between operations
 *   plan_add(&b, OP_BIND…, "/filesystem/allowWrite/0", …operands in the order and kind of ops.def…);
 *   r = plan_build_done(&b, &plan, &err);
 *
 * plan_add takes its operands by ops.def: n, t as uint64_t (cast them); h, p, s as const char *; l as const struct
 * text_vec *; b as const void *, size_t.
 */
#ifndef COFFER_PLAN_BUILD_H
#define COFFER_PLAN_BUILD_H

#include "base/arena.h"
#include "base/err.h"
#include "base/vec.h"
#include "plan/plan.h"

VEC(struct plan_op, plan_op_vec)

struct plan_build {
	struct arena *arena;
	struct plan_op_vec ops;
	struct text_vec notes;
	char *bytes;
	size_t bytes_len, bytes_room;
	unsigned slots;
	int failed; /* negative errno once something went wrong */
};

void plan_build_init(struct plan_build *b, struct arena *arena);
void plan_add(struct plan_build *b, enum plan_opcode code, const char *why, ...);
/* Adds an operation of another plan as it is there. */
void plan_add_copy(struct plan_build *b, const struct plan *plan, const struct plan_op *op);
void plan_build_note(struct plan_build *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
unsigned plan_build_slot(struct plan_build *b); /* a fresh tree slot */
/* Lays the block out in the arena, runs plan_open and plan_check. err says which operation breaks which rule (INTERNAL). */
int plan_build_done(struct plan_build *b, struct plan *ret_plan, struct err *err);

#endif

/* print.h: plans for people, for machines, and as a name. Pure. */
#ifndef COFFER_PLAN_PRINT_H
#define COFFER_PLAN_PRINT_H

#include "base/hash.h"
#include "base/str.h"
#include "plan/plan.h"

/* One line an operation, as in docs/PLAN.md. Environment values whose name looks secret print as •••. */
void plan_print(const struct plan *plan, struct str *out);
void plan_print_json(const struct plan *plan, struct str *out);
/* SHA-256 over the block without what prints as •••, as 64 hex digits. */
void plan_digest(const struct plan *plan, char ret_hex[SHA256_BYTES * 2 + 1]);
/* "MASK /home/u/.ssh": one operation on one line, without index and provenance. */
void plan_print_op(const struct plan *plan, const struct plan_op *op, struct str *out);
/* The same without the name. */
void plan_print_operands(const struct plan *plan, const struct plan_op *op, struct str *out);

#endif

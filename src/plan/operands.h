/* operands.h: is one operation, looked at by itself, something that it may say? A part of plan_check; no memory, no stdio. */
#ifndef COFFER_PLAN_OPERANDS_H
#define COFFER_PLAN_OPERANDS_H

#include "plan/plan.h"

/* Absolute, normal, and short enough for the kernel. */
bool operand_is_path(const char *text);

/* Numbers in their ranges, only known flags, filters of whole instructions, lists whose lines say what plan.h promises. */
bool operands_fit(const struct plan *plan, const struct plan_op *op);

#endif

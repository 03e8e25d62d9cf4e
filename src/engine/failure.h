/* failure.h: how an operation that could not be done is told: its provenance as the place, its printed form and the errno as text. */
#ifndef COFFER_ENGINE_FAILURE_H
#define COFFER_ENGINE_FAILURE_H

#include "base/err.h"
#include "plan/plan.h"

/*
 * Sets err and returns -errnum. The code is SETUP, but UNSUPPORTED where the kernel refuses SPAWN's namespaces, their use, a listener, or TREE_IDMAP's change of
 * owners, and INTERNAL for an index that the plan does not have: then it failed before the first.
 */
int failure_set(struct err *err, const struct plan *plan, uint32_t index, int errnum);

#endif

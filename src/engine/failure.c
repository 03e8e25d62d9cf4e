#include "engine/failure.h"

#include "base/str.h"
#include "plan/print.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum { OP_TEXT_MAX = 600 };

/*
 * What clone says when it may not, or cannot any more, or does not know how: another rung of the ladder may do. Root's trees need a user
 * namespace before that, for their ids; there EINVAL is the file system's word.
 */
static bool is_refusal(const struct plan_op *op, int errnum)
{
	if (op->code != OP_SPAWN && op->code != OP_TREE_IDMAP)
		return false;
	return errnum == EPERM || errnum == ENOSPC || errnum == ENOSYS || errnum == EUSERS || (errnum == EINVAL && op->code == OP_SPAWN);
}

int failure_set(struct err *err, const struct plan *plan, uint32_t index, int errnum)
{
	if (index >= plan->head->op_count)
		return err_set(err, ERR_INTERNAL, errnum, "the launcher could not take the plan over: %s", strerror(errnum));

	const struct plan_op *op = &plan->op[index];
	autostr struct str text = { 0 };

	str_init(&text, PLAN_BYTES_MAX);
	plan_print_op(plan, op, &text);

	bool cut = text.len > OP_TEXT_MAX;
	const char *name = text.failed ? plan_op_info(op->code)->name : text.text;
	int r = err_set(err, is_refusal(op, errnum) ? ERR_UNSUPPORTED : ERR_SETUP, errnum, "%.*s%s: %s", OP_TEXT_MAX, name, cut ? "…" : "",
	                strerror(errnum));

	err_at(err, plan_why(plan, op));
	return r;
}

#include "engine/failure.h"

#include "base/str.h"
#include "plan/print.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum { OP_TEXT_MAX = 600 };

/*
 * Where another plan may do. SPAWN: what clone says when it may not, or cannot any more, or does not know how. IDMAP, PRIVATE: the first that a
 * security module refuses (EACCES) which lets anybody make user namespaces, but not use them. TREE_IDMAP: EINVAL is the file system's
 * word, and EPERM that of one of another user namespace. OVERLAY: what is not about the
 * directories themselves: no such file system, a layer on one that will not do, a security module. SECCOMP: a filter around us has a listener, and there is one to a process. REDIRECT: whatever is missing, modules included.
 */
static bool is_refusal(const struct plan_op *op, int errnum)
{
	switch (op->code) {
	case OP_SPAWN:
	case OP_TREE_IDMAP:
		return errnum == EPERM || errnum == ENOSPC || errnum == ENOSYS || errnum == EINVAL || errnum == EUSERS;
	case OP_IDMAP:
	case OP_PRIVATE:
		return errnum == EPERM || errnum == EACCES;
	case OP_OVERLAY:
		return errnum != ESTALE && errnum != ENOENT && errnum != ENOMEM;
	case OP_SECCOMP:
		return errnum == EBUSY;
	case OP_REDIRECT:
		return true;
	default:
		return false;
	}
}

/* What to do next, where that is known. */
static const char *advice(const struct plan_op *op, int errnum)
{
	if (op->code == OP_PUBLISH && errnum == EADDRINUSE)
		return ": another program listens there, so choose another port for the host";
	if (op->code == OP_PUBLISH && errnum == EACCES)
		return ": ports below 1024 are root's, so choose another one for the host";
	if (op->code == OP_PUBLISH && errnum == EADDRNOTAVAIL)
		return ": this machine has no such address";
	return "";
}

int failure_set(struct err *err, const struct plan *plan, uint32_t index, int errnum)
{
	if (index >= plan->head->op_count && errnum == EBUSY)
		return err_set(
		    err, ERR_BUSY, errnum,
		    "as many commands as a session takes run in it, or have left processes that still do: end some of those that `ps -e` shows "
		    "there, `coffer session stop-process` those of `coffer session ps`, or try again when one has ended");
	if (index >= plan->head->op_count)
		return err_set(err, ERR_INTERNAL, errnum, "the launcher could not take the plan over: %s", strerror(errnum));

	const struct plan_op *op = &plan->op[index];
	autostr struct str text = { 0 };

	str_init(&text, PLAN_BYTES_MAX);
	plan_print_op(plan, op, &text);

	bool cut = text.len > OP_TEXT_MAX;
	const char *name = text.failed ? plan_op_info(op->code)->name : text.text;
	int r = err_set(err, is_refusal(op, errnum) ? ERR_UNSUPPORTED : ERR_SETUP, errnum, "%.*s%s: %s%s", OP_TEXT_MAX, name,
	                cut ? "…" : "", strerror(errnum), advice(op, errnum));

	err_at(err, plan_why(plan, op));
	return r;
}

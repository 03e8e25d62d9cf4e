#include "policy/fault.h"

#include <errno.h>
#include <string.h>

enum { FAULT_LINE_MAX = 64 << 10 };

int policy_fault_add(struct fault_vec *faults, struct arena *arena, struct policy_fault fault)
{
	struct policy_fault *slot = fault_vec_add(faults, arena);

	if (!slot)
		return -ENOMEM;
	*slot = fault;
	return 0;
}

static void add(struct str *out, const char *before, const char *text, const char *after)
{
	if (!text)
		return;
	str_add(out, before);
	str_add_escaped(out, text, strlen(text));
	str_add(out, after);
}

/* What comes after the place. */
static void print_text(const struct policy_fault *fault, struct str *out)
{
	add(out, "found ", fault->found, fault->allowed ? ", " : "");
	add(out, fault->found ? "allowed " : "", fault->allowed, "");
	add(out, "; did you mean ", fault->nearest, "?");
}

void policy_fault_print(const struct policy_fault *fault, struct str *out)
{
	add(out, "", fault->source, "");
	add(out, " ", fault->pointer, "");
	str_add(out, fault->warning ? ": warning: " : ": ");
	print_text(fault, out);
}

/* err's own text is bounded, so a line cut at its end is too. */
static int fill(struct err *err, const struct policy_fault *fault, size_t more)
{
	autostr struct str where = { 0 };
	autostr struct str text = { 0 };
	int r;

	str_init(&where, FAULT_LINE_MAX);
	str_init(&text, FAULT_LINE_MAX);
	add(&where, "", fault->source, "");
	add(&where, " ", fault->pointer, "");
	print_text(fault, &text);
	if (more)
		str_printf(&text, " (and %zu more)", more);
	r = err_set(err, fault->code, fault->code == ERR_UNSUPPORTED ? ENOTSUP : EINVAL, "%s", text.text);
	err_at(err, where.text);
	return r;
}

int policy_faults_err(const struct fault_vec *faults, struct err *err)
{
	const struct policy_fault *first = NULL;
	size_t errors = 0;

	for (size_t i = 0; i < faults->n; i++) {
		if (faults->at[i].warning)
			continue;
		if (!first)
			first = &faults->at[i];
		errors++;
	}
	return first ? fill(err, first, errors - 1) : 0;
}

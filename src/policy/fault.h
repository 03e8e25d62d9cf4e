/*
 * fault.h: what is wrong with settings, all of it at once.
 *
 * A reader does not stop at the first mistake: it collects faults, and nothing of the document counts if there is one. Each prints on
 * one line:
 *
 *   settings.json /limits/memory: found "12 bananas", allowed a size such as 512M
 *   settings.json /filesytem: found an unknown key; did you mean /filesystem?
 */
#ifndef COFFER_POLICY_FAULT_H
#define COFFER_POLICY_FAULT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"

#include <stdbool.h>

struct policy_fault {
	enum err_code code;  /* POLICY, or UNSUPPORTED for what this version does not do */
	bool warning;        /* worth saying, but the policy can be used */
	const char *source;  /* "settings.json", "--memory", a rule's provenance; never NULL */
	const char *pointer; /* JSON pointer, or NULL */
	const char *found;   /* a phrase, or NULL */
	const char *allowed; /* a phrase, or NULL */
	const char *nearest; /* what may have been meant, or NULL */
};
VEC(struct policy_fault, fault_vec)

/* Adds a copy (its strings are borrowed). 0 or -ENOMEM. */
int policy_fault_add(struct fault_vec *faults, struct arena *arena, struct policy_fault fault);
/* The line, without a newline; control characters escaped. */
void policy_fault_print(const struct policy_fault *fault, struct str *out);
/* 0 when there are warnings at most; else fills err with the first error, and how many more there are. */
int policy_faults_err(const struct fault_vec *faults, struct err *err);

#endif

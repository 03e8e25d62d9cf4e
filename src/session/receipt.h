/*
 * receipt.h: what was enforced in a run, and by what, read off the plan that was carried out.
 *
 * The plan is the evidence: each of its operations was done, or there was no run. So the receipt is not a second account of what
 * coffer means to do but a summary of what it did. Pure; made only when somebody asks, for it hashes the plan.
 */
#ifndef COFFER_SESSION_RECEIPT_H
#define COFFER_SESSION_RECEIPT_H

#include "base/arena.h"
#include "base/hash.h"
#include "base/str.h"
#include "base/vec.h"
#include "plan/facts.h"
#include "plan/plan.h"
#include "policy/policy.h"

enum receipt_rung { RECEIPT_NAMESPACES = 1, RECEIPT_LANDLOCK = 2 };

struct receipt_limit {
	uint64_t value;      /* NUM_UNLIMITED: none was asked for */
	const char *backend; /* "cgroup2", "cgroup1", "rlimit", "tmpfs", "watch"; NULL: nothing enforces it, and a note says so */
};

struct receipt {
	enum receipt_rung rung;
	const char *why_not_first;  /* rung two: what keeps this machine from the first; else NULL */
	struct text_vec namespaces; /* "user", "mount", … */
	const char *workspace;      /* "shared", "overlay", "copy": what of it could be written on the host */
	uint32_t landlock_abi;      /* 0: no Landlock */
	uint32_t landlock_rules;
	uint32_t seccomp_instructions;
	struct receipt_limit limit[POLICY_LIMITS_END];
	struct text_vec notes;  /* the plan's */
	struct text_vec untold; /* denials that this run could not tell of */
	char digest[SHA256_BYTES * 2 + 1];
	const char *kernel, *arch;
};

/* Strings land in the arena or are borrowed from plan and facts. Returns 0 or -ENOMEM. */
int receipt_make(const struct plan *plan, const struct policy *policy, const struct facts *facts, struct arena *arena,
                 struct receipt *ret_receipt);

const char *receipt_rung_name(enum receipt_rung rung);   /* "namespaces", "landlock" */
const char *receipt_limit_name(enum policy_limit_id id); /* the settings key: "memory" */

void receipt_print_json(const struct receipt *receipt, struct str *out);

#endif

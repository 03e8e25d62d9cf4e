/*
 * rules.h: the policy's rules as this host sees them. Private to src/compile.
 *
 * A claim is a rule together with what it does. A mark is a claim that has landed: at the real place where a path leads, once for
 * each path that a glob matched. Rules about what does not exist leave no mark; patterns.c has them.
 */
#ifndef COFFER_COMPILE_RULES_H
#define COFFER_COMPILE_RULES_H

#include "base/vec.h"
#include "plan/survey.h"
#include "policy/policy.h"

#include <stdbool.h>

struct compile;

/* In the order in which they apply at one place: the later one wins. */
enum effect { EFFECT_FRESH, EFFECT_OWN, EFFECT_DENY_READ, EFFECT_ALLOW_READ, EFFECT_ALLOW_WRITE, EFFECT_DENY_WRITE };

struct claim {
	enum effect effect;
	const struct policy_rule *rule;
	const struct rule_vec *list; /* that holds the rule: its exceptions are there */
};
VEC(struct claim, claim_vec)

struct mark {
	const char *path;
	enum effect effect;
	const char *why;
	const struct survey_entry *entry; /* whose identity path has; NULL: nobody looked, for FRESH */
	bool named;                       /* somebody opened exactly this place, or it is the workspace */
	bool writable;                    /* FRESH: the sandbox may write there */
	size_t order;                     /* keeps sorting stable */
};
VEC(struct mark, mark_vec)

/* The rules of the four lists, and those that only a run can have: directories of PATH, the workspace. For questions as well. */
int rules_collect(struct compile *c);

bool rules_claim_denies(const struct claim *claim);
/* What the survey found for a glob, or in a directory: returns how many, from *ret_first on. */
size_t rules_matches(const struct match_vec *all, const char *key, const struct survey_match **ret_first);

#endif

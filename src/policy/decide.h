/*
 * decide.h: may this path be read or written under a resolved policy, and which rule says so?
 *
 * The precedence of policy.h as code: what tests hold the compiler's mounts against, and what `coffer why` quotes. Paths are text; symbolic
 * links are the survey's matter. Rules for existing paths count as if the path existed, and those that spare directories as if it were none.
 */
#ifndef COFFER_POLICY_DECIDE_H
#define COFFER_POLICY_DECIDE_H

#include "policy/policy.h"

enum policy_access { POLICY_READ, POLICY_WRITE };

struct policy_verdict {
	bool allowed;
	const struct policy_rule *rule; /* that decided; NULL when none covers the path */
};

/* path is normal. */
struct policy_verdict policy_decide(const struct policy *policy, const char *path, enum policy_access access);
bool policy_allows(const struct policy *policy, const char *path, enum policy_access access);

/*
 * How many bytes of path the rule is about: the rule's path, or the longest directory above (or path itself) that its glob
 * matches; 0 when it does not cover path. list is the list that holds the rule, for its exceptions.
 */
size_t policy_rule_place(const struct rule_vec *list, const struct policy_rule *rule, const char *path);

#endif

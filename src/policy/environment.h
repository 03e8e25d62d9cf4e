/*
 * environment.h: which of the caller's variables a sandbox sees.
 *
 * The default list holds what programs need in order to find themselves and the terminal. It has nothing that commonly carries secrets
 * (tokens, agent sockets), that reaches the host (display, session bus, proxies) or that loads code (LD_*, *_OPTIONS).
 */
#ifndef COFFER_POLICY_ENVIRONMENT_H
#define COFFER_POLICY_ENVIRONMENT_H

#include "policy/policy.h"

/* Adds the default list, or "*" as in srt, to policy->environment.inherit. 0 or -ENOMEM. */
int environment_inherit_default(struct policy *policy, struct arena *arena);
int environment_inherit_all(struct policy *policy, struct arena *arena);

/* A variable's name: letters, digits and '_', no digit first. With `prefix` a '*' may end it, or stand alone. */
bool environment_name_is_valid(const char *name, bool prefix);
/* Does the name look like that of a secret (…TOKEN, …PASSWORD, …API_KEY)? Such values are printed as •••. */
bool environment_name_is_secret(const char *name);

/* Does a variable of the caller's come in by that name? */
bool environment_is_inherited(const struct policy *policy, const char *name);

/* Adds or replaces one setting. value NULL: the variable is not there, whatever the caller has. 0 or -ENOMEM. */
int environment_set(struct policy *policy, struct arena *arena, const char *name, const char *value, const char *why);

/*
 * The environment of a run: caller's entries ("NAME=value", NULL-terminated) that policy.environment.inherit names, in the
 * caller's order and the first of each name only; then COFFER=1 and coffer's own (value NULL: it is not there); then policy.environment.set, which wins. Entries
 * with an invalid name are left out. ret_env is NULL-terminated, in the arena (values are borrowed from the caller's). 0 or -ENOMEM.
 */
int policy_environment_build(const struct policy *policy, struct arena *arena, const char *const *caller, const struct variable_vec *ours,
                             const char *const **ret_env);

#endif

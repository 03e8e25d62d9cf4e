/*
 * profiles.h: settings documents that come with coffer. profiles/profiles.def has them, each with its reason.
 *
 * A profile is a document like any other: read it into a policy with policy_read. Read into the built-in default it is the base that a
 * request then tightens.
 */
#ifndef COFFER_POLICY_PROFILES_H
#define COFFER_POLICY_PROFILES_H

#include "policy/read.h"

struct policy_profile_info {
	const char *name, *sentence;
	struct policy_document document;
};

/* Profile number `index`; NULL past the last. */
const struct policy_profile_info *policy_profile_at(size_t index);
/* The document of a profile, or NULL when there is none of that name. */
const struct policy_document *policy_profile(const char *name);
/* "strict, agent, build or test": for messages. */
const char *policy_profile_names(void);

#endif

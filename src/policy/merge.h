/*
 * merge.h: making a policy narrower. Nothing here makes one wider.
 *
 * The base is what somebody responsible has allowed; a request is what somebody else wants. The result allows what both allow: denials of
 * both; the request's allowRead and allowWrite where it has any, as far as the base allows them; the lower of two limits; the stricter of
 * two words. Fields that the request does not mention are the base's (policy_init_request).
 *
 * What a request asks for and does not get is dropped, and is a fault; whether that is fatal is the caller's to say
 * (policy_resolve says yes). A pattern in allowRead or allowWrite is granted when the base has the same one, or when the base allows the directory
 * above it and denies nothing below that; for what it will match is not known.
 */
#ifndef COFFER_POLICY_MERGE_H
#define COFFER_POLICY_MERGE_H

#include "policy/fault.h"
#include "policy/policy.h"

/* Both resolved against the same working directory and home. 0 or -ENOMEM; then *base is as before. */
int policy_merge(struct policy *base, const struct policy *request, struct arena *arena, struct fault_vec *faults);

/*
 * The same for policies that are not resolved yet: remembers the request (and those that tighten it) until policy_resolve knows what the
 * paths of both are. What they point to must live as long as policy. May be called for several. 0 or -ENOMEM.
 */
int policy_tighten(struct policy *policy, const struct policy *request, struct arena *arena);

#endif

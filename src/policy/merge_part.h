/* merge_part.h: what merge.c and merge_secure.c share. */
#ifndef COFFER_POLICY_MERGE_PART_H
#define COFFER_POLICY_MERGE_PART_H

#include "policy/fault.h"
#include "policy/policy.h"

struct merge {
	const struct policy *base, *request;
	struct policy next;
	struct arena *arena;
	struct fault_vec *faults;
	int failed;
};

/* The request asked for something that it does not get. why NULL: "request". */
void merge_refuse(struct merge *m, const char *why, const char *found, const char *allowed);
void merge_refuse_field(struct merge *m, const char *pointer, const char *found, const char *allowed);
/* Does a list of names and prefixes let every name through that entry does? */
bool merge_lets_through(const struct text_vec *list, const char *entry);

/* TLS, rules for requests, credentials. */
void merge_secure(struct merge *m);

#endif

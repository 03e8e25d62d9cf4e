/*
 * merge_part.h: what the files of merging share. Private to merge*.c.
 */
#ifndef COFFER_POLICY_MERGE_PART_H
#define COFFER_POLICY_MERGE_PART_H

#include "policy/merge.h"

struct merge {
	const struct policy *base, *request;
	struct policy next;
	struct arena *arena;
	struct fault_vec *faults;
	int failed;
};

/* What is asked for and not granted: found is NULL when there was no memory for it. */
void merge_refuse(struct merge *m, const char *why, const char *found, const char *allowed);
/* The same for a field that says no more than yes or a word, if the request has it at all. */
void merge_refuse_field(struct merge *m, const char *pointer, const char *found, const char *allowed);
void merge_add_rule(struct merge *m, struct rule_vec *list, const struct policy_rule *rule);

void merge_network(struct merge *m);

/* Does a list of names and prefixes let every name through that entry does? */
bool merge_lets_through(const struct text_vec *list, const char *entry);
/* TLS, rules for requests, credentials. */
void merge_secure(struct merge *m);

#endif

/*
 * rules.h: the regions and patterns of INIT (plan.h), asked about one path. Answers are indices into its list of provenance, plus 1, as
 * wire.h sends them; 0: no rule. No memory, no system call: the launcher links it.
 */
#ifndef COFFER_PLAN_RULES_H
#define COFFER_PLAN_RULES_H

#include "plan/plan.h"

#include <stdbool.h>
#include <stdint.h>

struct rules {
	const struct plan *plan;
	const struct plan_op *init;
};

/* The region of a path: 'w', also for 'p', 'r' or 'h'. Without any, all is writable. */
char rules_region(const struct rules *rules, const char *path, uint32_t *ret_rule);
/* The pattern that forbids to make or write this name, as a directory or as something else. */
uint32_t rules_name(const struct rules *rules, const char *path, bool is_dir);
/* Is it in a 'p' region, where nothing of the host's can be? */
bool rules_private(const struct rules *rules, const char *path);
/* Is the path a local socket that somebody listed? */
bool rules_socket(const struct rules *rules, const char *path);
/* The pattern that forbids to open this file at all. */
uint32_t rules_read(const struct rules *rules, const char *path);
/*
 * The pattern that forbids to give a directory another path, for what may be below it. `from` is NULL for a new link, below which anything
 * may be.
 */
uint32_t rules_carry(const struct rules *rules, const char *from, const char *to);

#endif

/* rules_part.h: what rules.c and rules_tls.c share. */
#ifndef COFFER_EGRESS_RULES_PART_H
#define COFFER_EGRESS_RULES_PART_H

#include "base/arena.h"
#include "base/json.h"
#include "egress/rules.h"

struct reading {
	struct arena *arena;
	struct filter_rules *rules;
	struct err *err;
};

/* -EINVAL. The value is described; NULL where it is not to be. */
int rules_refuse(const struct reading *reading, const char *where, const char *wanted, const json_t *value);
/* The members that rules.c does not know. */
int rules_read_tls_member(const struct reading *reading, const char *where, const char *name, const json_t *value);

#endif

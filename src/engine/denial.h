/*
 * denial.h: the refusals of a run, each different one once, with how often it was seen.
 */
#ifndef COFFER_ENGINE_DENIAL_H
#define COFFER_ENGINE_DENIAL_H

#include "base/arena.h"
#include "plan/outcome.h"
#include "plan/plan.h"
#include "plan/wire.h"

enum { DENIALS_MAX = 1000, DENIALS_SLOTS = 2048 };

struct denial_log {
	struct denial_vec denials;
	uint64_t dropped; /* different ones beyond the ceiling, or beyond memory */
	uint64_t ignored; /* that the caller wants to hear nothing of */
	uint16_t *slots;  /* a hash table: index into denials plus 1; 0: free. NULL before the first */
	uint64_t *hashes; /* of each denial */
};

/* Room for the words of a denial that are in no table. */
struct denial_words {
	char operation[24], target[16];
};
/* What init told: comm and target, a stranger's bytes, are text's, other strings the plan's and words'. */
struct denial denial_read(const struct plan *plan, const struct wire *wire, const char *text, struct denial_words *words);
/*
 * Adds one that is complete but for its count. Its strings are copied. Returns the denial when it is a new one, NULL when it was
 * seen before or dropped. The pointer lives until the next call.
 */
const struct denial *denial_note(struct denial_log *log, struct arena *arena, const struct denial *denial);

#endif

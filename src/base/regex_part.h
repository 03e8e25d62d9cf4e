/* regex_part.h: the program that regex.c makes of an expression and regex_find.c runs. */
#ifndef COFFER_BASE_REGEX_PART_H
#define COFFER_BASE_REGEX_PART_H

#include "base/regex.h"

#include <stdint.h>

enum op { OP_SET, OP_SPLIT, OP_JUMP, OP_SAVE, OP_START, OP_END, OP_WORD, OP_NO_WORD, OP_MATCH };
enum { SETS_MAX = 512, SET_BYTES = 32, SLOTS = 4, COUNT_MAX = 1000, UNBOUNDED = -1 };

struct step {
	enum op op;
	int x, y; /* SPLIT: the preferred way, the other one; JUMP, SAVE, SET: x alone */
};
struct set {
	unsigned char bits[SET_BYTES];
};
struct way {
	int at;
	size_t slot[SLOTS];
};
struct ways {
	struct way *way;
	size_t n;
};

struct regex {
	struct step step[REGEX_STEPS_MAX];
	struct set set[SETS_MAX];
	size_t steps_n, sets_n, groups;
	struct ways now, next;
	struct way *waiting;          /* of follow */
	size_t seen[REGEX_STEPS_MAX]; /* the position, plus one, at which a step was last reached */
};

static inline bool has(const struct set *set, unsigned char c)
{
	return set->bits[c / 8] >> c % 8 & 1;
}

#endif

/*
 * patterns.h: the names that mounts cannot guard, for init to guard. Private to src/compile.
 *
 * A mount needs something to lie on. What does not exist yet (a .git/hooks in a directory that is no repository so far), what a
 * glob will match later, and a symbolic link itself are names only: plan.h, INIT says what init makes of the lines.
 */
#ifndef COFFER_COMPILE_PATTERNS_H
#define COFFER_COMPILE_PATTERNS_H

#include "base/vec.h"

#include <stdbool.h>

struct compile;

struct pattern {
	char letter;      /* 'w' 'd' '+' 'r' 'o' */
	const char *glob; /* absolute, on real paths */
	const char *why;
	bool by_hand; /* somebody wrote the rule; exceptions of the built-in table do not touch it */
};
VEC(struct pattern, pattern_vec)

/* The protected places that pins are for, whether they exist or not: real paths. */
struct guarded {
	const char *path;
	const char *why;
};
VEC(struct guarded, guarded_vec)

#endif

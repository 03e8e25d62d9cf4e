/* python_fold.h: identifiers as Python compares them. */
#ifndef COFFER_VERIFY_PYTHON_FOLD_H
#define COFFER_VERIFY_PYTHON_FOLD_H

#include "base/arena.h"

#include <stdint.h>

/*
 * The name with each letter that NFKC makes an ASCII one of replaced by that; others stay as they are, for no rule has one. In the arena; *n is its length before and
 * after. NULL: no memory.
 */
const char *python_fold(const char *name, uint32_t *n, struct arena *arena);

#endif

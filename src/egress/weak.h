/*
 * weak.h: for tests. An attack that is refused proves nothing unless it would succeed without the check that refuses it. So a check can be left out,
 * by name, in a program that tests build for themselves (tests/weak); in coffer-egress WEAKENED is false when it is compiled, and tools/symbols
 * looks that nothing of this is in it.
 */
#ifndef COFFER_EGRESS_WEAK_H
#define COFFER_EGRESS_WEAK_H

#include <stdbool.h>

#ifdef COFFER_EGRESS_WEAK
bool weakened(const char *what);
#define WEAKENED(what) weakened(what)
#else
#define WEAKENED(what) false
#endif

#endif

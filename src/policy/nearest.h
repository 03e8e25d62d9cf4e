/* nearest.h: what somebody who misspelt a word may have meant. */
#ifndef COFFER_POLICY_NEAREST_H
#define COFFER_POLICY_NEAREST_H

#include <stddef.h>

enum { NEAREST_WORD_MAX = 64, NEAREST_NONE = 1000 };

/* How many letters differ (Levenshtein's distance; case counts half as much as a letter, in halves). NEAREST_NONE when a word is too long. */
unsigned nearest_distance(const char *a, const char *b);
/* The greatest distance at which a word of this length is still taken for another. */
unsigned nearest_limit(size_t len);

#endif

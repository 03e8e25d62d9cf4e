/* nearest.h: what somebody who misspelt a word may have meant. */
#ifndef COFFER_BASE_NEAREST_H
#define COFFER_BASE_NEAREST_H

#include <stddef.h>

enum { NEAREST_WORD_MAX = 64, NEAREST_NONE = 1000 };

/* How many letters differ (Levenshtein's distance; case counts half as much as a letter, in halves). NEAREST_NONE when a word is too long. */
unsigned nearest_distance(const char *a, const char *b);
/* The greatest distance at which a word of this length is still taken for another. */
unsigned nearest_limit(size_t len);

/* Best guess so far; start with zeros but for `wanted`. */
struct nearest {
	const char *wanted;
	const char *word; /* NULL: nothing is near enough */
	unsigned distance;
};

/* Takes the word if it is nearer than the guess so far; one that begins with what is wanted is as near as one letter. */
void nearest_try(struct nearest *nearest, const char *word);

#endif

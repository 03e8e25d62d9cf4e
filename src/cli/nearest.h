/* nearest.h: the word that somebody probably meant. */
#ifndef COFFER_CLI_NEAREST_H
#define COFFER_CLI_NEAREST_H

#include <stddef.h>

/* Best guess so far; start with zeros but for `wanted`. */
struct nearest {
	const char *wanted;
	const char *word; /* NULL: nothing is near enough */
	size_t distance;
};

void nearest_try(struct nearest *nearest, const char *word);

#endif

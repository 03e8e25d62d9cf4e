#include "cli/nearest.h"

#include <string.h>

enum { WORD_MAX = 48 };

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;
	return ab < c ? ab : c;
}

/* Levenshtein's distance, one row at a time. */
static size_t distance(const char *a, size_t n, const char *b, size_t m)
{
	size_t row[WORD_MAX + 1];
	for (size_t j = 0; j <= m; j++)
		row[j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			size_t above = row[j];
			row[j] = least(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[m];
}

void nearest_try(struct nearest *nearest, const char *word)
{
	size_t n = strlen(nearest->wanted), m = strlen(word);
	if (n == 0 || n > WORD_MAX || m > WORD_MAX)
		return;
	size_t d = n > 2 && strncmp(nearest->wanted, word, n) == 0 ? 1 : distance(nearest->wanted, n, word, m);
	if (d > (n < 6 ? 2 : n / 3) || d >= m || (nearest->word && d >= nearest->distance))
		return;
	nearest->word = word;
	nearest->distance = d;
}

#include "base/nearest.h"

#include <string.h>

enum { LETTER = 2, CASE = 1 };

static unsigned char lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static unsigned cost(char a, char b)
{
	if (a == b)
		return 0;
	return lower(a) == lower(b) ? CASE : LETTER;
}

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned ab = a < b ? a : b;

	return ab < c ? ab : c;
}

unsigned nearest_distance(const char *a, const char *b)
{
	unsigned row[NEAREST_WORD_MAX + 1];
	size_t n = strlen(a), m = strlen(b);

	if (n > NEAREST_WORD_MAX || m > NEAREST_WORD_MAX)
		return NEAREST_NONE;
	for (size_t j = 0; j <= m; j++)
		row[j] = (unsigned)j * LETTER;
	for (size_t i = 1; i <= n; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i * LETTER;
		for (size_t j = 1; j <= m; j++) {
			unsigned above = row[j];

			row[j] = least(above + LETTER, row[j - 1] + LETTER, diagonal + cost(a[i - 1], b[j - 1]));
			diagonal = above;
		}
	}
	return row[m];
}

unsigned nearest_limit(size_t len)
{
	return LETTER * (len < 6 ? 2 : (unsigned)len / 3);
}

void nearest_try(struct nearest *nearest, const char *word)
{
	size_t n = strlen(nearest->wanted), m = strlen(word);
	unsigned distance = nearest_distance(nearest->wanted, word);

	if (n > 2 && strncmp(nearest->wanted, word, n) == 0)
		distance = LETTER;
	if (n == 0 || distance > nearest_limit(n) || distance >= LETTER * m || (nearest->word && distance >= nearest->distance))
		return;
	nearest->word = word;
	nearest->distance = distance;
}

#include "verify/python_fold.h"

#include "base/own.h"
#include "base/utf8.h"

#include <string.h>

enum { FOLDED_MAX = 4 }; /* no code point becomes more than its UTF-8 is long, times this */

static const struct fold {
	uint32_t first, n;
	const char *text;
} folds[] = {
#define FOLD(first, n, text) { first, n, text },
#include "verify/python_fold.def"
#undef FOLD
};

/* Adds what a code point becomes. Returns how many bytes, 0 when it stays. */
static size_t add_folded(uint32_t code, char *out)
{
	for (size_t i = 0; i < ARRAY_LEN(folds); i++) {
		size_t n = strlen(folds[i].text);
		if (code < folds[i].first || code >= folds[i].first + folds[i].n)
			continue;
		memcpy(out, folds[i].text, n);
		out[n - 1] = (char)(out[n - 1] + (char)(code - folds[i].first));
		return n;
	}
	return 0;
}

const char *python_fold(const char *name, uint32_t *n, struct arena *arena)
{
	char *out = arena_array(arena, *n + 1, FOLDED_MAX);
	size_t to = 0;

	for (uint32_t at = 0; out && at < *n;) {
		uint32_t code = 0;
		size_t taken = utf8_take(name + at, *n - at, &code), added = taken > 1 ? add_folded(code, out + to) : 0;
		taken = taken ? taken : 1;
		if (!added) {
			memcpy(out + to, name + at, taken);
			added = taken;
		}
		to += added;
		at += (uint32_t)taken;
	}
	if (out)
		*n = (uint32_t)to;
	return out;
}

/*
 * Masking: the first line is the pattern (none: the whole text), the rest what a file holds; a first byte of 'j' asks for tokens, 'd' for duplicates. No secret
 * is longer than its placeholder, none is left where it was found, and the placeholders taken back give the text.
 */
#include "fuzz.h"

#include "base/regex.h"
#include "policy/mask.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void require(bool holds)
{
	if (!holds)
		abort();
}

static bool starts_with(const char *text, size_t n, const char *with)
{
	return strlen(with) <= n && memcmp(text, with, strlen(with)) == 0;
}

/* Goes through what came out and the text side by side. */
static void take_back(const struct mask *mask, const struct masked *out, const char *text, size_t n)
{
	size_t at = 0;

	for (size_t i = 0; i < out->n;) {
		const struct credential_secret *found = NULL;

		for (size_t k = 0; k < mask->secrets.n && !found; k++)
			if (starts_with(out->text + i, out->n - i, mask->secrets.at[k].placeholder))
				found = &mask->secrets.at[k];
		require(found ? starts_with(text + at, n - at, found->value) : at < n && text[at] == out->text[i]);
		at += found ? strlen(found->value) : 1;
		i += found ? strlen(found->placeholder) : 1;
	}
	require(at == n);
}

static void check(const struct credential *credential, const char *text, size_t n)
{
	struct masked out = { text, n };
	struct arena arena;
	const char *fault = NULL;
	struct regex *regex;

	arena_init(&arena, 64 << 20);

	struct mask mask = { .arena = &arena, .seed = "seed" };

	if ((!credential->extract || (regex_compile(credential->extract, &arena, &regex, &fault) == 0 && regex_groups(regex) > 0)) &&
	    mask_text(&mask, credential, &out, &fault) == 0 && out.text) {
		for (size_t i = 0; i < mask.secrets.n; i++)
			require(strlen(mask.secrets.at[i].placeholder) >= strlen(mask.secrets.at[i].value));
		take_back(&mask, &out, text, n);
	}
	arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2 || size > 1 << 12)
		return 0;

	char *all = strndup((const char *)data + 1, size - 1), *text = all, *pattern = strsep(&text, "\n");
	struct credential credential = {
		.is_file = true, .name = "/f", .mask = true, .jwt = data[0] == 'j', .mask_duplicates = data[0] == 'd'
	};

	credential.extract = *pattern ? pattern : NULL;
	if (text)
		check(&credential, text, strlen(text));
	free(all);
	return 0;
}

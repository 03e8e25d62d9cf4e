/*
 * Globs against a matcher that is slow and plainly right: the first line of the input is the pattern, the second the path.
 *
 * The reference recurses over every choice that a star has. Its time is exponential, so only short inputs are compared; longer
 * ones only have to end.
 */
#include "fuzz.h"

#include "base/glob.h"

#include <stdlib.h>
#include <string.h>

enum { COMPARED_MAX = 24, COMPONENTS_MAX = 16 };

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* The set at p, if it is one: which bytes are in it. Returns what follows, or NULL. */
static const char *read_set(const char *p, bool ret_in[256])
{
	bool negated = *++p == '!', first = true;
	bool in[256] = { false };

	for (p += negated; *p && (first || *p != ']'); first = false) {
		p += *p == '\\' && p[1];

		unsigned char low = (unsigned char)*p++, high = low;

		if (p[0] == '-' && p[1] && p[1] != ']') {
			p++;
			p += *p == '\\' && p[1];
			high = (unsigned char)*p++;
		}
		for (unsigned c = low; c <= high; c++)
			in[c] = true;
	}
	if (*p != ']')
		return NULL;
	for (unsigned c = 0; c < 256; c++)
		ret_in[c] = in[c] != negated;
	return p + 1;
}

/* One component, both NUL-terminated. */
static bool match_name(const char *p, const char *s)
{
	bool in[256];
	const char *after;

	if (*p == '\0')
		return *s == '\0';
	if (*p == '*')
		return match_name(p + 1, s) || (*s && match_name(p, s + 1));
	if (*s == '\0')
		return false;
	if (*p == '?')
		return match_name(p + 1, s + 1);
	if (*p == '[' && (after = read_set(p, in)))
		return in[(unsigned char)*s] && match_name(after, s + 1);
	if (*p == '\\' && p[1])
		p++;
	return *p == *s && match_name(p + 1, s + 1);
}

/* Components, NULL-terminated. */
static bool match(char *const *p, char *const *s, bool covers)
{
	if (!*p)
		return covers || !*s;
	if (strcmp(*p, "**") == 0)
		return match(p + 1, s, covers) || (*s && match(p, s + 1, covers));
	return *s && match_name(*p, *s) && match(p + 1, s + 1, covers);
}

static void split(char *text, char *ret_parts[COMPONENTS_MAX + 1])
{
	size_t n = 0;

	for (char *part; (part = strsep(&text, "/"));)
		if (*part && n < COMPONENTS_MAX)
			ret_parts[n++] = part;
	ret_parts[n] = NULL;
}

static void compare(const char *pattern, const char *path)
{
	char p_text[COMPARED_MAX + 1], s_text[COMPARED_MAX + 1];
	char *p[COMPONENTS_MAX + 1], *s[COMPONENTS_MAX + 1];

	memcpy(p_text, pattern, strlen(pattern) + 1);
	memcpy(s_text, path, strlen(path) + 1);
	split(p_text, p);
	split(s_text, s);
	require(glob_match(pattern, path) == match(p, s, false));
	require(glob_covers(pattern, path) == match(p, s, true));
}

/* What matches below each directory above the path must not be pruned there. */
static void check_pruning(const char *pattern, char *path)
{
	if (path[0] != '/' || strstr(path, "//") || !glob_match(pattern, path))
		return;
	for (char *slash; (slash = strrchr(path, '/'));) {
		bool below = slash[1] != '\0';

		*slash = '\0';
		if (below)
			require(glob_may_match_below(pattern, *path ? path : "/"));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 1 << 12)
		return 0;

	char *text = strndup((const char *)data, size);
	char *path = text, *pattern = strsep(&path, "\n");

	if (path) {
		glob_match(pattern, path);
		glob_covers(pattern, path);
		glob_may_match_below(pattern, path);
		if (strlen(pattern) <= COMPARED_MAX && strlen(path) <= COMPARED_MAX)
			compare(pattern, path);
		check_pruning(pattern, path);
	}
	if (pattern[0] == '/') {
		size_t top = glob_literal_top(pattern);

		require(top >= 1 && top <= strlen(pattern));
		require(glob_is_pattern(pattern) || top == strlen(pattern));
	}
	free(text);
	return 0;
}

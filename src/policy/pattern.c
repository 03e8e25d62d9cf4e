#include "policy/pattern.h"

#include <string.h>

/* Is this a backslash that quotes the byte behind it? Not a '/', which always separates, and not the end. */
static bool quotes(const char *p)
{
	return p[0] == '\\' && p[1] && p[1] != '/';
}

/* The first `*`, `?` or `[` in n bytes that no backslash quotes, or NULL. */
static const char *find_glob(const char *text, size_t n)
{
	for (const char *p = text; p < text + n; p++) {
		if (quotes(p))
			p++;
		else if (*p == '*' || *p == '?' || *p == '[')
			return p;
	}
	return NULL;
}

bool pattern_has_glob(const char *pattern)
{
	return find_glob(pattern, strlen(pattern)) != NULL;
}

const char *pattern_quote(struct arena *arena, const char *path)
{
	if (!strpbrk(path, "*?[\\"))
		return path;

	char *quoted = arena_alloc(arena, 2 * strlen(path) + 1), *to = quoted;

	if (!quoted)
		return NULL;
	for (; *path; path++) {
		if (strchr("*?[\\", *path))
			*to++ = '\\';
		*to++ = *path;
	}
	return quoted;
}

const char *pattern_top(struct arena *arena, const char *pattern)
{
	const char *end = pattern, *from = pattern;

	while (*end) {
		size_t n = 1 + strcspn(end + 1, "/");

		if (find_glob(end, n))
			break;
		end += n;
	}
	if (end == pattern)
		return arena_dup(arena, "/");

	char *top = arena_alloc(arena, (size_t)(end - pattern) + 1), *to = top;

	if (!top)
		return NULL;
	while (from < end) {
		from += quotes(from);
		*to++ = *from++;
	}
	return top;
}

const char *pattern_trim(struct arena *arena, const char *text)
{
	size_t n = strlen(text), before;

	do {
		before = n;
		while (n > 1 && text[n - 1] == '/')
			n--;
		if (n >= 3 && memcmp(text + n - 3, "/**", 3) == 0)
			n -= 3;
	} while (n != before);
	if (n == 0)
		return "/";
	if (n == 2 && memcmp(text, "**", 2) == 0)
		return ".";
	return arena_dup_n(arena, text, n);
}

/* text is at '['. The ']' of a set that can hold something, or NULL. */
static const char *true_set_end(const char *text)
{
	const char *p = text + 1 + (text[1] == '!');

	for (const char *first = p; *p && *p != '/' && (*p != ']' || p == first); p++) {
		if (quotes(p))
			p++;
		if (p[1] == '-' && p[2] && p[2] != ']' && (unsigned char)p[2] < (unsigned char)p[0])
			return NULL;
	}
	return *p == ']' ? p : NULL;
}

const char *pattern_quote_false_sets(struct arena *arena, const char *text)
{
	char *quoted = arena_alloc(arena, 2 * strlen(text) + 1), *to = quoted;

	if (!quoted)
		return NULL;
	while (*text) {
		const char *end = *text == '[' ? true_set_end(text) : NULL;
		size_t n = end ? (size_t)(end - text) + 1 : 1;

		if (quotes(text))
			n = 2;
		if (*text == '[' && !end)
			*to++ = '\\';
		memcpy(to, text, n);
		to += n;
		text += n;
	}
	return quoted;
}

bool pattern_climbs(const char *pattern)
{
	bool globbed = false;

	while (*pattern) {
		size_t n = strcspn(pattern, "/");

		if (globbed && n == 2 && memcmp(pattern, "..", 2) == 0)
			return true;
		globbed = globbed || find_glob(pattern, n);
		pattern += n + (pattern[n] == '/');
	}
	return false;
}

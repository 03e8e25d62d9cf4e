/*
 * Theory of operation. Pattern and path are walked a component at a time. Two kinds of star can be taken back: a `*` within a
 * component, and a `**` between components. For each it is enough to remember the last one seen: whatever an earlier one
 * could still give up, the last one can take itself. So nothing recurses, and the work of a stretch of pattern between two
 * `**` is at most its length times the path's.
 */
#include "base/glob.h"

#include <string.h>

struct span {
	const char *at, *end;
};

/* The component that starts at or after text, slashes skipped; empty at the end. */
static struct span component(const char *text)
{
	text += strspn(text, "/");
	return (struct span){ text, text + strcspn(text, "/") };
}

static bool is_empty(struct span s)
{
	return s.at == s.end;
}

static bool is_any_depth(struct span s)
{
	return s.end - s.at == 2 && s.at[0] == '*' && s.at[1] == '*';
}

/* One member of a set: its first byte, after a quoting backslash. */
static const char *member(const char *p, const char *end)
{
	return *p == '\\' && p + 1 < end ? p + 1 : p;
}

/* p is at '['. Where the set ends (its ']'), or NULL when none is formed. A ']' that comes first is a member. */
static const char *set_end(const char *p, const char *end)
{
	p++;
	if (p < end && *p == '!')
		p++;
	if (p < end)
		p = member(p, end) + 1;
	while (p < end && *p != ']')
		p = member(p, end) + 1;
	return p < end ? p : NULL;
}

/* p is at '[' and close at its ']'. */
static bool set_has(const char *p, const char *close, unsigned char byte)
{
	bool negated = p[1] == '!', found = false;

	p += negated ? 2 : 1;
	for (; p < close; p++) {
		p = member(p, close);

		unsigned char low = (unsigned char)*p, high = low;

		if (p + 2 < close && p[1] == '-') {
			p = member(p + 2, close);
			high = (unsigned char)*p;
		}
		found = found || (low <= byte && byte <= high);
	}
	return found != negated;
}

/* A component of the pattern. From `unclosed` on no bracket forms a set: where one does not, none behind it does. */
struct name_pattern {
	const char *end, *unclosed;
};

/* Matches one byte at p. Returns what follows in the pattern, or NULL. */
static const char *match_byte(struct name_pattern *name, const char *p, unsigned char byte)
{
	if (*p == '?')
		return p + 1;
	if (*p == '[' && p < name->unclosed) {
		const char *close = set_end(p, name->end);

		if (close)
			return set_has(p, close, byte) ? close + 1 : NULL;
		name->unclosed = p;
	}
	p = member(p, name->end);
	return (unsigned char)*p == byte ? p + 1 : NULL;
}

static bool match_name(struct span pattern, struct span text)
{
	struct name_pattern name = { pattern.end, pattern.end };
	const char *p = pattern.at, *s = text.at, *star = NULL, *retry = NULL;

	while (s < text.end) {
		if (p < pattern.end && *p == '*') {
			star = ++p;
			retry = s;
			continue;
		}
		p = p < pattern.end ? match_byte(&name, p, (unsigned char)*s) : NULL;
		if (p) {
			s++;
		} else if (star) {
			p = star;
			s = ++retry;
		} else {
			return false;
		}
	}
	while (p < pattern.end && *p == '*')
		p++;
	return p == pattern.end;
}

static bool is_plain(char c)
{
	return c && c != '/' && c != '*' && c != '?' && c != '[' && c != '\\';
}

/* Most patterns differ from most paths in the first byte behind a common top: seen here at a fraction of what `match` takes. */
static bool differ_early(const char *pattern, const char *path)
{
	while (*pattern == *path && (is_plain(*pattern) || *pattern == '/'))
		pattern++, path++;
	return is_plain(*pattern) && *pattern != *path && *path && *path != '/';
}

/* With `covers` it is enough that the pattern ends where a component of the path does. */
static bool match(const char *pattern, const char *path, bool covers)
{
	const char *deep = NULL, *retry = NULL;

	for (;;) {
		struct span p = component(pattern), s = component(path);

		if (is_any_depth(p)) {
			deep = pattern = p.end;
			retry = path;
		} else if (is_empty(p) && (covers || is_empty(s))) {
			return true;
		} else if (!is_empty(p) && !is_empty(s) && match_name(p, s)) {
			pattern = p.end;
			path = s.end;
		} else if (deep && !is_empty(s)) {
			pattern = deep;
			path = retry = component(retry).end;
		} else {
			return false;
		}
	}
}

bool glob_match(const char *pattern, const char *path)
{
	return !differ_early(pattern, path) && match(pattern, path, false);
}

bool glob_covers(const char *pattern, const char *path)
{
	return !differ_early(pattern, path) && match(pattern, path, true);
}

bool glob_may_match_below(const char *pattern, const char *dir)
{
	for (;;) {
		struct span p = component(pattern), s = component(dir);

		if (is_any_depth(p))
			return true;
		if (is_empty(p) || is_empty(s))
			return !is_empty(p);
		if (!match_name(p, s))
			return false;
		pattern = p.end;
		dir = s.end;
	}
}

static bool has_glob(struct span s)
{
	bool sets = true;

	for (const char *p = s.at; p < s.end; p++) {
		if (*p == '*' || *p == '?' || member(p, s.end) != p)
			return true;
		if (*p == '[' && sets && set_end(p, s.end))
			return true;
		sets = sets && *p != '[';
	}
	return false;
}

/* The end of the last component above the first one that has a glob character; the end of the text when none has. */
static const char *literal_end(const char *text)
{
	const char *end = text;

	for (;;) {
		struct span s = component(end);

		if (is_empty(s))
			return s.end;
		if (has_glob(s))
			return end;
		end = s.end;
	}
}

bool glob_is_pattern(const char *text)
{
	return *literal_end(text) != '\0';
}

size_t glob_literal_top(const char *pattern)
{
	size_t n = (size_t)(literal_end(pattern) - pattern);

	return n ? n : 1;
}

#include "egress/target.h"

#include <errno.h>
#include <string.h>

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= ' ';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that an escape stands for, or -1. */
static int escaped(const char *at)
{
	int high = at[0] == '%' ? hex(at[1]) : -1, low = high >= 0 ? hex(at[2]) : -1;

	return low < 0 ? -1 : high * 16 + low;
}

/* How many bytes a dot takes that stands here: 1, 3 as %2e, or 0. */
static size_t dot(const char *at)
{
	if (*at == '.')
		return 1;
	return escaped(at) == '.' ? 3 : 0;
}

static bool is_end(char c)
{
	return c == '/' || c == '\0';
}

/* Some servers take parameters off a segment before they resolve it. */
static bool is_end_of_dots(char c)
{
	return is_end(c) || c == ';';
}

/* The length of a segment that is one dot or two; *ret_up says which. 0: neither. */
static size_t dots(const char *at, bool *ret_up)
{
	size_t one = dot(at), two = one ? dot(at + one) : 0;

	*ret_up = two > 0;
	if (one && is_end_of_dots(at[one]))
		return one + strcspn(at + one, "/");
	return two && is_end_of_dots(at[one + two]) ? one + two + strcspn(at + one + two, "/") : 0;
}

static size_t parent(const char *out, size_t n)
{
	if (n > 0)
		n--; /* the slash that ends it */
	while (n > 0 && out[n - 1] != '/')
		n--;
	return n;
}

/* Resolves dot segments. path begins with a slash; it never gets longer. */
static bool resolve(const char *path, char *out)
{
	size_t n = 1;
	bool found = false, up;

	out[0] = '/';
	for (path++; *path;) {
		size_t length = dots(path, &up);

		if (length > 0) {
			found = true;
			if (up && n > 1)
				n = parent(out, n);
			path += length;
			path += *path == '/';
			continue;
		}
		while (!is_end(*path))
			out[n++] = *path++;
		if (*path)
			out[n++] = *path++;
	}
	out[n] = '\0';
	return found;
}

/* "\" as "/", and slashes at the start joined. */
static bool straighten(const char *path, char *out)
{
	bool found = path[0] == '/' && (path[1] == '/' || path[1] == '\\');
	size_t n = 0;

	for (; *path; path++) {
		char c = *path == '\\' ? '/' : *path;

		found = found || *path == '\\';
		if (n != 1 || c != '/')
			out[n++] = c;
	}
	out[n] = '\0';
	return found;
}

/* In place: escapes decoded, slashes joined everywhere. */
static bool flatten(char *path)
{
	size_t n = 0;

	for (const char *at = path; *at;) {
		int byte = escaped(at);
		char c = byte >= 0 ? (char)byte : *at;

		if (byte == 0)
			return false;
		at += byte >= 0 ? 3 : 1;
		c = c == '\\' ? '/' : c;
		if (c != '/' || n == 0 || path[n - 1] != '/')
			path[n++] = c;
	}
	path[n] = '\0';
	return true;
}

int target_read(struct head_text path, struct target *ret_target)
{
	static char straight[HEAD_BYTES_MAX + 1];
	struct target *t = ret_target;
	const char *query = memchr(path.at, '?', path.n);
	size_t n = query ? (size_t)(query - path.at) : path.n, query_n = path.n - n, normalized_n;

	if (path.n >= HEAD_BYTES_MAX || (n > 0 && path.at[0] != '/'))
		return -EINVAL;
	memcpy(t->spelled, n > 0 ? path.at : "/", n > 0 ? n : 1);
	t->spelled[n > 0 ? n : 1] = '\0';
	t->ambiguous = straighten(t->spelled, straight);
	t->ambiguous = resolve(straight, t->normalized) || t->ambiguous;
	(void)straighten(t->normalized, straight); /* dots that are gone may leave slashes at the start */
	memcpy(t->normalized, straight, strlen(straight) + 1);
	if (!flatten(straight))
		return -EINVAL;
	(void)resolve(straight, t->plain); /* once more: what was encoded twice as a slash may have made dots of it */
	normalized_n = strlen(t->normalized);
	if (query)
		memcpy(t->normalized + normalized_n, query, query_n);
	t->normalized[normalized_n + query_n] = '\0';
	return 0;
}

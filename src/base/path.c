#include "base/path.h"

#include <errno.h>
#include <string.h>

/* A normal path under construction, without the slash that "/" alone has. */
struct walk {
	char text[PATH_BYTES_MAX + 1];
	size_t len;
};

static int leave(struct walk *walk)
{
	if (walk->len == 0)
		return -EINVAL;
	while (walk->text[--walk->len] != '/')
		;
	return 0;
}

static int enter(struct walk *walk, const char *name, size_t n)
{
	if (n > PATH_NAME_MAX || walk->len + 1 + n > PATH_BYTES_MAX)
		return -ENAMETOOLONG;
	walk->text[walk->len] = '/';
	memcpy(walk->text + walk->len + 1, name, n);
	walk->len += 1 + n;
	return 0;
}

static int follow(struct walk *walk, const char *text)
{
	int r = 0;

	while (*text && r == 0) {
		size_t n = strcspn(text, "/");

		if (n == 2 && memcmp(text, "..", 2) == 0)
			r = leave(walk);
		else if (n > 0 && !(n == 1 && text[0] == '.'))
			r = enter(walk, text, n);
		text += n + (text[n] == '/');
	}
	return r;
}

int path_normalize(struct arena *arena, const char *text, const char *base, const char *home, const char **ret_path)
{
	const char *start = base;
	struct walk walk;
	int r = 0;

	walk.len = 0; /* and not an initialiser, which would clear all of the text */
	if (!text[0])
		return -EINVAL;
	if (text[0] == '/') {
		start = NULL;
	} else if (text[0] == '~') {
		text++;
		if (!home || (text[0] && text[0] != '/'))
			return -EINVAL;
		start = home;
	}
	if (start)
		r = follow(&walk, start);
	if (r == 0)
		r = follow(&walk, text);
	if (r < 0)
		return r;

	const char *path = walk.len ? arena_dup_n(arena, walk.text, walk.len) : arena_dup(arena, "/");

	if (!path)
		return -ENOMEM;
	*ret_path = path;
	return 0;
}

const char *path_parent(struct arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');

	return arena_dup_n(arena, path, slash && slash > path ? (size_t)(slash - path) : 1);
}

const char *path_join(struct arena *arena, const char *top, const char *rest)
{
	size_t top_len = strlen(top), rest_len = strlen(rest);

	if (rest_len == 0)
		return arena_dup(arena, top);
	if (top_len == 1)
		top_len = 0; /* "/" */
	if (top_len > PATH_BYTES_MAX || rest_len > PATH_BYTES_MAX || top_len + 1 + rest_len > PATH_BYTES_MAX)
		return NULL;
	return arena_printf(arena, "%.*s/%s", (int)top_len, top, rest);
}

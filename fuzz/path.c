/* Paths as people write them: three lines of the input are the text, the base and the home. */
#include "fuzz.h"

#include "base/path.h"

#include <stdlib.h>
#include <string.h>

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* What normalising promises about its result. */
static void check_result(struct arena *arena, const char *path)
{
	const char *again = NULL;

	require(path_is_normal(path));
	require(strlen(path) <= PATH_BYTES_MAX);
	require(path_normalize(arena, path, "/", NULL, &again) == 0);
	require(strcmp(path, again) == 0);

	const char *parent = path_parent(arena, path), *name = path_name(path);

	require(parent && path_is_normal(parent) && path_within(path, parent) && path_within(path, "/"));
	require(strlen(name) <= PATH_NAME_MAX && !strchr(name, '/'));
	require(strcmp(path_join(arena, parent, name), path) == 0);
	require(strcmp(path_below(path, parent), name) == 0);
}

/* A line of the input, which ends at a newline or a NUL; NULL when there is none left. */
static const char *take_line(char **rest)
{
	char *line = strsep(rest, "\n");

	return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;

	if (size > 1 << 16)
		return 0;
	arena_init(&arena, 1 << 20);

	char *rest = arena_dup_n(&arena, data, size);
	const char *text = take_line(&rest), *base = take_line(&rest), *home = take_line(&rest);
	const char *path = NULL, *start = "/";

	if (base && path_normalize(&arena, base, "/", NULL, &start) < 0)
		start = "/";
	if (home && !path_is_normal(home))
		home = NULL;

	path_is_normal(text);
	if (path_normalize(&arena, text, start, home, &path) == 0)
		check_result(&arena, path);
	else
		require(path == NULL);
	if (path_is_normal(text))
		require(path == NULL || strcmp(path, text) == 0);
	arena_done(&arena);
	return 0;
}

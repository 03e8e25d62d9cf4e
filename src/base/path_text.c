/* The half of path.h that needs no memory: the launcher links it. */
#include "base/path.h"

#include <string.h>

static bool is_dots(const char *name, size_t n)
{
	return (n == 1 && name[0] == '.') || (n == 2 && name[0] == '.' && name[1] == '.');
}

bool path_is_normal(const char *path)
{
	if (path[0] != '/')
		return false;
	if (path[1] == '\0')
		return true;
	while (*path == '/') {
		size_t n = strcspn(++path, "/");

		if (n == 0 || is_dots(path, n))
			return false;
		path += n;
	}
	return true;
}

const char *path_below(const char *path, const char *top)
{
	size_t n = strlen(top);

	if (n == 1) /* "/" ends in the slash that other tops lack */
		return path[0] == '/' ? path + 1 : NULL;
	if (strncmp(path, top, n) != 0)
		return NULL;
	if (path[n] == '\0')
		return path + n;
	return path[n] == '/' ? path + n + 1 : NULL;
}

bool path_within(const char *path, const char *top)
{
	return path_below(path, top) != NULL;
}

const char *path_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

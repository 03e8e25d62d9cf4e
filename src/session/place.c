#include "session/place.h"

#include "base/own.h"
#include "base/path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *find_variable(const char *const *env, const char *name)
{
	size_t len = strlen(name);
	for (; env && *env; env++)
		if (strncmp(*env, name, len) == 0 && (*env)[len] == '=')
			return *env + len + 1;
	return NULL;
}

/* The home is what the environment says, as for a shell. One that is no absolute path is no home. */
static const char *find_home(const char *const *env, struct arena *arena)
{
	const char *text = find_variable(env, "HOME");
	const char *home = NULL;
	if (!text || *text != '/' || path_normalize(arena, text, "/", NULL, &home) < 0)
		return NULL;
	return home;
}

static int find_cwd(const char *cwd, struct arena *arena, const char **ret_cwd, struct err *err)
{
	autofree char *real = realpath(cwd, NULL);
	if (!real)
		return err_set(err, errno == ENOENT ? ERR_NOTFOUND : ERR_DENIED, errno, "working directory %s: %s", cwd, strerror(errno));
	const char *copy = arena_dup(arena, real);
	if (!copy)
		return err_set(err, ERR_LIMIT, ENOMEM, "no memory for the working directory's name");
	*ret_cwd = copy;
	return 0;
}

int session_place_find(const char *const *env, const char *cwd, struct arena *arena, struct session_place *ret_place, struct err *err)
{
	struct session_place place = { .home = find_home(env, arena), .user = find_variable(env, "USER") };
	if (!place.user)
		place.user = find_variable(env, "LOGNAME");
	int r = find_cwd(cwd ? cwd : ".", arena, &place.cwd, err);
	if (r == 0)
		*ret_place = place;
	return r;
}

#include "session/snippet.h"

#include "base/own.h"
#include "base/path.h"
#include "plan/wire.h"
#include "policy/decide.h"
#include "policy/environment.h"
#include "session/place.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(WIRE_RESULTS_FD == 5 && sizeof(CODE_RESULTS) == 2, "command.h has the number that wire.h gives");

#define PATH_FALLBACK "/usr/local/bin:/usr/bin:/bin"

struct looking {
	const char *cwd;
	struct policy policy; /* as resolved */
	const char *path;     /* the value of PATH that the run will have */
	const char *hidden;   /* the first program that is there and cannot be read inside, or NULL */
	struct arena *arena;
};

static const char *path_of(const char *const *env)
{
	for (; *env; env++)
		if (strncmp(*env, "PATH=", 5) == 0)
			return *env + 5;
	return PATH_FALLBACK;
}

static int look_as(struct looking *looking, const struct session_request *request, struct err *err)
{
	const struct variable_vec none = { 0 };
	const char *const *env = NULL;
	struct session_place place;
	int r = session_place_find(request->env, request->cwd, looking->arena, &place, err);
	if (r < 0)
		return r;
	looking->cwd = place.cwd;
	looking->policy = *request->policy;
	r = policy_resolve(&looking->policy, looking->arena, place.cwd, place.home, err);
	if (r == 0 && policy_environment_build(&looking->policy, looking->arena, request->env, &none, &env) < 0)
		r = err_set(err, ERR_LIMIT, ENOMEM, "no memory for the environment");
	if (r == 0)
		looking->path = path_of(env);
	return r;
}

static bool is_file(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool is_program(const char *path)
{
	return is_file(path) && access(path, X_OK) == 0;
}

/* Both by its name and where links lead. */
static bool can_be_read(const struct looking *looking, const char *path)
{
	char real[PATH_BYTES_MAX + 1];
	autofd int fd = file_open_path(AT_FDCWD, path, FILE_LINKS);
	if (fd < 0 || file_real_path(fd, real, sizeof(real)) < 0)
		return false;
	return looking->policy.filesystem.disabled ||
	       (policy_allows(&looking->policy, path, POLICY_READ) && policy_allows(&looking->policy, real, POLICY_READ));
}

static const char *find(void *context, const char *name)
{
	struct looking *looking = context;
	const char *dir = looking->path;
	for (size_t n = strcspn(dir, ":"); n > 0 || *dir; dir += n + (dir[n] == ':'), n = strcspn(dir, ":")) {
		const char *text = arena_dup_n(looking->arena, dir, n), *top = NULL;
		if (!text || *text != '/' || path_normalize(looking->arena, text, "/", NULL, &top) < 0)
			continue;
		const char *path = path_join(looking->arena, top, name);
		if (!path || !is_program(path))
			continue;
		if (can_be_read(looking, path))
			return path;
		looking->hidden = looking->hidden ? looking->hidden : path;
	}
	return NULL;
}

/* What is hidden is no news to somebody who lacks it, and the reason to somebody who does not. */
static int name_hidden(const struct looking *looking, int r, struct err *err)
{
	struct err said = { 0 };
	if (!looking->hidden || !err || err->code != ERR_NOTFOUND)
		return r;
	said = *err;
	return err_set(err, said.code, said.errnum, "%s; %s is there, but hidden from the sandbox: `--allow-read` shows it", said.text,
	               looking->hidden);
}

int snippet_command(const struct session_request *request, const struct code_snippet *snippet, struct arena *arena,
                    struct code_command *ret_command, struct err *err)
{
	struct looking looking = { .arena = arena };
	const struct code_programs programs = { find, &looking };
	int r = look_as(&looking, request, err);
	if (r < 0)
		return r;
	r = code_command(snippet, &programs, arena, ret_command, err);
	return name_hidden(&looking, r, err);
}

const char *snippet_program(const struct session_request *request, const struct code_language *language, struct arena *arena)
{
	struct looking looking = { .arena = arena };
	const struct code_way *way;
	const char *path = NULL;
	char name[CODE_NAME_MAX];
	if (look_as(&looking, request, NULL) < 0)
		return NULL;
	for (size_t i = 0; !path && (way = code_way_at(language, i)); i++)
		for (size_t j = 0; code_word(way->needs, j, name) && (j == 0 || path); j++)
			path = find(&looking, name);
	return path;
}

const char *snippet_in_place(const struct session_request *request, const char *path, struct arena *arena)
{
	struct looking looking = { .arena = arena };
	char real[PATH_BYTES_MAX + 1];
	autofd int fd = file_open_path(AT_FDCWD, path, FILE_LINKS);
	if (fd < 0 || file_real_path(fd, real, sizeof(real)) < 0 || look_as(&looking, request, NULL) < 0)
		return NULL;
	return is_file(real) && path_within(real, looking.cwd) && can_be_read(&looking, real) ? arena_dup(arena, real) : NULL;
}

/*
 * Files that come with the request: a snippet of code and what goes with it. They travel in the plan, so that they are nowhere on the host, and
 * nobody there has to remove them. A tmpfs below /dev holds them, because that is the one place that is a sandbox's own under every policy.
 */
#include "compile/stage.h"

#include "base/path.h"

enum { OWN_MODE = 0444, OWN_DIRECTORY_MODE = 0755, OWN_BLOCK = 64 << 10, OWN_INODES = 8 };

static const uint64_t own_flags = PLAN_TREE_NOSUID | PLAN_TREE_NODEV | PLAN_TREE_NOEXEC;

static int refuse(struct compile *c, const char *name)
{
	return err_set(c->err, ERR_USAGE, EINVAL, "a file of the request's own is called \"%s\": not a name for one", name ? name : "");
}

static bool is_name(const char *name)
{
	return name && *name && strlen(name) <= PATH_NAME_MAX && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

int own_choose(struct compile *c)
{
	const struct input_own_vec *files = &c->inputs->own_files;

	if (files->n > 0 && c->rung != COMPILE_RUNG_NAMESPACES)
		return err_set(
		    c->err, ERR_UNSUPPORTED, ENOTSUP,
		    "files of the request's own need mounts of its own, which this machine does not allow (`coffer doctor` says why)");
	for (size_t i = 0; i < files->n; i++) {
		if (!is_name(files->at[i].name))
			return refuse(c, files->at[i].name);
		for (size_t j = 0; j < i; j++)
			if (strcmp(files->at[i].name, files->at[j].name) == 0)
				return err_set(c->err, ERR_USAGE, EEXIST, "two files of the request's own are called \"%s\"",
				               files->at[i].name);
	}
	return 0;
}

int own_put(struct compile *c)
{
	const struct input_own_vec *files = &c->inputs->own_files;
	const char *top = c->inputs->own_directory;
	uint64_t bytes = OWN_BLOCK;

	if (files->n == 0)
		return 0;
	for (size_t i = 0; i < files->n; i++)
		bytes += (files->at[i].n / OWN_BLOCK + 1) * OWN_BLOCK;
	plan_add(&c->plan, OP_DIR, WHY_DEFAULT, top, (uint64_t)OWN_DIRECTORY_MODE);
	plan_add(&c->plan, OP_TMPFS, WHY_DEFAULT, top, own_flags, bytes, (uint64_t)OWN_INODES + files->n, (uint64_t)OWN_DIRECTORY_MODE);
	for (size_t i = 0; i < files->n; i++) {
		const char *path = path_join(c->arena, top, files->at[i].name);

		if (!path)
			return compile_no_memory(c);
		plan_add(&c->plan, OP_FILE, WHY_DEFAULT, path, (uint64_t)OWN_MODE, files->at[i].bytes, files->at[i].n);
	}
	plan_add(&c->plan, OP_REMOUNT, WHY_DEFAULT, top, own_flags | PLAN_TREE_RO);
	return 0;
}

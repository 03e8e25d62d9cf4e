/*
 * What is executed, and with which variables. Which variables a sandbox gets is the policy's to say (policy/environment.h); here
 * they are asked for a temporary directory, and a command's name becomes the list of paths where it may be.
 */
#include "policy/environment.h"

#include "base/path.h"
#include "compile/stage.h"

#include <errno.h>

#define PATH_FALLBACK "/usr/local/bin:/usr/bin:/bin"

static const char *find(const char *const *variables, const char *name)
{
	size_t n = strlen(name);

	for (; variables && *variables; variables++)
		if (strncmp(*variables, name, n) == 0 && (*variables)[n] == '=')
			return *variables + n + 1;
	return NULL;
}

const char *environment_value(const struct compile *c, const char *name)
{
	return find(c->environment, name);
}

const char *environment_of_caller(const struct compile *c, const char *name)
{
	return find(c->inputs->env, name);
}

const char *environment_tmpdir(struct compile *c)
{
	if (c->rung == COMPILE_RUNG_LANDLOCK)
		return identity_scratch(c);
	return c->policy->dialect == POLICY_SRT ? "/tmp/claude" : "/tmp";
}

int environment_choose(struct compile *c)
{
	const char *tmpdir = environment_tmpdir(c);

	struct variable_vec ours = { 0 };
	struct policy_variable *slot = tmpdir ? variable_vec_add(&ours, c->arena) : NULL;

	if (!slot)
		return compile_no_memory(c);
	*slot = (struct policy_variable){ "TMPDIR", tmpdir, WHY_DEFAULT };
	if (secrets_add_variables(c, &ours) < 0)
		return compile_no_memory(c);
	for (size_t i = 0; i < c->placeholders.n; i++) {
		slot = variable_vec_add(&ours, c->arena);
		if (!slot)
			return compile_no_memory(c);
		*slot = c->placeholders.at[i];
	}
	if (network_add_variables(c, &ours) < 0 ||
	    policy_environment_build(c->policy, c->arena, c->inputs->env, &ours, &c->environment) < 0)
		return compile_no_memory(c);
	return 0;
}

/* An entry of PATH that is no absolute path means the working directory, or one below it, to a shell. Here it means nothing. */
int environment_path_next(struct compile *c, const char **cursor, const char **ret_dir)
{
	*ret_dir = NULL;
	if (!*cursor) {
		const char *path = environment_value(c, "PATH");

		*cursor = path ? path : PATH_FALLBACK;
	}
	while (**cursor && !*ret_dir) {
		size_t n = strcspn(*cursor, ":");
		const char *text = arena_dup_n(c->arena, *cursor, n);

		*cursor += n + ((*cursor)[n] == ':');
		if (!text)
			return compile_no_memory(c);
		if (text[0] == '/' && path_normalize(c->arena, text, "/", NULL, ret_dir) == -ENOMEM)
			return compile_no_memory(c);
	}
	return 0;
}

static int add_from_path(struct compile *c, const char *name, struct text_vec *candidates)
{
	const char *cursor = NULL, *dir;
	int r = environment_path_next(c, &cursor, &dir);

	while (r == 0 && dir) {
		bool fits = strlen(dir) + 1 + strlen(name) <= PATH_BYTES_MAX;

		if (fits)
			r = compile_add_text(c, candidates, path_join(c->arena, dir, name));
		if (r == 0)
			r = environment_path_next(c, &cursor, &dir);
	}
	return r;
}

static int find_candidates(struct compile *c, struct text_vec *candidates)
{
	const char *name = c->inputs->argv[0], *path = NULL;
	int r;

	if (name[0] && !strchr(name, '/')) {
		r = add_from_path(c, name, candidates);
		if (r == 0 && candidates->n == 0)
			return err_set(c->err, ERR_NOTFOUND, ENOENT, "%s: PATH names no directory", name);
		return r;
	}
	r = path_normalize(c->arena, name, c->workspace, NULL, &path);
	if (r < 0)
		return err_set(c->err, r == -ENOMEM ? ERR_LIMIT : ERR_USAGE, -r, "the command's path \"%s\" names no file", name);
	return compile_add_text(c, candidates, path);
}

static int list_of(struct compile *c, const char *const *texts, struct text_vec *list)
{
	int r = 0;

	for (; r == 0 && *texts; texts++)
		r = compile_add_text(c, list, *texts);
	return r;
}

int environment_put_exec(struct compile *c)
{
	struct text_vec candidates = { 0 }, argv = { 0 }, env = { 0 };
	int r;

	if (!c->inputs->argv || !c->inputs->argv[0])
		return err_set(c->err, ERR_USAGE, EINVAL, "there is no command");
	r = find_candidates(c, &candidates);
	if (r == 0)
		r = list_of(c, c->inputs->argv, &argv);
	if (r == 0)
		r = list_of(c, c->environment, &env);
	if (r == 0)
		plan_add(&c->plan, OP_EXEC, WHY_DEFAULT, &candidates, &argv, &env);
	return r;
}

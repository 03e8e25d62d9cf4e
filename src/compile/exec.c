/*
 * Theory of operation. In a session only few things differ from one execution to the next: what is executed, where, for how long, with which terminal.
 * The rest, system call filter and regions and limits, is the session's, and has been compiled once. So the plan of an execution is a copy of that one,
 * operation by operation, but for those few.
 */
#include "base/path.h"
#include "base/vec.h"
#include "compile/compile.h"
#include "plan/build.h"

#include <errno.h>
#include <string.h>

#define WHY_EXEC "exec"
#define PATH_FALLBACK "/usr/local/bin:/usr/bin:/bin"

struct copy {
	const struct plan *template;
	const struct compile_again *again;
	struct arena *arena;
	struct plan_build plan;
	struct err *err;
	const char *cwd;
};

static int no_memory(const struct copy *c)
{
	return err_set(c->err, ERR_LIMIT, ENOMEM, "the plan does not fit into the memory of the request");
}

static int add(struct copy *c, struct text_vec *list, const char *text)
{
	const char **added = text ? text_vec_add(list, c->arena) : NULL;

	if (!added)
		return no_memory(c);
	*added = text;
	return 0;
}

static size_t name_length(const char *variable)
{
	return strcspn(variable, "=");
}

static bool is_named_by(const char *const *env, const char *variable)
{
	size_t n = name_length(variable);

	for (; env && *env; env++)
		if (name_length(*env) == n && memcmp(*env, variable, n) == 0)
			return true;
	return false;
}

static int make_environment(struct copy *c, const struct plan_op *exec, struct text_vec *env)
{
	int r = 0;

	for (const char *s = NULL; r == 0 && (s = plan_list_next(c->template, exec, 2, s));)
		if (!is_named_by(c->again->env, s))
			r = add(c, env, s);
	for (const char *const *s = c->again->env; r == 0 && s && *s; s++) {
		if (!**s || **s == '=')
			return err_set(c->err, ERR_USAGE, EINVAL, "environment: \"%s\" has no name", *s);
		if ((*s)[name_length(*s)] && !is_named_by(s + 1, *s)) /* the last one counts */
			r = add(c, env, *s);
	}
	return r;
}

static const char *path_of(const struct text_vec *env)
{
	for (size_t i = 0; i < env->n; i++)
		if (strncmp(env->at[i], "PATH=", 5) == 0)
			return env->at[i] + 5;
	return PATH_FALLBACK;
}

/* Absolute directories alone, as in a run. */
static int add_from_path(struct copy *c, const char *path, struct text_vec *candidates)
{
	const char *name = c->again->argv[0];
	int r = 0;

	while (r == 0 && *path) {
		size_t n = strcspn(path, ":");
		const char *dir = arena_dup_n(c->arena, path, n), *normal = NULL;

		path += n + (path[n] == ':');
		if (!dir)
			return no_memory(c);
		if (dir[0] == '/' && path_normalize(c->arena, dir, "/", NULL, &normal) == 0 &&
		    strlen(normal) + 1 + strlen(name) <= PATH_BYTES_MAX)
			r = add(c, candidates, path_join(c->arena, normal, name));
	}
	if (r == 0 && candidates->n == 0)
		return err_set(c->err, ERR_NOTFOUND, ENOENT, "%s: PATH names no directory", name);
	return r;
}

static int find_candidates(struct copy *c, const struct text_vec *env, struct text_vec *candidates)
{
	const char *name = c->again->argv[0], *path = NULL;
	int r;

	if (*name && !strchr(name, '/'))
		return add_from_path(c, path_of(env), candidates);
	r = path_normalize(c->arena, name, c->cwd, NULL, &path);
	if (r < 0)
		return err_set(c->err, ERR_USAGE, -r, "the command's path \"%s\" names no file", name);
	return add(c, candidates, path);
}

static int put_exec(struct copy *c, const struct plan_op *op)
{
	struct text_vec candidates = { 0 }, argv = { 0 }, env = { 0 };
	int r = make_environment(c, op, &env);

	if (r == 0)
		r = find_candidates(c, &env, &candidates);
	for (const char *const *s = c->again->argv; r == 0 && *s; s++)
		r = add(c, &argv, *s);
	if (r == 0)
		plan_add(&c->plan, OP_EXEC, WHY_EXEC, &candidates, &argv, &env);
	return r;
}

static int put_cwd(struct copy *c, const struct plan_op *op)
{
	const char *top = plan_text(c->template, op, 0);
	int r = c->again->cwd ? path_normalize(c->arena, c->again->cwd, top, NULL, &c->cwd) : 0;

	if (r < 0)
		return err_set(c->err, r == -ENOMEM ? ERR_LIMIT : ERR_USAGE, -r, "cwd: \"%s\" names no directory", c->again->cwd);
	if (!c->again->cwd)
		c->cwd = top;
	plan_add(&c->plan, OP_CHDIR, c->again->cwd ? WHY_EXEC : plan_why(c->template, op), c->cwd);
	return 0;
}

static uint64_t other(uint64_t asked, uint64_t otherwise)
{
	return asked ? asked : otherwise;
}

static int put_one(struct copy *c, const struct plan_op *op)
{
	const struct compile_again *again = c->again;

	switch (op->code) {
	case OP_WATCH:
		plan_add(&c->plan, OP_WATCH, again->timeout_ms ? WHY_EXEC : plan_why(c->template, op),
		         other(again->timeout_ms, plan_number(op, 0)), other(again->output_bytes, plan_number(op, 1)), plan_number(op, 2),
		         plan_number(op, 3));
		return 0;
	case OP_TERMINAL:
		if (again->terminal)
			plan_add(&c->plan, OP_TERMINAL, WHY_EXEC, (uint64_t)again->terminal);
		return 0;
	case OP_CHDIR:
		return put_cwd(c, op);
	case OP_EXEC:
		return put_exec(c, op);
	default:
		plan_add_copy(&c->plan, c->template, op);
		return 0;
	}
}

int compile_exec(const struct plan *template, const struct compile_again *again, struct arena *arena, struct plan *ret_plan,
                 struct err *err)
{
	struct copy c = { .template = template, .again = again, .arena = arena, .err = err };
	int r = 0;

	if (!again->argv || !again->argv[0] || !*again->argv[0])
		return err_set(err, ERR_USAGE, EINVAL, "there is no command");
	plan_build_init(&c.plan, arena);
	for (uint32_t i = 0; r == 0 && i < template->head->op_count; i++)
		r = put_one(&c, &template->op[i]);
	return r < 0 ? r : plan_build_done(&c.plan, ret_plan, err);
}

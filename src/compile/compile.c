/*
 * Theory of operation: stage.h. The table below is the compiler: what is decided, then what is written, in the order in which a
 * plan holds it. plan_build_done runs plan_check, so a plan that breaks its rules does not leave this file.
 */
#include "compile/stage.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static int (*const stages[])(struct compile *c) = {
	/* decide */
	rung_choose,
	identity_choose,
	network_choose,
	secrets_choose,
	environment_choose,
	workspace_choose,
	identity_choose_workspace,
	rules_land,
	workspace_land,
	barriers_land,
	fresh_land,
	regions_make,
	patterns_make,
	sockets_choose,
	workspace_check,
	identity_check_workspace,
	mounts_choose_sources,
	fresh_choose_devices,
	pins_choose,
	/* PREPARE */
	limits_put_watch,
	limits_put_cgroups,
	identity_put_scratch,
	network_put_filter,
	/* BIRTH */
	limits_put_join,
	mounts_put_host_sources,
	identity_put_spawn,
	/* ROOT, PIVOT */
	mounts_put_root,
	/* SHED */
	identity_put_shed,
	/* LOCK, EXEC */
	landlock_put,
	lock_put,
	environment_put_exec,
};

int compile(const struct policy *policy, const struct inputs *inputs, const struct facts *facts, struct arena *arena, struct plan *ret_plan,
            struct err *err)
{
	struct compile c = { .policy = policy, .inputs = inputs, .facts = facts, .arena = arena, .err = err };
	int r = 0;

	plan_build_init(&c.plan, arena);
	for (size_t i = 0; r == 0 && i < sizeof(stages) / sizeof(stages[0]); i++)
		r = stages[i](&c);
	return r < 0 ? r : plan_build_done(&c.plan, ret_plan, err);
}

int compile_no_memory(struct compile *c)
{
	return err_set(c->err, ERR_LIMIT, ENOMEM, "the plan does not fit into the memory of the request");
}

int compile_add_text(struct compile *c, struct text_vec *list, const char *text)
{
	const char **added = text ? text_vec_add(list, c->arena) : NULL;

	if (!added)
		return compile_no_memory(c);
	*added = text;
	return 0;
}

int compile_weaken(struct compile *c, const char *why, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list args;
	int r;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (!c->policy->strict) {
		plan_build_note(&c->plan, "%s", text);
		return 0;
	}
	r = err_set(c->err, ERR_UNSUPPORTED, EOPNOTSUPP, "%s; under strict that is an error", text);
	err_at(c->err, why);
	return r;
}

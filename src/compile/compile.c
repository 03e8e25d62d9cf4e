/*
 * Theory of operation: stage.h. The table below is the compiler: what is decided, then what is written, in the order in which a
 * plan holds it. plan_build_done runs plan_check, so a plan that breaks its rules does not leave this file.
 */
#include "compile/stage.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum { RUN = 1 << COMPILE_RUN, SESSION = 1 << COMPILE_SESSION, EXEC = 1 << COMPILE_EXEC, ALL = RUN | SESSION | EXEC };

static const struct {
	int (*stage)(struct compile *c);
	unsigned kinds;
} stages[] = {
	/* decide */
	{ rung_choose, ALL },
	{ identity_choose, ALL },
	{ network_choose, ALL },
	{ secrets_choose, ALL },
	{ environment_choose, ALL },
	{ workspace_choose, ALL },
	{ identity_choose_workspace, ALL },
	{ rules_land, ALL },
	{ workspace_land, ALL },
	{ barriers_land, ALL },
	{ fresh_land, ALL },
	{ regions_make, ALL },
	{ patterns_make, ALL },
	{ sockets_choose, ALL },
	{ workspace_check, ALL },
	{ identity_check_workspace, ALL },
	{ mounts_choose_sources, ALL },
	{ fresh_choose_devices, ALL },
	{ pins_choose, ALL },
	/* PREPARE */
	{ limits_put_watch, ALL },
	{ workspace_put_quota, ALL },
	{ limits_put_cgroups, RUN | SESSION },
	{ identity_put_scratch, RUN | SESSION },
	{ network_put_filter, RUN | SESSION },
	/* BIRTH */
	{ limits_put_join, RUN | SESSION },
	{ mounts_put_host_sources, RUN | SESSION },
	{ identity_put_spawn, RUN | SESSION },
	/* ROOT, PIVOT */
	{ mounts_put_root, RUN | SESSION },
	/* SHED */
	{ identity_put_names, RUN | SESSION },
	{ identity_put_terminal, RUN | EXEC },
	{ limits_put_rlimits, RUN | EXEC },
	{ identity_put_shed, ALL },
	/* LOCK, EXEC */
	{ landlock_put, ALL },
	{ lock_put, ALL },
	{ environment_put_exec, RUN | EXEC },
};

int compile(const struct policy *policy, const struct inputs *inputs, const struct facts *facts, struct arena *arena, struct plan *ret_plan,
            struct err *err)
{
	struct compile c = { .policy = policy, .inputs = inputs, .facts = facts, .arena = arena, .err = err };
	int r = 0;

	plan_build_init(&c.plan, arena);
	for (size_t i = 0; r == 0 && i < sizeof(stages) / sizeof(stages[0]); i++)
		if (stages[i].kinds & 1u << inputs->kind)
			r = stages[i].stage(&c);
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

#include "engine/prepare.h"

#include "base/own.h"
#include "base/path.h"
#include "engine/failure.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void prepared_init(struct prepared *prepared)
{
	*prepared = (struct prepared){ .wall_ms = UINT64_MAX, .output_bytes = UINT64_MAX, .cpu_ms = UINT64_MAX };
	journal_init(&prepared->journal);
	egress_init(&prepared->egress);
}

/* ---- one function an operation ---- */

static void watch(struct prepared *prepared, const struct plan_op *op)
{
	prepared->wall_ms = plan_number(op, 0);
	prepared->output_bytes = plan_number(op, 1);
	prepared->cpu_ms = plan_number(op, 2);
	prepared->count_all = plan_number(op, 3);
}

static enum cgroup_account account_of(uint64_t controller)
{
	switch (controller) {
	case PLAN_CGROUP_V1_MEMORY:
		return CGROUP_V1_MEMORY;
	case PLAN_CGROUP_V1_PIDS:
		return CGROUP_V1_PIDS;
	case PLAN_CGROUP_V1_CPU:
		return CGROUP_V1_CPU;
	case PLAN_CGROUP_V1_FREEZER:
		return CGROUP_V1_FREEZER;
	default:
		return CGROUP_V2;
	}
}

static int make_cgroup(struct prepared *prepared, struct arena *arena, uint64_t controller, const char *dir)
{
	struct prepared_cgroup *cgroup = prepared_cgroup_vec_add(&prepared->cgroups, arena);

	if (!cgroup)
		return -ENOMEM;
	*cgroup = (struct prepared_cgroup){ account_of(controller), dir };

	int r = cgroup_make(dir);

	if (r < 0)
		prepared->cgroups.n--;
	return r;
}

/* The directory is this user's until it has its owner, and nobody else can reach into it before that. */
static int make_scratch(const char *path, mode_t mode, uid_t uid, gid_t gid)
{
	if (mkdir(path, 0700) < 0)
		return -errno;

	autofd int fd = file_open_dir(AT_FDCWD, path);

	if (fd < 0)
		return fd;
	if (fchmod(fd, mode) < 0)
		return -errno;
	if ((uid != geteuid() || gid != getegid()) && fchown(fd, uid, gid) < 0)
		return -errno;
	return 0;
}

static int start_egress(struct prepared *prepared, const struct plan *plan, const struct plan_op *op)
{
	struct egress_rules rules = { .opens_tls = plan_number(op, 2) };

	rules.shown = plan_blob(plan, op, 0, &rules.shown_n);
	rules.secret = plan_blob(plan, op, PLAN_EGRESS_SECRETS, &rules.secret_n);
	return egress_start(&prepared->egress, &rules);
}

static int do_op(const struct plan *plan, const struct plan_op *op, struct arena *arena, struct prepared *prepared)
{
	switch (op->code) {
	case OP_WATCH:
		watch(prepared, op);
		return 0;
	case OP_QUOTA:
		return 0; /* quota.c finds it */
	case OP_CGROUP_MAKE:
		return make_cgroup(prepared, arena, plan_number(op, 0), plan_text(plan, op, 1));
	case OP_CGROUP_SET:
		return cgroup_set(plan_text(plan, op, 0), plan_text(plan, op, 1));
	case OP_SCRATCH_MAKE:
		return make_scratch(plan_text(plan, op, 0), (mode_t)plan_number(op, 1), (uid_t)plan_number(op, 2),
		                    (gid_t)plan_number(op, 3));
	case OP_EGRESS:
		return start_egress(prepared, plan, op);
	case OP_PUBLISH:
		return egress_publish(&prepared->egress, plan_text(plan, op, 0), (uint16_t)plan_number(op, 1),
		                      (uint16_t)plan_number(op, 2));
	default:
		return -ENOSYS;
	}
}

/* ---- all of them ---- */

static bool is_to_fail(const struct engine_run_options *options, uint32_t index)
{
#ifdef COFFER_TORTURE
	return options->torture_op >= 0 && (uint32_t)options->torture_op == index;
#else
	(void)options;
	(void)index;
	return false;
#endif
}

static bool has_inverse(const struct plan_op *op)
{
	enum plan_inverse inverse = plan_op_info(op->code)->inverse;

	return inverse == PLAN_INVERSE_CGROUP_REMOVE || inverse == PLAN_INVERSE_REMOVE_TREE;
}

/* The path of what the operation makes: its first operand on the host. */
static const char *made_path(const struct plan *plan, const struct plan_op *op)
{
	return plan_text(plan, op, op->code == OP_CGROUP_MAKE ? 1 : 0);
}

static int list_inverses(const struct plan *plan, uint32_t count, struct arena *arena, struct inverse_vec *inverses)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct plan_op *op = &plan->op[i];
		struct inverse *inverse = has_inverse(op) ? inverse_vec_add(inverses, arena) : NULL;

		if (has_inverse(op) && !inverse)
			return -ENOMEM;
		if (inverse)
			*inverse = (struct inverse){ plan_op_info(op->code)->inverse, made_path(plan, op) };
	}
	return 0;
}

static uint32_t count_host_ops(const struct plan *plan)
{
	uint32_t n = 0;

	while (n < plan->head->op_count && plan_op_info(plan->op[n].code)->actor == PLAN_HOST)
		n++;
	return n;
}

int prepare(const struct plan *plan, const struct engine_run_options *options, struct arena *arena, struct prepared *prepared,
            struct err *err)
{
	uint32_t count = count_host_ops(plan);
	int r = list_inverses(plan, count, arena, &prepared->inverses);

	if (r < 0)
		return err_set(err, ERR_LIMIT, -r, "no memory for the list of what to undo");
	if (prepared->inverses.n)
		r = journal_begin(options->state_dir, options->run_id, &prepared->inverses, &prepared->journal, err);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < count; i++) {
		r = is_to_fail(options, i) ? -EIO : do_op(plan, &plan->op[i], arena, prepared);
		if (r < 0)
			return failure_set(err, plan, i, -r);
		prepared->done += has_inverse(&plan->op[i]);
	}
	return 0;
}

void prepared_undo(struct prepared *prepared)
{
	bool all = true;

	egress_done(&prepared->egress);
	while (prepared->done > 0)
		all = inverse_undo(&prepared->inverses.at[--prepared->done]) == 0 && all;
	journal_end(&prepared->journal, !all);
	prepared->cgroups.n = 0;
}

void prepared_kill(const struct prepared *prepared)
{
	for (size_t i = 0; i < prepared->cgroups.n; i++)
		(void)cgroup_kill(prepared->cgroups.at[i].dir);
}

int prepared_freeze(const struct prepared *prepared, bool freeze)
{
	int r = -EOPNOTSUPP;

	for (size_t i = 0; i < prepared->cgroups.n && r == -EOPNOTSUPP; i++)
		r = cgroup_freeze(prepared->cgroups.at[i].dir, prepared->cgroups.at[i].account, freeze);
	return r;
}

void prepared_reclaim(const struct prepared *prepared)
{
	for (size_t i = 0; i < prepared->cgroups.n; i++)
		cgroup_reclaim(prepared->cgroups.at[i].dir, prepared->cgroups.at[i].account);
}

uint64_t prepared_memory(const struct prepared *prepared)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < prepared->cgroups.n && !bytes; i++)
		bytes = cgroup_memory(prepared->cgroups.at[i].dir, prepared->cgroups.at[i].account);
	return bytes;
}

/*
 * Theory of operation. The engine leaves three things: a plan in a sealed memfd (3), a socket to itself (4), and the sandbox's
 * standard streams (0 to 2). The plan is mapped and used in place. It is not believed: every bound is checked, and then the same rules that
 * the compiler held itself to, before the first deed. From there on this file is a loop over a table.
 */
#include "launch/launch.h"

#include "plan/wire.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define HANDLER_HOST(name) NULL
#define HANDLER_WARDEN(name) do_##name
#define HANDLER_JAIL(name) do_##name

static int (*const handlers[OP_CODES_END])(struct launch *l, const struct plan_op *op) = {
#define OP(name, actor, stage, inverse, operands, sentence) [OP_##name] = HANDLER_##actor(name),
#include "plan/ops.def"
#undef OP
};

_Noreturn void launch_fail(struct launch *l, int errnum)
{
	const struct wire message = { .type = WIRE_FAILED, .a = (int32_t)l->at, .b = errnum };

	if (l->is_command)
		l->error = errnum; /* init speaks for both: the filter may not let this process */
	else
		(void)!write(l->socket, &message, sizeof(message));
	_exit(1);
}

static int run_one(struct launch *l)
{
	const struct plan_op *op = &l->plan.op[l->at];

#ifdef COFFER_TORTURE
	if (l->at == l->torture && handlers[op->code])
		return -EIO;
#endif
	return handlers[op->code] ? handlers[op->code](l, op) : 0;
}

_Noreturn void launch_run(struct launch *l)
{
	for (; l->at < l->plan.head->op_count; l->at++) {
		int r = run_one(l);

		if (r < 0)
			launch_fail(l, -r);
	}
	launch_fail(l, EPROTO); /* EXEC, the last one, does not return */
}

static int map(int fd, struct plan *ret_plan)
{
	const int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
	int have = fcntl(fd, F_GET_SEALS);
	struct stat st;
	void *block;

	if (have < 0 || (have & seals) != seals)
		return -EPERM;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size <= 0)
		return -EINVAL;
	block = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (block == MAP_FAILED)
		return -errno;
	return plan_open(block, (size_t)st.st_size, ret_plan);
}

int launch_map(int fd, struct plan *ret_plan, struct plan_verdict *ret_verdict)
{
	int r = map(fd, ret_plan);

	close(fd);
	if (r < 0)
		return r;
	*ret_verdict = plan_check(ret_plan);
	return ret_verdict->fault == PLAN_FINE ? 0 : -EBADMSG;
}

int launch_check_stream(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	struct stat st;

	if (flags < 0 || fstat(fd, &st) < 0)
		return -errno;
	return flags & O_PATH || S_ISDIR(st.st_mode) ? -EISDIR : 0;
}

/* What the host process left open is not ours to know. */
static int check_inheritance(void)
{
	int r = 0;

	fd_close_from(WIRE_RESULTS_FD + 1);
	for (int fd = 0; fd <= 2 && r == 0; fd++)
		r = launch_check_stream(fd);
	if (r == 0 && fcntl(WIRE_SOCKET_FD, F_SETFD, FD_CLOEXEC) < 0)
		r = -errno;
	return r;
}

/* Where the plan has no use for it, it is no pipe of the engine's. */
static int check_results(struct launch *l)
{
	for (uint32_t i = 0; i < l->plan.head->op_count; i++)
		l->has_results = l->has_results || l->plan.op[i].code == OP_RESULTS;
	if (l->has_results)
		return launch_check_stream(WIRE_RESULTS_FD);
	close(WIRE_RESULTS_FD);
	return 0;
}

int main(int argc, char **argv)
{
	static struct launch launch = {
		.socket = WIRE_SOCKET_FD,
		.at = UINT32_MAX,
		.userns = -1,
		.root = -1,
		.store = -1,
		.terminal = -1,
		.children = -1,
		.listener = -1,
	};
	struct launch *l = &launch;
	struct plan_verdict verdict = { .op = UINT32_MAX };
	int r = check_inheritance();

	if (r == 0)
		r = launch_map(WIRE_PLAN_FD, &l->plan, &verdict);
	if (r == 0)
		r = check_results(l);
	if (r == 0 && plan_is_for_session(&l->plan))
		r = -EBADMSG; /* there is no sandbox yet */
	l->at = verdict.op;
	if (r < 0)
		launch_fail(l, -r);
	l->at = 0;
#ifdef COFFER_TORTURE
	/* `coffer-launch 17`: operation 17 fails. */
	l->torture = UINT32_MAX;
	for (const char *digit = argc > 1 ? argv[1] : ""; *digit >= '0' && *digit <= '9'; digit++)
		l->torture = (l->torture == UINT32_MAX ? 0 : l->torture * 10) + (uint32_t)(*digit - '0');
#else
	(void)argc, (void)argv;
#endif
	launch_run(l);
}

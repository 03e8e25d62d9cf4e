#include "engine/spawn.h"

#include "base/own.h"
#include "base/path.h"
#include "engine/live.h"
#include "plan/wire.h"
#include "sys/beside.h"
#include "sys/fd.h"
#include "sys/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void launcher_init(struct launcher *launcher)
{
	*launcher = (struct launcher){ .process = { .pid = -1, .pidfd = -1 }, .socket = -1 };
}

int spawn_find(const char *name, char ret_path[PATH_BYTES_MAX + 1], struct err *err)
{
	if (beside_find(name, ret_path, PATH_BYTES_MAX + 1) == 0)
		return 0;
	return err_set(err, ERR_SETUP, ENOENT, "%s is neither beside this program nor in %s", name, COFFER_LIBEXEC);
}

/* ---- starting ---- */

static int spawn(struct launcher *launcher, const char *path, const struct engine_run_options *options, const int fds[WIRE_RESULTS_FD + 1])
{
	char program[] = "coffer-launch", torture[3 * sizeof(int) + 2];
	char *const argv[] = { program, options->torture_op >= 0 ? torture : NULL, NULL };

	snprintf(torture, sizeof(torture), "%d", options->torture_op);
	return process_spawn(path, argv, fds, fds[WIRE_RESULTS_FD] >= 0 ? WIRE_RESULTS_FD + 1 : WIRE_SOCKET_FD + 1, &launcher->process);
}

/* The filter's secrets are none of the launcher's, which becomes what runs in the sandbox: in its copy there are blanks. */
static void blank_secrets(const struct plan *plan, char *copy)
{
	for (uint32_t i = 0; i < plan->head->op_count; i++) {
		size_t n = 0;
		const char *at = plan->op[i].code == OP_EGRESS ? plan_blob(plan, &plan->op[i], PLAN_EGRESS_SECRETS, &n) : NULL;

		if (n > 0)
			memset(copy + (at - (const char *)plan->head), ' ', n);
	}
}

static int seal_plan(const struct plan *plan)
{
	autofree char *copy = malloc(plan->size);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, plan->head, plan->size);
	blank_secrets(plan, copy);
	return fd_sealed("coffer-plan", copy, plan->size);
}

/* The plan, and a pair of sockets of which one end is ours. */
static int make_ends(struct launcher *launcher, const struct plan *plan, int *ret_memfd, int *ret_theirs, struct err *err)
{
	autofd int memfd = seal_plan(plan);
	int pair[2], r;

	if (memfd < 0)
		return err_set(err, ERR_SETUP, -memfd, "the plan cannot be handed over: %s", strerror(-memfd));
	r = sock_pair(pair);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "no socket to the launcher: %s", strerror(-r));
	launcher->socket = pair[0];
	*ret_theirs = pair[1];
	*ret_memfd = TAKE_FD(memfd);
	return 0;
}

int launcher_start(struct launcher *launcher, const struct plan *plan, const struct engine_run_options *options, const int stdio[4],
                   struct err *err)
{
	char found[PATH_BYTES_MAX + 1];
	const char *path = options->launcher ? options->launcher : found;
	autofd int memfd = -1, theirs = -1;
	int r = options->launcher ? 0 : spawn_find("coffer-launch", found, err);

	if (r == 0)
		r = make_ends(launcher, plan, &memfd, &theirs, err);
	if (r < 0)
		return r;

	const int fds[WIRE_RESULTS_FD + 1] = {
		stdio[0], stdio[1], stdio[2], [WIRE_PLAN_FD] = memfd, [WIRE_SOCKET_FD] = theirs, [WIRE_RESULTS_FD] = stdio[3]
	};

	r = spawn(launcher, path, options, fds);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s: %s", path, strerror(-r)) : 0;
}

int launcher_enter(struct launcher *launcher, const struct plan *plan, const struct engine_run_options *options, const int stdio[4],
                   struct err *err)
{
	const struct live_request request = { .type = LIVE_EXEC, .a = options->background };
	autofd int memfd = -1, theirs = -1;
	int r = make_ends(launcher, plan, &memfd, &theirs, err);

	if (r < 0)
		return r;

	const int fds[WIRE_EXEC_FDS] = {
		[WIRE_EXEC_PLAN] = memfd, [WIRE_EXEC_SOCKET] = theirs, [WIRE_EXEC_STREAMS] = stdio[0], stdio[1], stdio[2]
	};

	r = sock_send_fds(options->session, &request, sizeof(request), fds, WIRE_EXEC_FDS);
	return r < 0 ? err_set(err, ERR_NOTFOUND, -r, "the session has ended") : 0;
}

struct process_end launcher_done(struct launcher *launcher)
{
	struct process_end end = { .known = false };

	own_close(&launcher->socket);
	if (launcher->process.pid > 0)
		end = process_reap(&launcher->process);
	return end;
}

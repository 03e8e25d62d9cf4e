/*
 * The command's process: from the split at INIT to exec.
 *
 * Should: be a session of its own with the terminal, if there is one, as its controlling one; have default signals, an empty signal
 * mask, exactly the plan's arguments and environment.
 *
 * Must not: return from EXEC; touch init's memory but for what init is told (it shares it until then, and init waits).
 */
#include "launch/launch.h"

#include "plan/wire.h"
#include "sys/fd.h"
#include "sys/inside.h"
#include "sys/signal.h"
#include "sys/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

/* The sandbox's own terminal, never the caller's: what is typed into it stays there. */
int do_TERMINAL(struct launch *l, const struct plan_op *op)
{
	const struct wire message = { .type = WIRE_TERMINAL };
	int master = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
	int slave = master < 0 ? -errno : fd_open_slave(master);
	int r = slave < 0 ? slave : sock_send_fd(l->socket, &message, sizeof(message), master);

	for (int fd = 2; fd >= 0 && r == 0; fd--) {
		if (!(plan_number(op, 0) & (1u << fd)))
			continue;
		l->terminal = fd;
		r = dup3(slave, fd, 0) < 0 ? -errno : 0;
	}
	if (master >= 0)
		close(master);
	if (slave >= 0)
		close(slave);
	return r;
}

/* A process of its own, as the plan says. Its memory and descriptors are init's still. */
static void settle(struct launch *l)
{
	/* Or at least a group: a signal to its own must not reach init's, where the warden is, too. */
	if ((l->session || l->terminal >= 0 ? setsid() : setpgid(0, 0)) < 0)
		launch_fail(l, errno);
	if (l->terminal >= 0 && ioctl(l->terminal, TIOCSCTTY, 0) < 0)
		launch_fail(l, errno);
	/* Rung two: init is no process 1 there, and its end is not the command's. */
	if (!l->namespaces && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		launch_fail(l, errno);
	signal_reset();
}

static int become_command(void *context)
{
	struct launch *l = context;

	l->is_command = true;
	settle(l);
	l->at++;
	launch_run(l);
}

/* Before there is anybody to move them. */
static void find_sockets(struct launch *l, const struct plan_op *op)
{
	for (const char *s = NULL; (s = plan_list_next(&l->plan, op, 3, s));) {
		int fd = s[0] == 'i' ? inside_open(INSIDE_SELF, s + 1) : -1;

		if (fd >= 0)
			(void)local_set_add(&l->listed, fd);
	}
}

/*
 * Splits the jail. The command's process shares memory and descriptors with init until exec, and init sleeps until then: so starting it copies nothing,
 * its listener appears in init's table, and its failure in init's memory.
 */
int do_INIT(struct launch *l, const struct plan_op *op)
{
	static _Alignas(16) char stack[32 << 10];
	pid_t command;

	l->init = op;
	if (l->is_command) { /* of a session: process 1 has made it before its first operation */
		settle(l);
		return 0;
	}
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return -errno;
	if (plan_number(op, 1) & PLAN_INIT_RUNG2 && prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return -errno;
	find_sockets(l, op);
	command = clone(become_command, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, l);
	l->is_command = false;
	if (command < 0)
		return -errno;
	if (l->error)
		launch_fail(l, l->error);
	l->at = (uint32_t)(op - l->plan.op);
	init_run(l, command);
}

static void list(struct launch *l, const struct plan_op *op, unsigned operand, char **ret_vector)
{
	for (const char *s = NULL; (s = plan_list_next(&l->plan, op, operand, s)); ret_vector++)
		memcpy(ret_vector, &s, sizeof(s)); /* exec only reads it */
	*ret_vector = NULL;
}

/* As execvp goes through PATH, but without its shell. */
int do_EXEC(struct launch *l, const struct plan_op *op)
{
	enum { MOST = 1 << 18 /* more than fit into the kernel's limit of a quarter of the stack's */ };
	static char *vector[MOST];
	size_t args = plan_list_count(&l->plan, op, 1), vars = plan_list_count(&l->plan, op, 2);
	int error = ENOENT;

	if (!l->init)
		return -EPROTO;
	if (args + vars + 2 > MOST)
		return -E2BIG;
	list(l, op, 1, vector);
	list(l, op, 2, vector + args + 1);
	for (const char *path = NULL; (path = plan_list_next(&l->plan, op, 0, path));) {
		(void)execve(path, vector, vector + args + 1);
		if (errno == EACCES)
			error = EACCES;
		else if (errno != ENOENT && errno != ENOTDIR)
			return -errno;
	}
	return -error;
}

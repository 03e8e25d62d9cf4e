/*
 * BIRTH, the warden's slice: outside, with the caller's rights, or root's.
 *
 * Should: join the cgroup before there is anything to limit; open what only root may; then fork the jail once into all its
 * namespaces, and from that moment hold nothing but a socket and a child.
 *
 * Must not: read a path that the jail made; follow the jail in; outlive it; die without it dying.
 *
 * The jail ends with the warden (parent-death signal), the warden ends it when the engine's end of the socket closes, and init
 * sees that close as well. So whichever of the three is killed, the others go.
 */
#include "launch/launch.h"

#include "plan/wire.h"

#include "sys/caps.h"
#include "sys/descend.h"
#include "sys/ns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int do_CGROUP_JOIN(struct launch *l, const struct plan_op *op)
{
	int fd = open(plan_text(&l->plan, op, 0), O_WRONLY | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = write(fd, "0", 1) == 1 ? 0 : -errno; /* 0: the process that writes */
	close(fd);
	return r;
}

static volatile sig_atomic_t child_ended = 1; /* look once unasked */

static void note_child(int number)
{
	(void)number;
	child_ended = 1;
}

bool jail_child_ended(void)
{
	bool ended = child_ended;

	child_ended = 0;
	return ended;
}

/* Everything is blocked, for good; SIGCHLD comes in while ppoll waits, and only then. */
static void hold_signals(void)
{
	const struct sigaction on_child = { .sa_handler = note_child };
	sigset_t all;

	sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	(void)sigaction(SIGCHLD, &on_child, NULL);
}

/* What the warden had rights for is done. Rung two as root: what it must kill has another user. */
static void shed(const struct launch *l)
{
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)caps_keep(l->namespaces ? 0 : 1ull << CAP_KILL);
	(void)syscall(SYS_close_range, 0, 2, 0);
	if (l->has_results)
		close(WIRE_RESULTS_FD);
	for (size_t i = 0; i < l->plan.head->slots; i++)
		if (l->slot[i].fd > 0)
			close(l->slot[i].fd);
}

/* Rung two. What init leaves behind, if it is killed, comes to the warden; so both do this, each for itself. */
static int adopt(struct launch *l)
{
	int r = descend_adopt();

	if (l->children >= 0)
		close(l->children);
	l->children = descend_open();
	return r < 0 ? r : l->children < 0 ? l->children : 0;
}

static _Noreturn void watch(struct launch *l, pid_t jail)
{
	struct pollfd engine = { .fd = l->socket };
	sigset_t others;
	int status;

	shed(l);
	sigfillset(&others);
	sigdelset(&others, SIGCHLD);
	while (waitpid(jail, &status, WNOHANG) != jail) {
		if (ppoll(&engine, 1, NULL, &others) > 0) {
			(void)kill(jail, SIGKILL);
			(void)waitpid(jail, &status, 0);
			break;
		}
	}
	if (l->children >= 0)
		descend_kill(l->children);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* On rung two init must not simply die: it has others to take along. A SIGCHLD makes it look who its parent is. */
int jail_watch_warden(const struct launch *l)
{
	return prctl(PR_SET_PDEATHSIG, l->namespaces ? SIGKILL : SIGCHLD) < 0 ? -errno : 0;
}

int do_SPAWN(struct launch *l, const struct plan_op *op)
{
	pid_t jail;
	int r;

	l->namespaces = plan_number(op, 0);
	if (l->userns >= 0)
		close(l->userns);
	r = l->namespaces ? 0 : adopt(l);
	if (r < 0)
		return r;
	hold_signals();
	l->warden = getpid();
	jail = ns_fork(l->namespaces);
	if (jail < 0)
		return jail;
	if (jail > 0)
		watch(l, jail);
	r = jail_watch_warden(l);
	return r < 0 || l->namespaces ? r : adopt(l);
}

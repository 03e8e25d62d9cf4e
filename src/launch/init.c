/*
 * Theory of operation. Init is what is left of the jail once the command runs: process 1 of the sandbox, or on rung two a subreaper. It has the
 * command's user, Landlock domain and no capabilities, like the command itself, but for two things that the command must not have: the
 * socket to the engine and the listener of the filter. So it cannot be traced or read (it is not dumpable), runs under a
 * filter of its own, and takes no signal from inside.
 *
 * It waits in one place, for four things: a child's end, a word from the engine, the engine's end, a call to answer. When
 * the command ends init tells the engine so and ends as well; the kernel then kills all that is left in the pid namespace.
 */
#include "launch/launch.h"

#include "mediate/notify.h"
#include "plan/wire.h"
#include "sys/descend.h"
#include "sys/seccomp.h"
#include "sys/sock.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct init {
	struct launch *l;
	pid_t command;
	struct caller_view view;
	struct notify notify;
};

static uint64_t microseconds(struct timeval t)
{
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_usec;
}

/* Rung two has no process 1 whose end is everybody's. */
static void clear_up(const struct launch *l)
{
	if (plan_number(l->init, 1) & PLAN_INIT_RUNG2)
		descend_kill(l->children);
}

static _Noreturn void leave(const struct launch *l)
{
	clear_up(l);
	_exit(1);
}

static _Noreturn void finish(const struct init *init, int status)
{
	struct wire message = { .type = WIRE_EXITED, .a = status, .d = init->notify.dropped };
	struct rusage usage = { 0 };

	clear_up(init->l);
	(void)getrusage(RUSAGE_CHILDREN, &usage);
	message.utime_us = microseconds(usage.ru_utime);
	message.stime_us = microseconds(usage.ru_stime);
	message.maxrss_kib = (uint64_t)usage.ru_maxrss;
	(void)!write(init->l->socket, &message, sizeof(message));
	_exit(0);
}

static void reap(struct init *init)
{
	pid_t pid;
	int status;

	if (!init->l->namespaces && getppid() != init->l->warden)
		leave(init->l);
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == init->command)
			finish(init, status);
		aside_reaped(&init->notify.aside, init->l->listener, pid, status);
	}
}

static void hear_engine(const struct init *init)
{
	struct wire message;
	ssize_t n = recv(init->l->socket, &message, sizeof(message), MSG_DONTWAIT);

	if (n == 0)
		leave(init->l);
	if (n == (ssize_t)sizeof(message) && message.type == WIRE_SOCKET)
		(void)sock_send_new(init->l->socket, &message, sizeof(message));
	if (n == (ssize_t)sizeof(message) && message.type == WIRE_SIGNAL && message.a > 0 && message.a <= 64)
		(void)kill(init->command, message.a);
}

/* The streams are the command's: whoever reads them waits for their end. */
static void settle(struct init *init)
{
	struct launch *l = init->l;
	size_t bytes;
	const void *filter = plan_blob(&l->plan, l->init, 0, &bytes);
	int r = l->listener < 0 ? 0 : caller_init(&init->view);

	init->notify = (struct notify){ .socket = l->socket,
		                        .listener = l->listener,
		                        .namespaces = l->namespaces,
		                        .cover = l->cover.st_dev,
		                        .rules = { &l->plan, l->init },
		                        .view = &init->view,
		                        .listed = &l->listed,
		                        .made = &l->made };
	notify_init(&init->notify);
	for (int fd = 0; fd <= 2; fd++)
		close(fd);
	if (l->has_results)
		close(WIRE_RESULTS_FD);
	if (r == 0)
		r = seccomp_load(filter, bytes);
	if (r < 0)
		launch_fail(l, -r);
}

_Noreturn void init_run(struct launch *l, pid_t command)
{
	static struct init init;
	struct pollfd from[2] = { { .fd = l->socket, .events = POLLIN }, { .fd = l->listener, .events = POLLIN } };
	const struct timespec while_some_wait = { .tv_nsec = 100 * 1000 * 1000 };
	sigset_t others;

	init.l = l;
	init.command = command;
	settle(&init);
	sigfillset(&others);
	sigdelset(&others, SIGCHLD);
	for (;;) {
		if (jail_child_ended())
			reap(&init);
		if (ppoll(from, 2, aside_tend(&init.notify.aside, l->listener) ? &while_some_wait : NULL, &others) <= 0)
			continue;
		if (from[0].revents & (POLLHUP | POLLERR))
			leave(l);
		if (from[0].revents)
			hear_engine(&init);
		if (from[1].revents && !((from[1].revents & POLLIN) && notify_answer(&init.notify)))
			from[1].fd = -1;
	}
}

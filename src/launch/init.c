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

#include "plan/wire.h"
#include "sys/seccomp.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t microseconds(struct timeval t)
{
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_usec;
}

/* Rung two has no process 1 whose end is everybody's. */
static _Noreturn void leave(struct launch *l, int code)
{
	if (plan_number(l->init, 1) & PLAN_INIT_RUNG2)
		jail_hunt(l->children);
	_exit(code);
}

static _Noreturn void finish(struct launch *l, int status)
{
	struct wire message = { .type = WIRE_EXITED, .a = status };
	struct rusage usage = { 0 };

	if (plan_number(l->init, 1) & PLAN_INIT_RUNG2)
		jail_hunt(l->children);
	(void)getrusage(RUSAGE_CHILDREN, &usage);
	message.utime_us = microseconds(usage.ru_utime);
	message.stime_us = microseconds(usage.ru_stime);
	message.maxrss_kib = (uint64_t)usage.ru_maxrss;
	(void)!write(l->socket, &message, sizeof(message));
	_exit(0);
}

static void reap(struct launch *l, pid_t command)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == command)
			finish(l, status);
}

static void hear_engine(struct launch *l, pid_t command)
{
	struct wire message;
	ssize_t n = recv(l->socket, &message, sizeof(message), MSG_DONTWAIT);

	if (n == 0)
		leave(l, 1);
	if (n == (ssize_t)sizeof(message) && message.type == WIRE_SIGNAL && message.a > 0 && message.a <= 64)
		(void)kill(command, message.a);
}

/* The streams are the command's: whoever reads them waits for their end. */
static void settle(struct launch *l)
{
	size_t bytes;
	const void *filter = plan_blob(&l->plan, l->init, 0, &bytes);

	(void)syscall(SYS_close_range, 0, 2, 0);
	if (seccomp_load(filter, bytes) < 0)
		leave(l, 1);
}

_Noreturn void init_run(struct launch *l, pid_t command)
{
	struct pollfd from[2] = { { .fd = l->socket, .events = POLLIN }, { .fd = l->listener, .events = POLLIN } };
	sigset_t others;

	settle(l);
	sigfillset(&others);
	sigdelset(&others, SIGCHLD);
	for (;;) {
		reap(l, command);
		if (ppoll(from, 2, NULL, &others) < 0)
			continue;
		if (from[0].revents & (POLLHUP | POLLERR))
			leave(l, 1);
		if (from[0].revents & POLLIN)
			hear_engine(l, command);
	}
}

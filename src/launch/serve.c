/*
 * Theory of operation. Process 1 of a session starts commands and answers for all of them. A command is a process that shares its memory and
 * descriptors until exec, and it sleeps until then, exactly as init does in a run; but that process begins before the first operation of its plan, which is all its
 * own. What is the sandbox's stays with process 1: one procfs, one list of the sockets that were made, one place where names are made, so that nothing
 * moves there between a look and a deed, whoever asks.
 *
 *   starting ──▶ running ──its end──▶ left: its engine is told, and its socket closed. What it left behind goes on, and is answered
 *      │            │                  │
 *      │            │ engine gone      └─ no process has its filter any more: forgotten
 *      ▼            ▼
 *    failed       doomed: all that has its tag is killed, until nothing has; then its socket is closed
 *
 * A command that left something behind keeps its place as long as that lives (the kernel says when nobody has its filter any more). The last place is not left to
 * such: when it is the only one, what comes of the command ends with it, and no command that is to stay gets it, so that there is always a way to look what runs and to end it.
 *
 * Should: outlive whatever happens to one command; never wait for one, but for its exec.
 *
 * Must not: believe the number of a process without having started it; be traced.
 */
#include "launch/launch.h"

#include "mediate/notify.h"
#include "plan/wire.h"
#include "sys/seccomp.h"
#include "sys/sock.h"
#include "sys/tag.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COMMANDS_MAX = 128, COMMANDS_LAST = COMMANDS_MAX - 1, TEND_MS = 100, DOOM_MS = 5 };

struct command {
	struct plan plan; /* head NULL: the place is free */
	pid_t pid;        /* 0: it has ended */
	uint32_t tag;
	bool doomed, whole;   /* whole: all that came of it ends with it */
	unsigned clean;       /* how often in a row nobody of it was found */
	struct notify notify; /* with its socket and its listener */
};

struct serve {
	struct launch *l;
	struct caller_view view;
	struct command at[COMMANDS_MAX];
	unsigned n; /* no place after it is in use */
};

/* ---- the end of one ---- */

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void forget(struct serve *serve, struct command *c)
{
	shut(&c->notify.socket);
	shut(&c->notify.listener);
	(void)munmap((void *)(uintptr_t)c->plan.head, c->plan.size);
	c->plan.head = NULL;
	while (serve->n && !serve->at[serve->n - 1].plan.head)
		serve->n--;
}

static uint64_t microseconds(struct timeval t)
{
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_usec;
}

static void tell_end(struct command *c, int status, const struct rusage *usage)
{
	struct wire message = { .type = WIRE_EXITED, .a = status, .d = c->notify.dropped };

	message.utime_us = microseconds(usage->ru_utime);
	message.stime_us = microseconds(usage->ru_stime);
	message.maxrss_kib = (uint64_t)usage->ru_maxrss;
	(void)sock_send(c->notify.socket, &message, sizeof(message));
}

static void end(struct command *c, int status, const struct rusage *usage)
{
	c->pid = 0;
	if (c->doomed)
		return; /* its engine hears when the last of them is gone */
	tell_end(c, status, usage);
	shut(&c->notify.socket);
	c->doomed = c->whole;
}

static void reap(struct serve *serve)
{
	struct rusage usage;
	pid_t pid;
	int status;

	while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
		for (unsigned i = 0; i < serve->n; i++) {
			struct command *c = &serve->at[i];

			if (c->plan.head && c->pid == pid)
				end(c, status, &usage);
			else if (c->plan.head && c->notify.listener >= 0)
				aside_reaped(&c->notify.aside, c->notify.listener, pid, status);
		}
	}
}

/* ---- the start of one ---- */

/*
 * The numbers that a command's streams have until it executes are nobody else's: who performs a call aside shares this table, and would otherwise find
 * another's stream under the number of what it has opened.
 */
static void fill_streams(int filler)
{
	for (int fd = 0; fd <= 2; fd++)
		(void)dup3(filler, fd, O_CLOEXEC);
}

/* What a command is started with. */
struct order {
	struct launch launch;
	const int *streams;
	uint32_t shares; /* 1 while it has this process's memory; then the kernel clears it */
};

static int become_command(void *context)
{
	struct order *order = context;
	struct launch *l = &order->launch;
	int r;

	(void)syscall(SYS_set_tid_address, &order->shares);
	r = tag_set(l->tag);
	l->is_command = true;
	for (int fd = 0; fd <= 2 && r == 0; fd++)
		r = dup3(order->streams[fd], fd, 0) < 0 ? -errno : 0;
	if (r < 0)
		launch_fail(l, -r);
	launch_run(l);
}

/*
 * As after vfork, but not for ever: the others inside may stop or starve it, and meanwhile nobody is answered and nothing ended. Once it is stopped it goes on; when it
 * is stopped again and again, or takes too long, it dies.
 */
static void wait_for_exec(struct order *order, pid_t pid)
{
	enum { STEP_MS = 100, STOPS_MAX = 3, STEPS_MAX = 100 };
	const struct timespec step = { .tv_nsec = STEP_MS * 1000000L };
	unsigned steps = 0, stops = 0;

	while (__atomic_load_n(&order->shares, __ATOMIC_ACQUIRE)) {
		siginfo_t info = { 0 };

		if (syscall(SYS_futex, &order->shares, FUTEX_WAIT, 1, &step, NULL, 0) == 0 || errno != ETIMEDOUT)
			continue;
		if (waitid(P_PID, (id_t)pid, &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) < 0)
			return;
		if (info.si_pid == pid && info.si_code != CLD_STOPPED)
			return;
		stops += info.si_pid == pid;
		if (stops > STOPS_MAX || ++steps > STEPS_MAX)
			(void)kill(pid, SIGKILL);
		else if (info.si_pid == pid)
			(void)kill(pid, SIGCONT);
	}
}

/* The descriptors 0 to 2 are its streams, until it has a table of its own: whoever reads them waits for their end. */
static int start_process(struct order *order, int filler)
{
	static _Alignas(16) char stack[32 << 10];
	pid_t pid;

	order->shares = 1;
	pid = clone(become_command, stack + sizeof(stack), CLONE_VM | CLONE_FILES | SIGCHLD, order);
	if (pid > 0)
		wait_for_exec(order, pid);
	fill_streams(filler);
	if (pid < 0)
		return -errno;
	return order->launch.error ? -order->launch.error : pid;
}

static int check(const struct plan *plan, const int *streams)
{
	int r = plan_is_for_session(plan) ? 0 : -EBADMSG;

	for (int i = 0; i < 3 && r == 0; i++)
		r = launch_check_stream(streams[i]);
	return r;
}

static void fail(int socket, uint32_t op, int errnum)
{
	const struct wire message = { .type = WIRE_FAILED, .a = (int32_t)op, .b = errnum };

	(void)sock_send(socket, &message, sizeof(message));
}

static void start(struct serve *serve, struct command *c, uint32_t tag, int *fds)
{
	static const struct wire started = { .type = WIRE_STARTED };
	static struct order order;
	struct plan_verdict verdict = { .op = UINT32_MAX };
	int plan = fds[WIRE_EXEC_PLAN], pid;

	fds[WIRE_EXEC_PLAN] = -1;
	*c = (struct command){ .tag = tag, .whole = c == &serve->at[COMMANDS_LAST] };
	pid = launch_map(plan, &c->plan, &verdict);
	if (pid == 0)
		pid = check(&c->plan, fds + WIRE_EXEC_STREAMS);
	order = (struct order){ .launch = *serve->l, .streams = fds + WIRE_EXEC_STREAMS };
	order.launch.plan = c->plan;
	order.launch.socket = fds[WIRE_EXEC_SOCKET];
	order.launch.tag = tag;
	order.launch.at = 0;
	if (pid == 0)
		pid = start_process(&order, serve->view.root);
	else
		order.launch.at = verdict.op;
	if (pid <= 0) {
		fail(order.launch.socket, order.launch.at, -pid);
		shut(&order.launch.listener);
		if (c->plan.head)
			forget(serve, c);
		return;
	}
	fds[WIRE_EXEC_SOCKET] = -1;
	(void)sock_send(order.launch.socket, &started, sizeof(started));
	c->pid = pid;
	c->notify = (struct notify){ .socket = order.launch.socket,
		                     .listener = order.launch.listener,
		                     .namespaces = order.launch.namespaces,
		                     .cover = serve->l->cover.st_dev,
		                     .rules = { &c->plan, order.launch.init },
		                     .view = &serve->view,
		                     .listed = &serve->l->listed,
		                     .made = &serve->l->made };
	notify_init(&c->notify);
	if (c >= &serve->at[serve->n])
		serve->n = (unsigned)(c - serve->at) + 1;
}

static void take_order(struct serve *serve, const struct wire *message, int *fds)
{
	unsigned places = message->b ? COMMANDS_LAST : COMMANDS_MAX;

	for (unsigned i = 0; i < places; i++) {
		if (!serve->at[i].plan.head) {
			start(serve, &serve->at[i], (uint32_t)message->a, fds);
			return;
		}
	}
	fail(fds[WIRE_EXEC_SOCKET], UINT32_MAX, EBUSY);
}

/* ---- what comes ---- */

static void hear_engine(struct serve *serve)
{
	struct wire message;
	int fds[WIRE_EXEC_FDS];
	ssize_t n = sock_receive_fds(serve->l->socket, &message, sizeof(message), fds, WIRE_EXEC_FDS);

	if (n == 0)
		_exit(0);
	if (n == (ssize_t)sizeof(message) && message.type == WIRE_EXEC && fds[0] >= 0)
		take_order(serve, &message, fds);
	if (n == (ssize_t)sizeof(message) && message.type == WIRE_SIGNAL)
		(void)kill(-1, message.a); /* everybody else: they are all ours */
	if (n == (ssize_t)sizeof(message) && message.type == WIRE_SOCKET)
		(void)sock_send_new(serve->l->socket, &message, sizeof(message));
	for (int i = 0; i < WIRE_EXEC_FDS; i++)
		shut(&fds[i]);
}

static void hear_client(struct command *c)
{
	struct wire message;
	ssize_t n = recv(c->notify.socket, &message, sizeof(message), MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		c->doomed = true;
	if (n != (ssize_t)sizeof(message) || message.type != WIRE_SIGNAL || message.a <= 0 || message.a > 64 || !c->pid)
		return;
	c->whole = c->whole || message.b == 1;
	if (message.b != 1 || kill(-c->pid, message.a) < 0)
		(void)kill(c->pid, message.a);
}

/*
 * Those who came of it and are doomed are met again and again, for while one is looked at another may fork. When nobody is left it is looked once more: where numbers
 * begin anew, a child can have one that had been passed when its maker died.
 */
static bool pursue(struct serve *serve, struct command *c)
{
	bool left = tag_kill(serve->view.proc, c->tag) || c->pid;

	c->clean = left ? 0 : c->clean + 1;
	if (c->clean < 2)
		return true;
	forget(serve, c);
	return false;
}

/* How long to wait, in ms; -1: for something to happen. */
static int tend(struct serve *serve)
{
	int wait = -1;

	for (unsigned i = 0; i < serve->n; i++) {
		struct command *c = &serve->at[i];

		if (!c->plan.head)
			continue;
		if (c->doomed && pursue(serve, c))
			wait = DOOM_MS;
		else if (c->plan.head && c->notify.listener < 0 && !c->pid)
			forget(serve, c);
		else if (c->plan.head && c->notify.listener >= 0 && aside_tend(&c->notify.aside, c->notify.listener) && wait < 0)
			wait = TEND_MS;
	}
	return wait;
}

static void wait_for_something(struct serve *serve, struct pollfd *polls, int wait_ms)
{
	const struct timespec some = { .tv_sec = wait_ms / 1000, .tv_nsec = wait_ms % 1000 * 1000000L };
	sigset_t others;

	sigfillset(&others);
	sigdelset(&others, SIGCHLD);
	polls[0] = (struct pollfd){ .fd = serve->l->socket, .events = POLLIN };
	for (unsigned i = 0; i < serve->n; i++) {
		const struct command *c = &serve->at[i];
		bool used = c->plan.head;

		polls[1 + 2 * i] = (struct pollfd){ .fd = used && !c->doomed ? c->notify.socket : -1, .events = POLLIN };
		polls[2 + 2 * i] = (struct pollfd){ .fd = used ? c->notify.listener : -1, .events = POLLIN };
	}
	if (ppoll(polls, 1 + 2 * serve->n, wait_ms < 0 ? NULL : &some, &others) < 0)
		for (unsigned i = 0; i <= 2 * serve->n; i++)
			polls[i].revents = 0;
}

static void answer(struct serve *serve, const struct pollfd *polls, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct command *c = &serve->at[i];

		if (polls[1 + 2 * i].revents)
			hear_client(c);
		if (polls[2 + 2 * i].revents && !((polls[2 + 2 * i].revents & POLLIN) && notify_answer(&c->notify)))
			shut(&c->notify.listener);
	}
}

int do_SERVE(struct launch *l, const struct plan_op *op)
{
	static struct serve serve;
	static struct pollfd polls[1 + 2 * COMMANDS_MAX];
	const struct wire serving = { .type = WIRE_SERVING };
	int r = prctl(PR_SET_DUMPABLE, 0) < 0 ? -errno : caller_init(&serve.view);

	(void)op;
	serve.l = l;
	if (r == 0)
		r = sock_send_fd(l->socket, &serving, sizeof(serving), serve.view.root);
	if (r == 0)
		fill_streams(serve.view.root);
	while (r == 0) {
		if (jail_child_ended())
			reap(&serve);
		wait_for_something(&serve, polls, tend(&serve));

		unsigned n = serve.n; /* what is new has not been polled */

		answer(&serve, polls, n);
		if (polls[0].revents)
			hear_engine(&serve);
	}
	return r;
}

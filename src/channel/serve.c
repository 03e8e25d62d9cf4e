/*
 * Theory of operation. One poll waits for all: clients' lines, room for what waits for them, the pipes of jobs, children that end. What is polled is made
 * anew each time from the state of things, so that not polling is how anything is held up: a client with a mebibyte waiting is not read, and nor are its jobs, who then wait
 * in write(2) as in front of any slow reader, while their clocks go on in processes of their own.
 */
#include "channel/serve.h"

#include "base/own.h"
#include "channel/channel.h"
#include "sys/fd.h"
#include "sys/signal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { POLL_SIGNALS, POLL_LISTENER, BACKLOG = 64 };

int serve_poll(struct serve *serve, int fd, short events)
{
	if (serve->polls_n == serve->polls_room) {
		size_t room = serve->polls_room ? serve->polls_room * 2 : 256;
		struct pollfd *polls = realloc(serve->polls, room * sizeof(*polls));

		if (!polls)
			return -ENOMEM;
		serve->polls = polls;
		serve->polls_room = room;
	}
	serve->polls[serve->polls_n++] = (struct pollfd){ .fd = events ? fd : -1, .events = events };
	return 0;
}

short serve_polled(const struct serve *serve, size_t place)
{
	return place < serve->polls_n ? serve->polls[place].revents : 0;
}

/* ---- children ---- */

static bool match(struct job *jobs, pid_t pid, int status)
{
	for (struct job *job = jobs; job; job = job->next) {
		if (job->pid == pid) {
			job_reaped(job, status);
			return true;
		}
	}
	return false;
}

static void reap(struct serve *serve)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		bool found = match(serve->orphans, pid, status);

		for (size_t i = 0; i < CLIENTS_MAX && !found; i++)
			found = match(serve->clients[i].jobs, pid, status);
	}
}

static void take_signals(struct serve *serve)
{
	for (int number; (number = signal_next(serve->signals)) > 0;) {
		if (number == SIGCHLD)
			reap(serve);
		else
			serve->ends = true;
	}
}

/* ---- clients that come ---- */

static bool is_ours(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && (peer.uid == geteuid() || peer.uid == 0);
}

static void let_in(struct serve *serve)
{
	autofd int fd = accept4(serve->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0 || fd_raise(&fd) < 0 || !is_ours(fd))
		return;
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		if (serve->clients[i].out >= 0)
			continue;
		serve->clients[i] = (struct client){ .in = fd, .out = fd };
		fd = -1;
		client_greet(&serve->clients[i]);
		return;
	}
}

/* A name that a channel left when it was killed is taken over; one that somebody answers at is not. */
static int bind_anew(int fd, const struct sockaddr_un *address)
{
	struct stat st;
	autofd int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
		return 0;
	if (errno != EADDRINUSE || lstat(address->sun_path, &st) < 0 || !S_ISSOCK(st.st_mode) || st.st_uid != geteuid())
		return errno == EADDRINUSE ? -EEXIST : -errno;
	if (probe < 0 || connect(probe, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno != ECONNREFUSED)
		return -EADDRINUSE;
	if (unlink(address->sun_path) < 0 || bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		return -errno;
	return 0;
}

static int listen_at(const char *path, int *ret_fd, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	autofd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t before;
	int r;

	if (strlen(path) >= sizeof(address.sun_path))
		return err_set(err, ERR_USAGE, ENAMETOOLONG, "--listen %s: longer than the %zu bytes that a socket's name may have", path,
		               sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, strlen(path) + 1);
	before = umask(0177);
	r = fd < 0 ? -errno : bind_anew(fd, &address);
	(void)umask(before);
	if (r == 0 && listen(fd, BACKLOG) < 0)
		r = -errno;
	if (r == 0)
		r = fd_raise(&fd);
	if (r < 0)
		return err_set(err, r == -EADDRINUSE ? ERR_BUSY : ERR_SETUP, -r, "--listen %s: %s", path, strerror(-r));
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* ---- the loop ---- */

static int poll_all(struct serve *serve)
{
	int r;

	serve->polls_n = 0;
	r = serve_poll(serve, serve->signals, POLLIN);
	if (r == 0)
		r = serve_poll(serve, serve->listener, POLLIN);
	for (size_t i = 0; i < CLIENTS_MAX && r == 0; i++)
		r = client_poll(serve, &serve->clients[i]);
	for (struct job *job = serve->orphans; job && r == 0; job = job->next)
		r = job_poll(serve, job);
	return r;
}

static void drop_over(struct job **jobs)
{
	while (*jobs) {
		struct job *job = *jobs;

		if (!job_is_over(job)) {
			jobs = &job->next;
			continue;
		}
		*jobs = job->next;
		job_free(job);
	}
}

static bool has_clients(const struct serve *serve)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (serve->clients[i].out >= 0)
			return true;
	return serve->listener >= 0;
}

static void turn(struct serve *serve)
{
	if (serve_polled(serve, POLL_SIGNALS))
		take_signals(serve);
	for (struct job *job = serve->orphans; job; job = job->next)
		job_turn(serve, job);
	drop_over(&serve->orphans);
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (serve->clients[i].out >= 0)
			client_turn(serve, &serve->clients[i]);
	if (serve_polled(serve, POLL_LISTENER))
		let_in(serve);
}

static int run(struct serve *serve, struct err *err)
{
	while (!serve->ends && has_clients(serve)) {
		int r = poll_all(serve);

		if (r < 0)
			return err_set(err, ERR_LIMIT, -r, "no memory to wait");
		if (poll(serve->polls, serve->polls_n, -1) < 0)
			for (size_t i = 0; i < serve->polls_n; i++)
				serve->polls[i].revents = 0;
		turn(serve);
	}
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (serve->clients[i].out >= 0)
			client_end(serve, &serve->clients[i]);
	return 0;
}

/* At the two ends of a pipe, or one socket; left as they were found, for others may share them. */
static int greet_standard(struct serve *serve, struct err *err)
{
	int in = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, FD_LOWEST), out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, FD_LOWEST);

	if (in < 0 || out < 0)
		return err_set(err, ERR_SETUP, errno, "standard input and output: %s", strerror(errno));
	serve->clients[0] = (struct client){ .in = in, .out = out };
	client_greet(&serve->clients[0]);
	return 0;
}

static int hold_signals(struct serve *serve, bool listens, struct err *err)
{
	sigset_t held;

	sigemptyset(&held);
	sigaddset(&held, SIGCHLD);
	sigaddset(&held, SIGTERM);
	if (listens)
		sigaddset(&held, SIGINT);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigprocmask(SIG_BLOCK, &held, NULL);
	serve->signals = signal_open(&held);
	return serve->signals < 0 ? err_set(err, ERR_SETUP, -serve->signals, "signals: %s", strerror(-serve->signals)) : 0;
}

int channel_serve(struct coffer *coffer, const char *path, struct err *err)
{
	static struct serve serve;
	int r;

	serve = (struct serve){ .coffer = coffer, .listener = -1, .signals = -1 };
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		serve.clients[i].in = serve.clients[i].out = -1;
	r = hold_signals(&serve, path, err);
	if (r == 0)
		r = path ? listen_at(path, &serve.listener, err) : greet_standard(&serve, err);
	if (r == 0)
		r = run(&serve, err);
	if (path && serve.listener >= 0)
		(void)unlink(path);
	own_close(&serve.listener);
	own_close(&serve.signals);
	free(serve.polls);
	return r;
}

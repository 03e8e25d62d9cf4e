/*
 * Theory of operation. The engine starts one filter for each sandbox and leaves it two things: rules in a sealed memfd (3) and a socket to itself
 * (4). Listening sockets come over that one, made inside the sandbox's network; connections to the world are made here, outside it. When the
 * engine closes its side, everything ends.
 */
#include "egress/confine.h"
#include "egress/decider.h"
#include "egress/filter.h"
#include "egress/opener.h"
#include "egress/publish.h"
#include "egress/weak.h"

#include "base/own.h"
#include "sys/fd.h"
#include "sys/sock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	RULES_FD = 3,
	CONTROL_FD = 4,
	STATUS_BAD_START = 125,
	TOLD_MAX = 4096,
	FDS_RESERVED = 512, /* listeners, lookups, pipes of streams, and to spare */
};

static void accept_all(struct source *source, uint32_t events)
{
	struct listener *listener = (struct listener *)source;
	int fd;

	(void)events;
	while ((fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0 || errno == EINTR || errno == ECONNABORTED)
		if (fd >= 0)
			conn_accept(listener->filter, fd, listener->direct);
}

static int get_option(int fd, int option)
{
	socklen_t n = sizeof(int);
	int value = -1;

	return getsockopt(fd, SOL_SOCKET, option, &value, &n) < 0 ? -1 : value;
}

/* Where a decider is asked, whoever made the socket made it outside every sandbox, and it may be one of any kind that has streams. */
static bool is_listener(const struct filter *filter, int fd, enum listener_kind kind)
{
	int domain = get_option(fd, SO_DOMAIN), type = get_option(fd, SO_TYPE);

	if (domain != AF_INET && domain != AF_INET6 && !filter->rules->asks)
		return false;
	return kind == LISTENER_RESOLVER ? type == SOCK_DGRAM : type == SOCK_STREAM && get_option(fd, SO_ACCEPTCONN) == 1;
}

static void add_listener(struct filter *filter, enum listener_kind kind, int *fd)
{
	static const int on = 1;
	struct listener *listener = &filter->listener[filter->listeners_n];

	if (filter->listeners_n == LISTENERS_MAX || !is_listener(filter, *fd, kind) || fd_set_nonblocking(*fd) < 0)
		return;
	*listener = (struct listener){ .source = { kind == LISTENER_RESOLVER ? resolver_answer_all : accept_all },
		                       .filter = filter,
		                       .fd = *fd,
		                       .direct = kind == LISTENER_TRANSPARENT };
	if (loop_watch(&filter->loop, *fd, EPOLLIN, &listener->source) < 0)
		return;
	(void)setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* whoever is accepted has it from here */
	*fd = -1;
	filter->listeners_n++;
	listener->source.ready(&listener->source, EPOLLIN);
}

static void obey(struct source *source, uint32_t events)
{
	struct filter *filter = (struct filter *)(void *)((char *)source - offsetof(struct filter, control));

	(void)events;
	for (;;) {
		autofd int fd = -1;
		unsigned char message[PUBLISH_MESSAGE_BYTES] = { 0 };
		ssize_t n = sock_receive(filter->control_fd, message, sizeof(message), &fd);

		if (n == -EAGAIN)
			return;
		if (n <= 0) {
			filter->loop.over = true;
			return;
		}
		if (fd >= 0 && message[0] == CONTROL_RULES)
			renew(filter, fd);
		else if (decider_is_wanted(filter) && (message[0] == DECIDER_IN || message[0] == DECIDER_OUT || message[0] == DECIDER_END))
			decider_obey(filter, (char)message[0], &fd);
		else if (fd >= 0 && (message[0] == LISTENER_PROXY || message[0] == LISTENER_TRANSPARENT || message[0] == LISTENER_RESOLVER))
			add_listener(filter, (enum listener_kind)message[0], &fd);
		else
			publish_obey(filter, message, &fd);
	}
}

/* The engine waits for one or the other. */
static void tell(const char *event, const char *reason)
{
	autostr struct str line;

	str_init(&line, TOLD_MAX);
	str_printf(&line, "{\"event\":\"%s\",\"reason\":", event);
	str_add_json(&line, reason, strlen(reason));
	str_add(&line, "}\n");
	(void)sock_send(CONTROL_FD, line.text, line.len);
}

static _Noreturn void give_up(const struct err *err)
{
	char text[sizeof(err->where) + sizeof(err->text) + 2];

	snprintf(text, sizeof(text), "%s%s%s", err->where, err->where[0] ? ": " : "", err->text);
	fprintf(stderr, "coffer-egress: %s\n", text);
	tell("failed", text);
	exit(STATUS_BAD_START);
}

/* Two descriptors a connection, as far as the limit goes that confine raises. */
static int count_conns(size_t *ret_max)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return -errno;
	if (files.rlim_max < 2 * FDS_RESERVED)
		return -EMFILE;
	*ret_max = (files.rlim_max - FDS_RESERVED) / 2 < CONNS_MAX ? (size_t)(files.rlim_max - FDS_RESERVED) / 2 : CONNS_MAX;
	return 0;
}

static int prepare(struct filter *filter, uint32_t uid, struct err *err)
{
	int r = count_conns(&filter->conns_max);

	if (r < 0)
		return err_set(err, ERR_LIMIT, -r, "at least %d open files are needed", 2 * FDS_RESERVED);
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || signal(SIGCHLD, SIG_IGN) == SIG_ERR)
		return err_set(err, ERR_SETUP, errno, "signals");
	(void)syscall(SYS_close_range, CONTROL_FD + 1, ~0U, 0); /* a courtesy: the engine leaves nothing open */
	if (filter->rules->ways.mitm_socket && opener_start(filter->rules->ways.mitm_socket, &filter->opener, err) < 0)
		return -err->errnum;
	r = loop_init(&filter->loop);
	if (filter->rules->tls.opens)
		filter->loop.length_ms[WAIT_HANDSHAKE] = filter->rules->tls.handshake_ms;
	if (r == 0)
		r = loop_watch(&filter->loop, filter->control_fd, EPOLLIN, &filter->control);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "no socket to the engine") : WEAKENED("confine") ? 0 : confine(uid, err);
}

static int prepare_tls(const struct filter_rules *rules, struct err *err)
{
	if (!rules->tls.opens && !ways_have_tls(&rules->ways))
		return 0;
	if (!secure_is_linked())
		return err_set(err, ERR_INTERNAL, ENOSYS, "TLS is spoken by coffer-egress-tls alone");
	if (rules->tls.opens && !rules->tls.trust.ca_cert)
		return err_set(err, ERR_POLICY, EINVAL, "no authority to open TLS with");
	return secure_ops.prepare(&rules->tls.trust, err);
}

static bool is_asked_for_ca(int argc, char *argv[])
{
	return argc == 2 && strcmp(argv[1], "--ca") == 0 && secure_is_linked();
}

int main(int argc, char *argv[])
{
	static struct filter filter = {
		.control = { obey }, .control_fd = CONTROL_FD, .burial = { .run = conn_bury }, .telling = { .run = report_late }
	};
	static struct arena first;
	struct err err = { 0 };

	if (is_asked_for_ca(argc, argv))
		return secure_ops.make_ca();
	filter.rules = &filter.generation[0].rules;
	arena_init(&first, RULES_ARENA_MAX); /* not a generation's: what hangs on TLS stays when the rest is renewed */
	if (filter_rules_load(RULES_FD, &first, filter.rules, &err) < 0)
		give_up(&err);
	close(RULES_FD);
	if (prepare_tls(filter.rules, &err) < 0)
		give_up(&err);
	if (prepare(&filter, filter.rules->uid, &err) < 0)
		give_up(&err);
	tell("ready", "");
	return loop_run(&filter.loop) < 0;
}

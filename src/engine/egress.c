#include "engine/egress.h"

#include "base/own.h"
#include "engine/spawn.h"
#include "sys/fd.h"
#include "sys/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RULES_FD = 3, SOCKET_FD = 4, START_MS = 10000 };

void egress_init(struct egress *egress)
{
	*egress = (struct egress){ .process = { .pid = -1, .pidfd = -1 }, .socket = -1 };
}

/* Both documents, a NUL between them. */
static int seal_rules(const struct egress_rules *rules)
{
	size_t n = rules->shown_n + (rules->secret_n ? 1 + rules->secret_n : 0);
	autofree char *text = calloc(1, n + 1);

	if (!text)
		return -ENOMEM;
	memcpy(text, rules->shown, rules->shown_n);
	if (rules->secret_n)
		memcpy(text + rules->shown_n + 1, rules->secret, rules->secret_n);

	int fd = fd_sealed("coffer-egress-rules", text, n);

	explicit_bzero(text, n);
	return fd;
}

int egress_start(struct egress *egress, const struct egress_rules *rules)
{
	char path[PATH_BYTES_MAX + 1], program[] = "coffer-egress-tls";

	if (!rules->opens_tls)
		program[sizeof("coffer-egress") - 1] = '\0';

	char *const argv[] = { program, NULL };
	struct err err = { 0 };
	int pair[2], r = spawn_find(program, path, &err);
	autofd int memfd = r < 0 ? r : seal_rules(rules);
	autofd int null = memfd < 0 ? memfd : fd_open_null();

	r = null < 0 ? null : sock_pair(pair);
	if (r < 0)
		return r;
	egress->socket = pair[0];

	autofd int theirs = pair[1];
	const int fds[SOCKET_FD + 1] = { null, null, null, [RULES_FD] = memfd, [SOCKET_FD] = theirs };

	return process_spawn(path, argv, fds, SOCKET_FD + 1, &egress->process);
}

int egress_listen(struct egress *egress, int session)
{
	egress->socket = fcntl(session, F_DUPFD_CLOEXEC, FD_LOWEST);
	return egress->socket < 0 ? -errno : 0;
}

int egress_hand_over(const struct egress *egress, char kind, int listener)
{
	return sock_send_fd(egress->socket, &kind, 1, listener);
}

int egress_publish(const struct egress *egress, const char *address, uint16_t port, uint16_t inner)
{
	const unsigned char packet[] = { 'H', (unsigned char)(inner >> 8), (unsigned char)inner };
	autofd int listener = egress->socket < 0 ? -EPROTO : sock_listen(address, port);

	return listener < 0 ? listener : sock_send_fd(egress->socket, packet, sizeof(packet), listener);
}

int egress_grant(const struct egress *egress, int socket)
{
	return socket < 0 ? sock_send(egress->socket, "S", 1) : sock_send_fd(egress->socket, "S", 1, socket);
}

int egress_renew(const struct egress *egress, int rules)
{
	return sock_send_fd(egress->socket, "R", 1, rules);
}

static const char *text(const json_t *event, const char *name)
{
	return json_string_value(json_object_get(event, name));
}

/* "example.com:443", "[::1]:80", "example.com" of a lookup; a request that could not be read has no host. */
static const char *target(struct egress *egress, const json_t *event)
{
	const char *host = text(event, "host");
	int port = (int)json_integer_value(json_object_get(event, "port"));

	if (!host)
		return NULL;
	if (!*host)
		return "unreadable request";
	if (port == 0)
		return host;
	snprintf(egress->target, sizeof(egress->target), strchr(host, ':') ? "[%s]:%d" : "%s:%d", host, port);
	return egress->target;
}

static void take_decider(struct egress *egress, const char *reason)
{
	egress->decider = reason ? EGRESS_DECIDER_LOST : EGRESS_DECIDER_READY;
	snprintf(egress->decider_reason, sizeof(egress->decider_reason), "%s", reason ? reason : "");
}

/* The filter does not know whose connection it is: there is one sandbox, and what is inside is not to be believed. */
static struct denial take(struct egress *egress, const json_t *event)
{
	const char *kind = text(event, "event"), *rule = text(event, "rule");

	if (kind && strcmp(kind, "socket") == 0)
		egress->wished++;
	if (kind && strcmp(kind, "decider") == 0)
		take_decider(egress, text(event, "reason"));
	if (!kind || strcmp(kind, "deny") != 0)
		return (struct denial){ .target = NULL };
	return (struct denial){ .process = "",
		                .operation = "connect",
		                .errnum = ECONNREFUSED,
		                .target = target(egress, event),
		                .rule = rule ? rule : text(event, "reason") };
}

static uint64_t number(const json_t *event, const char *name)
{
	json_int_t value = json_integer_value(json_object_get(event, name));

	return value > 0 ? (uint64_t)value : 0;
}

static struct connection take_connection(const json_t *event)
{
	static const char *const verdicts[] = { "open", "deny", "close" };
	const char *kind = text(event, "event"), *host = text(event, "host"), *way = text(event, "way");
	struct connection connection = { .host = host,
		                         .way = way,
		                         .port = (uint16_t)number(event, "port"),
		                         .rule = text(event, "rule"),
		                         .reason = text(event, "reason"),
		                         .bytes_up = number(event, "bytes_up"),
		                         .bytes_down = number(event, "bytes_down"),
		                         .duration_ms = number(event, "duration_ms"),
		                         .dropped = number(event, "dropped") };

	for (size_t i = 0; kind && host && way && i < ARRAY_LEN(verdicts); i++)
		if (strcmp(kind, verdicts[i]) == 0)
			connection.verdict = verdicts[i];
	return connection;
}

int egress_read(struct egress *egress, struct denial *ret_denial)
{
	char *packet = egress->packet;
	autofd int fd = -1;
	ssize_t n = sock_receive(egress->socket, packet, sizeof(egress->packet), &fd);

	egress->packet_n = n > 0 ? (size_t)n : 0;

	if (n == -EAGAIN)
		return 0;
	if (n == 0 || (n < 0 && n != -EMSGSIZE))
		return n ? (int)n : -EPIPE;
	json_done(&egress->event);
	*ret_denial = (struct denial){ .target = NULL };
	egress->connection = (struct connection){ .verdict = NULL };
	if (n > 0 && json_read(packet, (size_t)n, "coffer-egress", &egress->event, NULL) == 0) {
		*ret_denial = take(egress, egress->event);
		egress->connection = take_connection(egress->event);
	}
	return 1;
}

int egress_wait(struct egress *egress, struct err *err)
{
	struct pollfd wanted = { .fd = egress->socket, .events = POLLIN };
	struct denial denial;
	const char *kind, *reason;

	if (poll(&wanted, 1, START_MS) != 1 || egress_read(egress, &denial) != 1)
		return err_set(err, ERR_SETUP, EIO, "the egress filter does not start");
	kind = text(egress->event, "event");
	reason = text(egress->event, "reason");
	if (kind && strcmp(kind, "ready") == 0)
		return 0;
	return err_set(err, ERR_SETUP, EIO, "the egress filter does not start: %s", reason ? reason : "it says nothing");
}

void egress_done(struct egress *egress)
{
	own_close(&egress->socket);
	json_done(&egress->event);
	if (egress->process.pid > 0) {
		(void)process_signal(&egress->process, SIGKILL);
		(void)process_reap(&egress->process);
	}
	egress->process.pid = -1;
}

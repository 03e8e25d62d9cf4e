#include "engine/egress.h"

#include "base/json.h"
#include "base/own.h"
#include "engine/spawn.h"
#include "sys/fd.h"
#include "sys/sock.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { RULES_FD = 3, SOCKET_FD = 4, EVENT_MAX = 4096 };

void egress_init(struct egress *egress)
{
	*egress = (struct egress){ .process = { .pid = -1, .pidfd = -1 }, .socket = -1 };
}

int egress_start(struct egress *egress, const void *rules, size_t n)
{
	char path[PATH_BYTES_MAX + 1], program[] = "coffer-egress";
	char *const argv[] = { program, NULL };
	struct err err = { 0 };
	int pair[2], r = spawn_find(program, path, &err);
	autofd int memfd = r < 0 ? r : fd_sealed("coffer-egress-rules", rules, n);
	autofd int null = memfd < 0 ? memfd : fd_open_null();

	r = null < 0 ? null : sock_pair(pair);
	if (r < 0)
		return r;
	egress->socket = pair[0];

	autofd int theirs = pair[1];
	const int fds[SOCKET_FD + 1] = { null, null, null, [RULES_FD] = memfd, [SOCKET_FD] = theirs };

	return process_spawn(path, argv, fds, SOCKET_FD + 1, &egress->process);
}

int egress_hand_over(const struct egress *egress, int listener)
{
	return sock_send_fd(egress->socket, "P", 1, listener);
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

static const char *text(struct arena *arena, const json_t *event, const char *name)
{
	const char *value = json_string_value(json_object_get(event, name));

	return value ? arena_dup(arena, value) : NULL;
}

/* "example.com:443", "[::1]:80" */
static const char *target(struct arena *arena, const json_t *event)
{
	const char *host = json_string_value(json_object_get(event, "host"));
	int port = (int)json_integer_value(json_object_get(event, "port"));

	if (!host)
		return NULL;
	return strchr(host, ':') ? arena_printf(arena, "[%s]:%d", host, port) : arena_printf(arena, "%s:%d", host, port);
}

/* The filter does not know whose connection it is: there is one sandbox, and what is inside is not to be believed. */
static bool take(struct egress *egress, struct arena *arena, const json_t *event, struct denial *ret_denial)
{
	const char *kind = json_string_value(json_object_get(event, "event"));
	struct denial denial = { .process = "", .operation = "connect", .errnum = ECONNREFUSED };

	if (kind && strcmp(kind, "socket") == 0)
		egress->wished++;
	if (!kind || strcmp(kind, "deny") != 0)
		return false;
	denial.target = target(arena, event);
	denial.rule = text(arena, event, "rule");
	if (!denial.rule)
		denial.rule = text(arena, event, "reason");
	*ret_denial = denial;
	return denial.target;
}

int egress_next_denial(struct egress *egress, struct arena *arena, struct denial *ret_denial)
{
	char packet[EVENT_MAX];

	for (;;) {
		autofd int fd = -1;
		autojson json_t *event = NULL;
		ssize_t n = sock_receive(egress->socket, packet, sizeof(packet), &fd);

		if (n == -EAGAIN)
			return 0;
		if (n == 0 || (n < 0 && n != -EMSGSIZE))
			return n ? (int)n : -EPIPE;
		if (n > 0 && json_read(packet, (size_t)n, "coffer-egress", &event, NULL) == 0 && take(egress, arena, event, ret_denial))
			return 1;
	}
}

void egress_done(struct egress *egress)
{
	own_close(&egress->socket);
	if (egress->process.pid > 0) {
		(void)process_signal(&egress->process, SIGKILL);
		(void)process_reap(&egress->process);
	}
	egress->process.pid = -1;
}

/*
 * Theory of operation. Who has been accepted waits, the oldest first, for a socket of the sandbox's network. One is asked for each, one comes for each, and
 * it does not matter which. Then the socket is connected to the server inside, which takes no time, and bytes flow both ways until both sides
 * have ended. If nobody listens inside, whoever came is sent away at once.
 */
#include "egress/publish.h"

#include "base/own.h"
#include "sys/fd.h"
#include "sys/sock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { PUBLISHED_MAX = 64, ASKED_MAX = 64 };

struct gate {
	struct source source; /* first */
	struct filter *filter;
	int fd;
	uint16_t inner;
};

struct visit {
	struct filter *filter;
	struct end guest, server;
	struct turn turn;
	struct flow in, out;
	uint16_t inner;
	bool waiting, dead;
	struct visit *next; /* of those who wait */
};

static struct gate gates[PUBLISHED_MAX];
static size_t gates_n;
static struct visit *oldest, **youngest = &oldest;
static size_t asked, unasked; /* sockets that are on their way, and that are to be asked for once fewer are */

static void leave_queue(struct visit *visit)
{
	struct visit **at = &oldest;

	if (!visit->waiting)
		return;
	while (*at != visit)
		at = &(*at)->next;
	*at = visit->next;
	if (youngest == &visit->next)
		youngest = at;
	visit->waiting = false;
}

/* It lives until the end of the round, as the loop may still tell it something. */
static void end_visit(struct visit *visit)
{
	static const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	if (visit->dead)
		return;
	visit->dead = true;
	leave_queue(visit);
	if (!visit->in.ended || !visit->out.ended) /* so that the guest knows that something is missing */
		(void)setsockopt(visit->guest.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	end_close(&visit->guest);
	end_close(&visit->server);
	flow_done(&visit->in);
	flow_done(&visit->out);
	visit->filter->conns_n--;
	loop_queue(&visit->filter->loop, &visit->turn);
}

static void move(struct visit *visit)
{
	enum flow_result in, out;

	if (visit->server.fd < 0)
		return;
	in = flow_move(&visit->in, &visit->guest, &visit->server);
	out = flow_move(&visit->out, &visit->server, &visit->guest);
	if (in == FLOW_ENDED && out == FLOW_ENDED)
		end_visit(visit);
	else if (in == FLOW_BUSY || out == FLOW_BUSY)
		loop_queue(&visit->filter->loop, &visit->turn);
}

static void take_turn(struct turn *turn)
{
	struct visit *visit = (struct visit *)(void *)((char *)turn - offsetof(struct visit, turn));

	if (visit->dead)
		free(visit);
	else
		move(visit);
}

static void note(struct visit *visit, struct end *end, uint32_t events)
{
	if (visit->dead || end->fd < 0)
		return;
	end->readable = end->readable || events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR);
	end->writable = end->writable || events & (EPOLLOUT | EPOLLHUP | EPOLLERR);
	if (events & EPOLLERR) /* refused, or reset: there is nobody to say anything to */
		end_visit(visit);
	else
		move(visit);
}

static void hear_guest(struct source *source, uint32_t events)
{
	note((struct visit *)(void *)((char *)source - offsetof(struct visit, guest)), (struct end *)source, events);
}

static void hear_server(struct source *source, uint32_t events)
{
	note((struct visit *)(void *)((char *)source - offsetof(struct visit, server)), (struct end *)source, events);
}

/* False when the engine takes no wish and none is on its way, which would be the time to try again. */
static bool ask_for_sockets(const struct filter *filter)
{
	static const char wish[] = "{\"event\":\"socket\"}\n";

	while (unasked > 0 && asked < ASKED_MAX && sock_send(filter->control_fd, wish, sizeof(wish) - 1) == 0) {
		unasked--;
		asked++;
	}
	return unasked == 0 || asked > 0;
}

static void begin_visit(struct gate *gate, int take_fd)
{
	struct filter *filter = gate->filter;
	struct visit *visit = filter->conns_n < filter->conns_max ? calloc(1, sizeof(*visit)) : NULL;

	if (!visit) {
		own_close(&take_fd);
		return;
	}
	visit->filter = filter;
	visit->guest = (struct end){ .source = { hear_guest }, .fd = take_fd };
	visit->server = (struct end){ .source = { hear_server }, .fd = -1 };
	visit->turn.run = take_turn;
	visit->inner = gate->inner;
	visit->waiting = true;
	*youngest = visit;
	youngest = &visit->next;
	filter->conns_n++;
	unasked++;
	if (loop_watch(&filter->loop, take_fd, EPOLLIN | EPOLLOUT, &visit->guest.source) < 0 || !ask_for_sockets(filter))
		end_visit(visit);
}

static void accept_guests(struct source *source, uint32_t events)
{
	struct gate *gate = (struct gate *)source;
	int fd;

	(void)events;
	while ((fd = accept4(gate->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0 || errno == EINTR || errno == ECONNABORTED)
		if (fd >= 0)
			begin_visit(gate, fd);
}

static void open_gate(struct filter *filter, uint16_t inner, int *fd)
{
	struct gate *gate = &gates[gates_n];

	if (gates_n == PUBLISHED_MAX || fd_set_nonblocking(*fd) < 0)
		return;
	*gate = (struct gate){ .source = { accept_guests }, .filter = filter, .fd = *fd, .inner = inner };
	if (loop_watch(&filter->loop, *fd, EPOLLIN, &gate->source) < 0)
		return;
	*fd = -1;
	gates_n++;
	accept_guests(&gate->source, EPOLLIN);
}

static int reach(struct visit *visit, int *fd)
{
	static const int on = 1;
	const struct sockaddr_in there = { .sin_family = AF_INET,
		                           .sin_port = htons(visit->inner),
		                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	if (fd_set_nonblocking(*fd) < 0 || (connect(*fd, (const struct sockaddr *)&there, sizeof(there)) < 0 && errno != EINPROGRESS))
		return -1;
	(void)setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(visit->guest.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (loop_watch(&visit->filter->loop, *fd, EPOLLIN | EPOLLOUT, &visit->server.source) < 0)
		return -1;
	visit->server.fd = *fd;
	*fd = -1;
	return 0;
}

/* Who waited may have gone: then the socket is nobody's. */
static void lead_in(int *fd)
{
	struct visit *visit = oldest;

	asked -= asked > 0;
	if (!visit)
		return;
	leave_queue(visit);
	if (*fd < 0 || reach(visit, fd) < 0)
		end_visit(visit);
}

void publish_obey(struct filter *filter, const unsigned char message[PUBLISH_MESSAGE_BYTES], int *fd)
{
	if (message[0] == PUBLISH_LISTENER && *fd >= 0)
		open_gate(filter, (uint16_t)(message[1] << 8 | message[2]), fd);
	if (message[0] != PUBLISH_SOCKET)
		return;
	lead_in(fd);
	(void)ask_for_sockets(filter);
}

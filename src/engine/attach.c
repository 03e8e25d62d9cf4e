#include "engine/attach.h"

#include "base/own.h"
#include "sys/fd.h"
#include "sys/sock.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { OF_LISTENER = KEEP_ATTACHED_MAX, OF_KEYS, EVENTS_MAX = KEEP_ATTACHED_MAX + 2, TURN_PACKETS = 64 };
enum { REPEAT_LINE = 4096 }; /* of a beginning that was cut the rest of a line is left out, if that is no longer */

/* ---- what is waited for ---- */

static int watch_fd(const struct attach *attach, int operation, int fd, uint32_t place, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.u32 = place };

	return epoll_ctl(attach->epoll, operation, fd, &event) < 0 ? -errno : 0;
}

static uint32_t events_of(const struct attach *attach, const struct attached *one)
{
	return (attach->keys_full ? 0U : (uint32_t)EPOLLIN) | (one->waits ? (uint32_t)EPOLLOUT : 0U);
}

static void watch_again(const struct attach *attach, size_t i)
{
	if (attach->at[i].fd >= 0)
		(void)watch_fd(attach, EPOLL_CTL_MOD, attach->at[i].fd, (uint32_t)i, events_of(attach, &attach->at[i]));
}

static void let_go(struct attached *one)
{
	own_close(&one->fd);
	*one = (struct attached){ .fd = -1 };
}

/* ---- to them ---- */

/* -EAGAIN: he has not read for a while. */
static int send_packet(const struct attached *one, const struct keep_packet *packet, const void *bytes, size_t n)
{
	struct iovec parts[] = { { (void *)(uintptr_t)packet, sizeof(*packet) }, { (void *)(uintptr_t)bytes, n } };
	const struct msghdr message = { .msg_iov = parts, .msg_iovlen = n ? 2 : 1 };

	return sendmsg(one->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Moves his place in a stream towards its end. 0: he is there. */
static int send_stream(const struct attach *attach, struct attached *one, size_t i)
{
	static char bytes[KEEP_BYTES_MAX];
	const struct ring *ring = &attach->rings[i];
	int r = 0;

	while (r == 0 && one->at[i] < ring->total) {
		uint64_t first = ring_first(ring), lost = one->at[i] < first ? first - one->at[i] : 0;
		size_t n = lost ? 0 : ring_copy(ring, one->at[i], bytes, sizeof(bytes));
		struct keep_packet packet = { .type = KEEP_OUTPUT_BYTES, .a = (uint32_t)i + 1, .n = n };

		if (n == 0) { /* overwritten; or the disk was full, and the rest is not there */
			packet.type = KEEP_LOST;
			packet.n = lost ? lost : ring->total - one->at[i];
		}
		r = send_packet(one, &packet, bytes, n);
		if (r == 0)
			one->at[i] += packet.n;
	}
	return r;
}

static void send_what_there_is(struct attach *attach, size_t place)
{
	const struct keep_packet end = { .type = KEEP_ENDED };
	struct attached *one = &attach->at[place];
	bool waited = one->waits;
	int r = 0;

	if (one->fd < 0 || !one->greeted)
		return;
	for (size_t i = 0; r == 0 && i < attach->rings_n; i++)
		r = send_stream(attach, one, i);
	if (r == 0 && attach->ended)
		r = send_packet(one, &end, NULL, 0);
	one->waits = r == -EAGAIN;
	if (r == 0 ? attach->ended : r != -EAGAIN)
		let_go(one);
	else if (one->waits != waited)
		watch_again(attach, place);
}

void attach_tell(struct attach *attach)
{
	for (size_t i = 0; i < KEEP_ATTACHED_MAX; i++)
		if (!attach->at[i].waits)
			send_what_there_is(attach, i);
}

/* ---- from them ---- */

/* Where his view begins: a line of which the beginning is missing would only be a riddle. */
static uint64_t place_in(const struct ring *ring, uint64_t repeat)
{
	static char bytes[REPEAT_LINE];
	uint64_t at = ring->total > repeat ? ring->total - repeat : 0;
	const char *newline;

	if (at < ring_first(ring))
		at = ring_first(ring);
	newline = at > 0 && repeat > 0 ? memchr(bytes, '\n', ring_copy(ring, at, bytes, sizeof(bytes))) : NULL;
	return newline ? at + (uint64_t)(newline - bytes) + 1 : at;
}

static bool greet(struct attach *attach, struct attached *one, const struct keep_packet *packet)
{
	const struct keep_packet hello = { .type = KEEP_HELLO, .a = KEEP_VERSION, .b = attach->size != NULL };

	if (one->greeted || packet->a != KEEP_VERSION || send_packet(one, &hello, NULL, 0) < 0)
		return false;
	for (size_t i = 0; i < attach->rings_n; i++)
		one->at[i] = place_in(&attach->rings[i], packet->n);
	one->greeted = true;
	return true;
}

static void stop_keys(struct attach *attach, bool full)
{
	attach->keys_full = full;
	(void)watch_fd(attach, EPOLL_CTL_MOD, attach->keys, OF_KEYS, full ? EPOLLOUT : 0);
	for (size_t i = 0; i < KEEP_ATTACHED_MAX; i++)
		watch_again(attach, i);
}

/* What poll has promised room for goes into a pipe in one piece (PIPE_BUF). A command that has closed its input hears nothing. */
static void pass_keys(struct attach *attach, const char *bytes, size_t n)
{
	if (attach->keys >= 0 && n > 0 && write(attach->keys, bytes, n) < 0 && errno == EPIPE)
		attach->keys = -1;
}

static bool resize(struct attach *attach, const struct keep_packet *packet)
{
	struct winsize *size = attach->size;
	bool differs = size && (size->ws_row != packet->a || size->ws_col != packet->b);

	if (!differs || packet->a > UINT16_MAX || packet->b > UINT16_MAX)
		return false;
	*size = (struct winsize){ .ws_row = (unsigned short)packet->a, .ws_col = (unsigned short)packet->b };
	return true;
}

static bool may_write(int fd)
{
	struct pollfd wanted = { .fd = fd, .events = POLLOUT };

	return fd < 0 || poll(&wanted, 1, 0) > 0;
}

/* One packet. False: there is none, or he is gone. */
static bool hear(struct attach *attach, size_t place, bool *resized)
{
	struct {
		struct keep_packet head;
		char bytes[KEEP_KEYS_MAX];
	} packet;
	struct attached *one = &attach->at[place];
	ssize_t n;

	if (!may_write(attach->keys)) {
		stop_keys(attach, true);
		return false;
	}
	n = recv(one->fd, &packet, sizeof(packet), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n < (ssize_t)sizeof(packet.head) || (packet.head.type != KEEP_HELLO && !one->greeted) ||
	    (packet.head.type == KEEP_HELLO && !greet(attach, one, &packet.head))) {
		let_go(one);
		return false;
	}
	if (packet.head.type == KEEP_KEYS)
		pass_keys(attach, packet.bytes, (size_t)n - sizeof(packet.head));
	if (packet.head.type == KEEP_SIZE)
		*resized = resize(attach, &packet.head) || *resized;
	if (packet.head.type == KEEP_HELLO)
		send_what_there_is(attach, place);
	return one->fd >= 0;
}

/* So many at once that no one keeps the others waiting. Who has gone while keys are not taken is not asked for his last ones. */
static void hear_some(struct attach *attach, size_t place, uint32_t events, bool *resized)
{
	int n = 0;

	if (attach->keys_full && (events & (EPOLLHUP | EPOLLERR)))
		let_go(&attach->at[place]);
	else
		while (n < TURN_PACKETS && hear(attach, place, resized))
			n++;
}

static void refuse(int fd, int errnum)
{
	const struct keep_packet no = { .type = KEEP_REFUSED, .a = (uint32_t)errnum };

	(void)sock_send(fd, &no, sizeof(no));
}

static void take_one(struct attach *attach)
{
	autofd int fd = accept4(attach->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0 || live_check_peer(fd, true) < 0 || fd_raise(&fd) < 0)
		return;
	for (size_t i = 0; i < KEEP_ATTACHED_MAX; i++) {
		struct attached one = { .fd = fd };

		if (attach->at[i].fd >= 0)
			continue;
		if (watch_fd(attach, EPOLL_CTL_ADD, fd, (uint32_t)i, events_of(attach, &one)) == 0) {
			attach->at[i] = one;
			fd = -1;
		}
		return;
	}
	refuse(fd, EBUSY);
}

/* ---- its turns ---- */

int attach_open(struct attach *attach, int dir, const struct ring *rings, size_t rings_n)
{
	int r;

	attach->rings = rings;
	attach->rings_n = rings_n;
	for (size_t i = 0; i < KEEP_ATTACHED_MAX; i++)
		attach->at[i] = (struct attached){ .fd = -1 };
	attach->epoll = epoll_create1(EPOLL_CLOEXEC);
	attach->listener = attach->epoll < 0 ? -errno : live_listen(dir, KEEP_SOCKET);
	r = attach->listener < 0 ? attach->listener : watch_fd(attach, EPOLL_CTL_ADD, attach->listener, OF_LISTENER, EPOLLIN);
	if (r == 0 && attach->keys >= 0)
		r = watch_fd(attach, EPOLL_CTL_ADD, attach->keys, OF_KEYS, 0);
	return r;
}

bool attach_turn(struct attach *attach)
{
	struct epoll_event events[EVENTS_MAX];
	bool resized = false;
	int n = epoll_wait(attach->epoll, events, EVENTS_MAX, 0);

	for (int i = 0; i < n; i++) {
		uint32_t place = events[i].data.u32;

		if (place == OF_LISTENER)
			take_one(attach);
		else if (place == OF_KEYS && attach->keys_full)
			stop_keys(attach, false);
		else if (place < KEEP_ATTACHED_MAX && attach->at[place].fd >= 0 && (events[i].events & EPOLLOUT))
			send_what_there_is(attach, place);
		if (place < KEEP_ATTACHED_MAX && attach->at[place].fd >= 0 && (events[i].events & ~(uint32_t)EPOLLOUT))
			hear_some(attach, place, events[i].events, &resized);
	}
	return resized;
}

static bool has_anybody(const struct attach *attach)
{
	for (size_t i = 0; i < KEEP_ATTACHED_MAX; i++)
		if (attach->at[i].fd >= 0 && attach->at[i].greeted)
			return true;
	return false;
}

static uint64_t clock_ms(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void attach_end(struct attach *attach, unsigned timeout_ms)
{
	uint64_t end = clock_ms() + timeout_ms, now;
	struct epoll_event event;

	(void)attach_turn(attach); /* who has just come */
	own_close(&attach->listener);
	attach->keys = -1;
	attach->ended = true;
	attach_tell(attach);
	while (has_anybody(attach) && (now = clock_ms()) < end) {
		(void)epoll_wait(attach->epoll, &event, 1, (int)(end - now));
		(void)attach_turn(attach);
	}
	for (size_t i = 0; i < KEEP_ATTACHED_MAX; i++)
		let_go(&attach->at[i]);
	own_close(&attach->epoll);
}

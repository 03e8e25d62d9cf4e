/*
 * Theory of operation. There are two ways to move bytes. Between pipes, and from a pipe into a file, splice(2) moves pages and copies nothing
 * or once; it alone can ask for no blocking on a pipe that others hold. Everything else is read into a buffer and
 * written from there. A caller's file is always copied, although it could be spliced into the sandbox's pipe: then the pipe would hold
 * pages of the page cache, and no bug should ever make those reachable from inside (CVE-2022-0847 was one).
 *
 * Each step tells what stopped it, a dry source or a full sink, and that is what the relay then waits for.
 */
#include "engine/relay.h"

#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RELAY_BUFFER = 256 << 10, RELAY_PIPE = 1 << 20, RELAY_TURN = 1 << 20 };
enum { RELAY_DEFAULT = 64 << 10 }; /* what a pipe holds unless told otherwise: pipe(7) */
enum { RELAY_CAREFUL = 4096 };     /* PIPE_BUF: what poll promises room for */
enum { RELAY_END_KEY = 4 };        /* ^D, the VEOF of every terminal until it is told otherwise */

enum step { MOVED, DRY, FULL, ENDED, SINK_GONE, SINK_FAILED, NOT_NOW };

/* ---- ends ---- */

/*
 * Takes the blocking out of an end that is the caller's. O_NONBLOCK would show in every process that shares it, so what it leads to is
 * opened once more; where that is refused (a pipe from another user), poll comes before every touch. Files never block, sockets can
 * be asked each time.
 */
static void open_again(struct relay_end *end, int access)
{
	int again = end->kind == FD_PIPE || end->kind == FD_TERMINAL ? fd_open_again(end->fd, access) : -1;

	if (again >= 0)
		*end = (struct relay_end){ .fd = again, .kind = end->kind, .ours = true };
	else
		end->blocking = end->kind == FD_PIPE || end->kind == FD_TERMINAL || end->kind == FD_OTHER;
}

static bool is_ready(const struct relay_end *end, short events)
{
	struct pollfd p = { .fd = end->fd, .events = events };

	return !end->blocking || poll(&p, 1, 0) > 0;
}

static ssize_t read_end(const struct relay_end *end, void *bytes, size_t n)
{
	if (!is_ready(end, POLLIN)) {
		errno = EAGAIN;
		return -1;
	}
	return end->kind == FD_SOCKET ? recv(end->fd, bytes, n, MSG_DONTWAIT) : read(end->fd, bytes, n);
}

static ssize_t write_end(const struct relay_end *end, const void *bytes, size_t n)
{
	if (!is_ready(end, POLLOUT)) {
		errno = EAGAIN;
		return -1;
	}
	if (end->blocking && n > RELAY_CAREFUL)
		n = RELAY_CAREFUL;
	return end->kind == FD_SOCKET ? send(end->fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL) : write(end->fd, bytes, n);
}

static void close_end(struct relay_end *end)
{
	if (end->ours)
		own_close(&end->fd);
	end->fd = -1;
}

/* ---- a step ---- */

static enum step why_not_read(const struct relay *relay)
{
	switch (errno) {
	case EINTR:
		return MOVED;
	case EAGAIN:
		return DRY;
	case EIO:
		return relay->from.kind == FD_TERMINAL && !relay->draining ? NOT_NOW : ENDED;
	default:
		return ENDED;
	}
}

static enum step why_not_written(void)
{
	switch (errno) {
	case EINTR:
		return MOVED;
	case EAGAIN:
		return FULL;
	case EPIPE:
	case ECONNRESET:
		return SINK_GONE;
	default:
		return SINK_FAILED;
	}
}

static bool has_bytes(int fd)
{
	int n = 0;

	return ioctl(fd, FIONREAD, &n) == 0 && n > 0;
}

static void grow_pipe(const struct relay_end *end)
{
	if (end->kind == FD_PIPE && fcntl(end->fd, F_GETPIPE_SZ) == RELAY_DEFAULT)
		(void)fcntl(end->fd, F_SETPIPE_SZ, RELAY_PIPE); /* a user's allowance may be used up: then it stays small */
}

/*
 * A stream that fills a pipe gets larger ones, the caller's included where nobody has chosen its size: there are three processes now where there
 * were two, and each of them sleeps and wakes for every pipeful. Measured: twice the bytes a second.
 */
static void grow(struct relay *relay, size_t moved)
{
	if (relay->has_grown || moved < RELAY_DEFAULT)
		return;
	relay->has_grown = true;
	grow_pipe(&relay->from);
	grow_pipe(&relay->to);
}

static enum step splice_once(struct relay *relay, size_t most)
{
	ssize_t n = splice(relay->from.fd, NULL, relay->to.fd, NULL, most, SPLICE_F_NONBLOCK);

	if (n > 0) {
		relay->passed += (uint64_t)n;
		grow(relay, (size_t)n);
		return MOVED;
	}
	if (n == 0)
		return ENDED;
	if (errno == EINVAL || errno == ENOSYS) { /* a file opened for appending, a file system that cannot */
		relay->can_splice = false;
		return MOVED;
	}
	if (errno == EAGAIN)
		return has_bytes(relay->from.fd) ? FULL : DRY;
	return why_not_written();
}

static enum step fill(struct relay *relay, size_t most)
{
	if (!relay->bytes)
		relay->bytes = malloc(RELAY_BUFFER);
	if (!relay->bytes)
		return SINK_FAILED;

	ssize_t n = read_end(&relay->from, relay->bytes, most < RELAY_BUFFER ? most : RELAY_BUFFER);

	if (n <= 0)
		return n == 0 ? ENDED : why_not_read(relay);
	relay->at = 0;
	relay->n = relay->spill ? spill_take(relay->spill, relay->bytes, (size_t)n) : (size_t)n;
	relay->kept_back += (uint64_t)n - relay->n;
	grow(relay, (size_t)n);
	return MOVED;
}

static enum step empty(struct relay *relay)
{
	ssize_t n = (ssize_t)(relay->n - relay->at);

	if (relay->to.fd < 0)
		relay->deliver(relay->context, relay->bytes + relay->at, (size_t)n);
	else
		n = write_end(&relay->to, relay->bytes + relay->at, (size_t)n);
	if (n < 0)
		return why_not_written();
	relay->passed += (uint64_t)n;
	relay->at += (size_t)n;
	return MOVED;
}

/* At the ceiling: one more byte, and the source is over it. */
static enum step test_ceiling(struct relay *relay)
{
	char more;
	ssize_t n = read_end(&relay->from, &more, 1);

	if (n <= 0)
		return n == 0 ? ENDED : why_not_read(relay);
	relay->is_over = relay->truncated = true;
	return ENDED;
}

static enum step read_more(struct relay *relay)
{
	uint64_t most = relay->ceiling - relay->passed - relay->kept_back;

	if (most == 0)
		return test_ceiling(relay);
	if (most > RELAY_TURN)
		most = RELAY_TURN;
	return relay->can_splice ? splice_once(relay, (size_t)most) : fill(relay, (size_t)most);
}

/* What was kept back until the end goes on as if it had just been read. */
static enum step end_source(struct relay *relay, enum step step)
{
	char *rest;
	size_t n = spill_rest(relay->spill, &rest);

	relay->ending = true;
	if (n == 0)
		return step;
	own_free(&relay->bytes);
	relay->bytes = rest;
	relay->at = 0;
	relay->n = n;
	return MOVED;
}

static enum step move_once(struct relay *relay)
{
	enum step step;

	if (relay->at < relay->n)
		return empty(relay);
	step = relay->ending ? ENDED : read_more(relay);
	if (relay->spill && !relay->ending && (step == ENDED || (step == DRY && relay->draining)))
		return end_source(relay, step);
	return step;
}

/* ---- the end ---- */

/* Bytes of a file that were put into the pipe and that nobody took: the next reader of the file begins with them, as without us. */
static void give_back_unread(struct relay *relay)
{
	int pipe_end = relay->unread >= 0 ? relay->unread : relay->to.fd;
	int in_pipe = 0;

	if (relay->from.kind != FD_FILE || relay->to.kind != FD_PIPE || ioctl(pipe_end, FIONREAD, &in_pipe) < 0)
		return;

	off_t unread = (off_t)(relay->n - relay->at) + in_pipe;

	if (unread > 0)
		(void)lseek(relay->from.fd, -unread, SEEK_CUR);
}

/* The source has ended; what was read has been written. */
static void end_sink(struct relay *relay)
{
	if (relay->to.is_master) {
		static const char key = RELAY_END_KEY;

		(void)!write(relay->to.fd, &key, 1);
		return;
	}
	if (relay->from.kind == FD_FILE && relay->to.kind == FD_PIPE)
		relay->unread = fd_open_again(relay->to.fd, O_RDONLY);
	close_end(&relay->to);
}

void relay_init(struct relay *relay, struct relay_end from, struct relay_end to)
{
	bool can_splice = from.kind == FD_PIPE && (to.kind == FD_PIPE || to.kind == FD_FILE) && to.fd >= 0;

	if (!from.ours && !can_splice)
		open_again(&from, O_RDONLY);
	if (!to.ours && !can_splice && to.fd >= 0)
		open_again(&to, O_WRONLY);
	*relay =
	    (struct relay){ .state = RELAY_SOURCE, .from = from, .to = to, .ceiling = UINT64_MAX, .can_splice = can_splice, .unread = -1 };
}

void relay_spill(struct relay *relay, struct spill *spill)
{
	relay->spill = spill;
	if (relay->can_splice && !relay->from.ours)
		open_again(&relay->from, O_RDONLY);
	if (relay->can_splice && !relay->to.ours && relay->to.fd >= 0)
		open_again(&relay->to, O_WRONLY);
	relay->can_splice = false;
}

void relay_done(struct relay *relay)
{
	if (relay->from.fd >= 0)
		give_back_unread(relay);
	own_close(&relay->unread);
	close_end(&relay->from);
	close_end(&relay->to);
	own_free(&relay->bytes);
	relay->bytes = NULL;
	relay->at = relay->n = 0;
	relay->state = RELAY_DONE;
}

/* ---- waiting and moving ---- */

void relay_poll(const struct relay *relay, struct pollfd *polls)
{
	polls[0] = (struct pollfd){ .fd = -1 };
	polls[1] = (struct pollfd){ .fd = -1 };
	if (relay->state == RELAY_SOURCE)
		polls[0] = (struct pollfd){ .fd = relay->from.fd, .events = POLLIN };
	if (relay->state == RELAY_SINK)
		polls[1] = (struct pollfd){ .fd = relay->to.fd, .events = POLLOUT };
	else if (relay->state != RELAY_DONE && relay->to.kind == FD_PIPE)
		polls[1] = (struct pollfd){ .fd = relay->to.fd }; /* POLLERR, when its readers are gone, comes unasked */
}

/* What a step means for the relay. */
static void stop(struct relay *relay, enum step step)
{
	switch (step) {
	case MOVED:
		relay->state = RELAY_SOURCE;
		break;
	case DRY:
		relay->state = RELAY_SOURCE;
		if (relay->draining)
			relay_done(relay);
		break;
	case FULL:
		relay->state = RELAY_SINK;
		break;
	case NOT_NOW:
		relay->state = RELAY_LATER;
		break;
	case SINK_FAILED:
		relay->truncated = true;
		relay_done(relay);
		break;
	case ENDED:
		end_sink(relay);
		relay->state = RELAY_DONE;
		break;
	case SINK_GONE:
		relay_done(relay);
		break;
	}
}

void relay_turn(struct relay *relay, const struct pollfd *polls)
{
	uint64_t before = relay->passed + relay->kept_back;
	enum step step = MOVED;

	if (relay->state == RELAY_DONE || (relay->state == RELAY_LATER && !relay->draining))
		return;
	if (relay->state != RELAY_SINK && polls[1].fd >= 0 && (polls[1].revents & (POLLERR | POLLNVAL))) {
		stop(relay, SINK_GONE);
		return;
	}
	if (!relay->draining && relay->state == RELAY_SOURCE && !polls[0].revents)
		return;
	if (relay->state == RELAY_SINK && !polls[1].revents)
		return;
	while (step == MOVED && relay->passed + relay->kept_back - before < RELAY_TURN)
		step = move_once(relay);
	stop(relay, step);
}

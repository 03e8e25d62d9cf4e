#include "egress/flow.h"

#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	PIPES_MAX = 64,
	PIPE_BYTES = 1 << 20,
	STREAM_BYTES = 1 << 20, /* from then on a flow is a stream */
	HELD_MAX = 64 << 20,    /* by all flows; beyond, each reads a little at a time */
	CAREFUL_READ = 2048,
};

static char scratch[FLOW_READ_MAX];
static size_t held_bytes;
static struct {
	int ends[PIPES_MAX][2];
	size_t made, free_n;
} pipes;

char *flow_scratch(void)
{
	return scratch;
}

size_t flow_read_size(void)
{
	return held_bytes < HELD_MAX ? FLOW_READ_MAX : CAREFUL_READ;
}

/* ---- ends ---- */

static ssize_t failure(bool *flag)
{
	if (errno != EAGAIN)
		return -errno;
	*flag = false;
	return -EAGAIN;
}

ssize_t end_receive(struct end *end, void *bytes, size_t n)
{
	ssize_t got;

	if (end->ended)
		return 0;
	if (!end->readable)
		return -EAGAIN;
	do
		got = recv(end->fd, bytes, n, MSG_DONTWAIT);
	while (got < 0 && errno == EINTR);
	if (got == 0)
		end->ended = true;
	return got < 0 ? failure(&end->readable) : got;
}

ssize_t end_send(struct end *end, const void *bytes, size_t n)
{
	ssize_t put;

	if (!end->writable)
		return -EAGAIN;
	do
		put = send(end->fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (put < 0 && errno == EINTR);
	return put < 0 ? failure(&end->writable) : put;
}

ssize_t end_read(struct end *end, void *bytes, size_t n)
{
	ssize_t got;

	if (!end->secure || end->ended || !end->readable)
		return end_receive(end, bytes, n);
	got = secure_ops.read(end->secure, bytes, n);
	if (got == 0)
		end->ended = true;
	return got;
}

ssize_t end_write(struct end *end, const void *bytes, size_t n)
{
	return end->secure && n > 0 && end->writable ? secure_ops.write(end->secure, bytes, n) : end_send(end, bytes, n);
}

bool end_is_quiet(struct end *end)
{
	char byte;

	if (end->secure)
		return secure_ops.is_quiet(end->secure);
	return recv(end->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

void end_finish(struct end *end)
{
	if (end->secure)
		secure_ops.finish(end->secure);
	if (end->fd >= 0)
		(void)shutdown(end->fd, SHUT_WR);
}

void end_close(struct end *end)
{
	if (end->secure)
		secure_ops.free(end->secure);
	end->secure = NULL;
	loop_unwatch(end->fd);
	own_close(&end->fd);
	end->fd = -1;
	end->readable = end->writable = end->ended = end->is_hop = false;
}

/* ---- pipes ---- */

static void lend_pipe(struct flow *flow)
{
	if (pipes.free_n == 0 && pipes.made < PIPES_MAX && pipe2(flow->pipe, O_CLOEXEC | O_NONBLOCK) == 0) {
		(void)fcntl(flow->pipe[1], F_SETPIPE_SZ, PIPE_BYTES); /* a user's allowance may be used up: then it stays small */
		pipes.made++;
	} else if (pipes.free_n > 0) {
		memcpy(flow->pipe, pipes.ends[--pipes.free_n], sizeof(flow->pipe));
	}
}

static void return_pipe(struct flow *flow)
{
	if (!flow->pipe[1])
		return;
	if (flow->in_pipe == 0) {
		memcpy(pipes.ends[pipes.free_n++], flow->pipe, sizeof(flow->pipe));
	} else {
		own_close(&flow->pipe[0]);
		own_close(&flow->pipe[1]);
		pipes.made--;
	}
	flow->pipe[0] = flow->pipe[1] = 0;
	flow->in_pipe = 0;
}

/* ---- flows ---- */

static void free_held(struct flow *flow)
{
	held_bytes -= flow->n;
	own_free(&flow->held);
	flow->held = NULL;
	flow->at = flow->n = 0;
}

void flow_done(struct flow *flow)
{
	free_held(flow);
	return_pipe(flow);
	flow->ended = true;
}

static bool flush_pipe(struct flow *flow, struct end *to)
{
	while (flow->in_pipe > 0) {
		ssize_t n = to->writable ? splice(flow->pipe[0], NULL, to->fd, NULL, flow->in_pipe, SPLICE_F_NONBLOCK | SPLICE_F_MOVE) : 0;

		if (!to->writable)
			return false;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && failure(&to->writable) == -EAGAIN)
			return false;
		if (n <= 0) {
			flow_done(flow);
			return true;
		}
		flow->in_pipe -= (size_t)n;
	}
	return true;
}

bool flow_flush(struct flow *flow, struct end *to)
{
	while (flow->at < flow->n) {
		ssize_t n = end_write(to, flow->held + flow->at, flow->n - flow->at);

		if (n == -EAGAIN)
			return false;
		if (n < 0) {
			flow_done(flow);
			return true;
		}
		flow->at += (size_t)n;
	}
	if (flow->held)
		free_held(flow);
	return flush_pipe(flow, to);
}

static void hold(struct flow *flow, const char *bytes, size_t n)
{
	char *held = realloc(flow->held, flow->n + n);

	if (!held) {
		flow_done(flow);
		return;
	}
	memcpy(held + flow->n, bytes, n);
	flow->held = held;
	flow->n += n;
	held_bytes += n;
}

void flow_send(struct flow *flow, struct end *to, const void *bytes, size_t n)
{
	const char *at = bytes;
	bool room = flow_flush(flow, to);

	while (room && n > 0 && !flow->ended) {
		ssize_t put = end_write(to, at, n);

		if (put < 0 && put != -EAGAIN)
			flow_done(flow);
		if (put < 0)
			break;
		at += put;
		n -= (size_t)put;
	}
	if (n > 0 && !flow->ended)
		hold(flow, at, n);
}

/* One read. 0 at the end, else as end_read. */
static ssize_t move_copying(struct flow *flow, struct end *from, struct end *to)
{
	ssize_t n = end_read(from, scratch, flow_read_size());

	if (n > 0) {
		flow->passed += (uint64_t)n;
		flow_send(flow, to, scratch, (size_t)n);
	}
	return n;
}

static ssize_t move_splicing(struct flow *flow, struct end *from)
{
	ssize_t n;

	do
		n = splice(from->fd, NULL, flow->pipe[1], NULL, PIPE_BYTES, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return failure(&from->readable);
	if (n == 0)
		from->ended = true;
	flow->in_pipe += (size_t)n;
	flow->passed += (uint64_t)n;
	return n;
}

static ssize_t move_once(struct flow *flow, struct end *from, struct end *to)
{
	if (from->ended)
		return 0;
	if (!from->readable)
		return -EAGAIN;
	if (!flow->pipe[1] && flow->passed >= STREAM_BYTES && !from->secure && !to->secure)
		lend_pipe(flow);
	return flow->pipe[1] ? move_splicing(flow, from) : move_copying(flow, from, to);
}

static void end_flow(struct flow *flow, struct end *to)
{
	flow_done(flow);
	end_finish(to);
}

enum flow_result flow_move(struct flow *flow, struct end *from, struct end *to)
{
	uint64_t before = flow->passed;

	while (!flow->ended && flow_flush(flow, to)) {
		ssize_t n;

		if (flow->ended)
			break;
		if (flow->passed - before >= FLOW_TURN_MAX)
			return FLOW_BUSY;
		n = to->writable ? move_once(flow, from, to) : -EAGAIN;
		if (n == -EAGAIN) {
			return_pipe(flow);
			return FLOW_WAITS;
		}
		if (n <= 0)
			end_flow(flow, to);
	}
	return flow->ended ? FLOW_ENDED : FLOW_WAITS;
}

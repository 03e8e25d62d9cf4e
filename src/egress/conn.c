#include "egress/decider.h"
#include "egress/filter.h"
#include "egress/spare.h"
#include "egress/weak.h"

#include "base/own.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { IN_MAX = 80 << 10, STEPS_MAX = 64, KEPT_MAX = 64 << 20, KEPT_SMALL = 4 << 10 };

static void be_ready(struct source *source, uint32_t events)
{
	struct end *end = (struct end *)source;

	if (end->conn->dead || end->fd < 0)
		return;
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		end->readable = true;
	if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		end->writable = true;
	conn_run(end->conn);
}

static void take_turn(struct turn *turn)
{
	struct conn *conn = (struct conn *)(void *)((char *)turn - offsetof(struct conn, turn));

	if (!conn->dead)
		conn_run(conn);
}

static void be_late(struct wait *wait)
{
	struct conn *conn = (struct conn *)(void *)((char *)wait - offsetof(struct conn, wait));

	if (!conn->dead)
		conn->late(conn);
}

void conn_wait(struct conn *conn, enum wait_kind kind, void (*late)(struct conn *conn))
{
	conn->late = late;
	loop_wait(&conn->filter->loop, &conn->wait, kind);
}

bool conn_is_greedy(const struct conn *conn, size_t n)
{
	return conn->filter->kept_bytes > KEPT_MAX && n > KEPT_SMALL && !WEAKENED("heads");
}

static void count_kept(struct conn *conn)
{
	size_t kept = conn->dead ? 0 : conn->in.room + conn->answer.room + http_kept(conn->exchange);

	conn->filter->kept_bytes += kept - conn->kept;
	conn->kept = kept;
}

void conn_forget(struct conn *conn)
{
	loop_forget(&conn->wait);
}

/* Not within itself: a step may make another one possible, and that is what the loop is for. Whoever is not done takes another turn. */
void conn_run(struct conn *conn)
{
	bool again = true;

	if (conn->stepping)
		return;
	conn->stepping = true;
	for (int i = 0; again && !conn->dead && i < STEPS_MAX; i++)
		again = conn->step(conn);
	conn->stepping = false;
	count_kept(conn);
	if (again && !conn->dead)
		loop_queue(&conn->filter->loop, &conn->turn);
}

void conn_accept(struct filter *filter, int fd, bool direct)
{
	struct conn *conn = filter->conns_n < filter->conns_max ? calloc(1, sizeof(*conn)) : NULL;

	if (!conn) {
		refuse_crowd(fd);
		return;
	}
	conn->filter = filter;
	conn->client = (struct end){ .source = { be_ready }, .conn = conn, .fd = fd };
	conn->upstream = (struct end){ .source = { be_ready }, .conn = conn, .fd = -1 };
	conn->turn.run = take_turn;
	conn->wait.late = be_late;
	conn->direct = direct;
	conn->step = direct ? direct_step_first : entry_step_first;
	str_init(&conn->in, IN_MAX);
	conn->next = filter->conns;
	if (conn->next)
		conn->next->prev = conn;
	filter->conns = conn;
	filter->conns_n++;
	conn_wait(conn, WAIT_STEP, conn_close);
	if (loop_watch(&filter->loop, fd, EPOLLIN | EPOLLOUT, &conn->client.source) < 0)
		conn_close(conn);
}

void conn_abort(struct conn *conn)
{
	static const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(conn->client.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	conn_close(conn);
}

void conn_drop_upstream(struct conn *conn, const char *reason)
{
	if (conn->is_open)
		report(conn, REPORT_CLOSE, reason);
	conn->is_open = false;
	end_close(&conn->upstream);
}

void conn_leave_upstream(struct conn *conn)
{
	conn_drop_upstream(conn, NULL);
	flow_done(&conn->up);
	conn->up.ended = false;
}

void conn_close(struct conn *conn)
{
	struct filter *filter = conn->filter;

	if (conn->dead)
		return;
	conn->dead = true;
	lookup_leave(conn);
	decider_leave(conn);
	terminate_give_up(conn);
	conn_forget(conn);
	conn_drop_upstream(conn, NULL);
	end_close(&conn->client);
	flow_done(&conn->up);
	flow_done(&conn->down);
	http_free(conn->exchange);
	conn->exchange = NULL;
	free(conn->asked);
	spare_give(&conn->in);
	str_done(&conn->refusal);
	str_done(&conn->answer);
	count_kept(conn);
	*(conn->prev ? &conn->prev->next : &filter->conns) = conn->next;
	if (conn->next)
		conn->next->prev = conn->prev;
	filter->conns_n--;
	conn->next_dead = filter->dead;
	filter->dead = conn;
	loop_queue(&filter->loop, &filter->burial);
	filter->loop.over |= filter->leaving && filter->conns_n == 0;
}

void conn_leave_idle(struct filter *filter)
{
	struct conn *next;

	filter->loop.over |= filter->conns_n == 0;
	for (struct conn *conn = filter->conns; conn; conn = next) {
		next = conn->next;
		if (conn->step == entry_step_head && conn->in.len == 0)
			conn_close(conn);
	}
}

void conn_bury(struct turn *burial)
{
	struct filter *filter = (struct filter *)(void *)((char *)burial - offsetof(struct filter, burial));

	for (struct conn **at = &filter->dead; *at;) {
		struct conn *conn = *at;

		if (conn->turn.queued) { /* the loop knows it still */
			at = &conn->next_dead;
			loop_queue(&filter->loop, burial);
			continue;
		}
		*at = conn->next_dead;
		free(conn);
	}
}

bool conn_step_nothing(struct conn *conn)
{
	(void)conn;
	return false;
}

/* ---- the end ---- */

static bool step_finish(struct conn *conn)
{
	ssize_t n;

	if (!flow_flush(&conn->down, &conn->client))
		return false;
	if (conn->down.ended) {
		conn_close(conn);
		return false;
	}
	do
		n = end_read(&conn->client, flow_scratch(), FLOW_READ_MAX);
	while (n > 0);
	if (n != -EAGAIN)
		conn_close(conn);
	return false;
}

/* Closing with unread bytes would make the kernel reset the connection, and the client might lose the answer. */
static bool step_flush(struct conn *conn)
{
	if (!flow_flush(&conn->down, &conn->client))
		return false;
	end_finish(&conn->client);
	conn->step = step_finish;
	return true;
}

void conn_finish(struct conn *conn)
{
	if (conn->dead)
		return;
	lookup_leave(conn);
	conn_drop_upstream(conn, NULL);
	spare_give(&conn->in);
	conn->step = step_flush;
	conn_wait(conn, WAIT_STEP, conn_close);
	loop_queue(&conn->filter->loop, &conn->turn);
}

/* ---- the client's bytes ---- */

ssize_t conn_fill(struct conn *conn)
{
	enum { FILL = 32 << 10 };
	size_t room = IN_MAX - 1 - conn->in.len, most = conn->filter->kept_bytes > KEPT_MAX ? KEPT_SMALL : FILL;
	ssize_t n = end_read(&conn->client, flow_scratch(), room < most ? room : most);

	if (n > 0 && conn_is_greedy(conn, conn->in.len + (size_t)n))
		return -ENOMEM;
	if (n > 0 && !conn->in.room)
		spare_take(&conn->in, IN_MAX);
	if (n > 0)
		str_add_n(&conn->in, flow_scratch(), (size_t)n);
	return conn->in.failed ? -ENOMEM : n;
}

void conn_take(struct conn *conn, size_t n)
{
	conn->in.len -= n;
	memmove(conn->in.text, conn->in.text + n, conn->in.len);
	conn->scanned = 0;
	if (conn->in.len == 0)
		spare_give(&conn->in);
	else
		conn->in.text[conn->in.len] = '\0';
}

/*
 * Theory of operation. A connection that somebody else makes for us. What may be asked for is decided here all the same, by name and port; where a name
 * leads is for the one who looks it up. A tunnel is asked for with CONNECT, and begins when the answer is 2xx; its head is looked at where it
 * is, in the socket, so that not a byte of what follows is taken. Inside TLS that cannot be: there it is read byte by byte, which OpenSSL has at hand.
 */
#include "egress/filter.h"
#include "egress/head.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { ANSWER_MAX = 16 << 10, REQUEST_MAX = 8 << 10, STATUS_AT = 9, STATUS_END = 12 };

static bool is_success(const char *head, size_t n)
{
	if (n <= STATUS_END || memcmp(head, "HTTP/1.", 7) != 0 || head[8] != ' ' || head[STATUS_AT] != '2')
		return false;
	for (size_t i = STATUS_AT + 1; i < STATUS_END; i++)
		if (head[i] < '0' || head[i] > '9')
			return false;
	return head[STATUS_END] == ' ' || head[STATUS_END] == '\r' || head[STATUS_END] == '\n';
}

/* The answer's head is `n` bytes long. */
static int take_answer(struct conn *conn, const char *head, int n)
{
	char *room = flow_scratch();

	if (n < 0 || n > ANSWER_MAX)
		return -EPROTO;
	if (!is_success(head, (size_t)n))
		return -EBADMSG;
	return recv(conn->upstream.fd, room, (size_t)n, MSG_DONTWAIT) == n ? 0 : -EPROTO;
}

static bool fail(struct conn *conn, int errnum)
{
	refuse_upstream(conn, errnum);
	return true;
}

static bool go_on(struct conn *conn)
{
	str_done(&conn->answer);
	conn_forget(conn);
	ask_connected(conn);
	return true;
}

static bool read_secured(struct conn *conn)
{
	struct str *answer = &conn->answer;
	char byte;
	ssize_t n;
	int end;

	while ((n = end_read(&conn->upstream, &byte, 1)) == 1) {
		str_add_n(answer, &byte, 1);
		if (answer->failed || conn_is_greedy(conn, answer->len))
			return fail(conn, EPROTO);
		end = byte == '\n' ? head_find_end_lenient(answer->text, answer->len) : 0;
		if (end < 0)
			return fail(conn, EPROTO);
		if (end > 0)
			return is_success(answer->text, answer->len) ? go_on(conn) : fail(conn, EBADMSG);
	}
	return n == -EAGAIN ? false : fail(conn, n == 0 ? EPIPE : (int)-n);
}

static bool step_handshake(struct conn *conn)
{
	char *head = flow_scratch();
	ssize_t n;
	int end, r;

	if (!flow_flush(&conn->up, &conn->upstream) || !conn->upstream.readable)
		return false;
	if (conn->upstream.secure)
		return read_secured(conn);
	do
		n = recv(conn->upstream.fd, head, ANSWER_MAX, MSG_PEEK | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n <= 0 && (n == 0 || errno != EAGAIN))
		return fail(conn, n == 0 ? EPIPE : errno);
	end = n < 0 ? 0 : head_find_end_lenient(head, (size_t)n);
	if (end == 0 && n < ANSWER_MAX) {
		conn->upstream.readable = false; /* there will be an event when there is more */
		return false;
	}
	r = take_answer(conn, head, end == 0 ? -EPROTO : end);
	if (r < 0)
		return fail(conn, -r);
	return go_on(conn);
}

static void be_late(struct conn *conn)
{
	refuse_upstream(conn, ETIMEDOUT);
}

static void write_connect(const struct conn *conn, struct str *out)
{
	bool bare = conn->goal.host.kind != HOST_IPV6;
	char authority[HOST_TEXT_MAX + 16];

	snprintf(authority, sizeof(authority), bare ? "%s:%u" : "[%s]:%u", conn->goal.host.text, conn->goal.port);
	str_printf(out, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n", authority, authority);
	if (conn->hop->to.authorization)
		str_printf(out, "Proxy-Authorization: %s\r\n", conn->hop->to.authorization);
	str_add(out, "\r\n");
}

void hop_shake_hands(struct conn *conn)
{
	autostr struct str request;

	str_init(&request, REQUEST_MAX);
	str_init(&conn->answer, ANSWER_MAX);
	write_connect(conn, &request);
	conn->step = step_handshake;
	conn_wait(conn, WAIT_IDLE, be_late);
	flow_send(&conn->up, &conn->upstream, request.text, request.len);
}

bool hop_take_over(struct conn *conn)
{
	const struct ways *ways = &conn->filter->rules->ways;
	const struct hop *hop = conn->way == WAY_SOCKS5 ? &ways->outside_socks : &ways->outside_http;

	if (!hop->is_there)
		return false;
	conn_forget(conn);
	conn->goal = (struct goal){ .host = hop->to.host, .port = hop->to.port };
	conn->dialed = tunnel_pass_on;
	ask_hop(conn, hop);
	return true;
}

/*
 * Theory of operation. In TLS 1.3 a server may answer a ClientHello with a HelloRetryRequest, and gets a second one, whose name it goes by. So what the
 * client says behind the first waits until the server's first record shows which answer it is; after a retry the client's records pass one
 * by one until the second greeting, which is judged like the first. Nothing that the server sends waits any longer than for 43 bytes.
 */
#include "egress/filter.h"
#include "egress/sni.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* RFC 8446, 4.1.3 and 5.1: a record, a handshake message, a version, 32 bytes. */
enum {
	CONTENT_CHANGE = 20,
	CONTENT_HANDSHAKE = 22,
	CONTENT_DATA = 23,
	CLIENT_HELLO = 1,
	SERVER_HELLO = 2,
	RECORD_HEAD = 5,
	HELLO_AT = RECORD_HEAD,
	RANDOM_AT = HELLO_AT + 4 + 2,
	RANDOM_BYTES = 32,
	ANSWER_BYTES = RANDOM_AT + RANDOM_BYTES,
	WAITING_MAX = 32 << 10,
};

static const unsigned char retry_random[RANDOM_BYTES] = {
	0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
	0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
};

static size_t record_length(const unsigned char *record)
{
	return RECORD_HEAD + ((size_t)record[3] << 8 | record[4]);
}

/* What the server has said so far: can it be a request to say it again? A message in pieces is none that could be told. */
static bool may_be_retry(const unsigned char *answer, size_t n)
{
	if (n == 0 || answer[0] != CONTENT_HANDSHAKE)
		return false;
	if (n < ANSWER_BYTES || record_length(answer) < ANSWER_BYTES)
		return true;
	return answer[HELLO_AT] == SERVER_HELLO && memcmp(answer + RANDOM_AT, retry_random, RANDOM_BYTES) == 0;
}

static bool is_decided(const unsigned char *answer, size_t n)
{
	return n >= ANSWER_BYTES || (n > 0 && answer[0] != CONTENT_HANDSHAKE) || (n >= RECORD_HEAD && record_length(answer) < ANSWER_BYTES);
}

static void send_first(struct conn *conn, size_t n)
{
	conn->up.passed += n;
	flow_send(&conn->up, &conn->upstream, conn->in.text, n);
	conn_take(conn, n);
}

/* A record that the greeting may come behind: the server has asked for it, so it skips what was said too early. True: it was passed on. */
static bool pass_record(struct conn *conn)
{
	const unsigned char *record = (const unsigned char *)conn->in.text;

	if (conn->in.len < RECORD_HEAD || (record[0] != CONTENT_CHANGE && record[0] != CONTENT_DATA) ||
	    conn->in.len < record_length(record))
		return false;
	send_first(conn, record_length(record));
	return true;
}

/* A client that has ended says nothing more, and half a greeting is none. */
static bool read_more(struct conn *conn)
{
	ssize_t n = conn_fill(conn);

	if (n > 0 || n == -EAGAIN)
		return n > 0;
	if (n < 0 || (conn->in.len > 0 && conn->in.text[0] == CONTENT_HANDSHAKE))
		conn_close(conn);
	else
		tunnel_pass_on(conn);
	return !conn->dead;
}

static bool step_second(struct conn *conn)
{
	const unsigned char *first = (const unsigned char *)conn->in.text;
	struct sni sni;

	if (flow_move(&conn->down, &conn->upstream, &conn->client) == FLOW_BUSY)
		loop_queue(&conn->filter->loop, &conn->turn);
	if (!flow_flush(&conn->up, &conn->upstream))
		return false;
	if (pass_record(conn))
		return true;
	if (conn->in.len <= RECORD_HEAD || first[0] == CONTENT_CHANGE || first[0] == CONTENT_DATA)
		return read_more(conn);
	if (first[0] != CONTENT_HANDSHAKE || first[RECORD_HEAD] != CLIENT_HELLO) { /* TLS 1.2 goes on, or it is over */
		tunnel_pass_on(conn);
		return true;
	}
	sni = sni_look(first, conn->in.len);
	if (sni.kind == SNI_MORE)
		return read_more(conn);
	tunnel_judge(conn, &sni);
	return true;
}

/* The answer as far as it has come, in the socket; -EAGAIN when that says nothing yet. */
static ssize_t peek_answer(struct conn *conn, unsigned char answer[ANSWER_BYTES])
{
	ssize_t n;

	if (!conn->upstream.readable)
		return -EAGAIN;
	do
		n = recv(conn->upstream.fd, answer, ANSWER_BYTES, MSG_PEEK | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno != EAGAIN)
		return -errno;
	if (n < 0 || (n > 0 && !is_decided(answer, (size_t)n))) {
		conn->upstream.readable = false; /* there will be an event when there is more */
		return -EAGAIN;
	}
	return n;
}

static bool step_answer(struct conn *conn)
{
	unsigned char answer[ANSWER_BYTES];
	ssize_t n = 0;

	if (!flow_flush(&conn->up, &conn->upstream) || !flow_flush(&conn->down, &conn->client))
		return false;
	if (conn->in.len < WAITING_MAX && (n = conn_fill(conn)) != -EAGAIN) {
		if (n == 0)
			conn->step = step_second; /* it waits for nothing */
		else if (n < 0)
			conn_close(conn);
		return true;
	}
	n = peek_answer(conn, answer);
	if (n == -EAGAIN)
		return false;
	conn_forget(conn);
	if (n > 0 && may_be_retry(answer, (size_t)n))
		conn->step = step_second;
	else
		tunnel_pass_on(conn);
	return true;
}

void retry_begin(struct conn *conn, size_t n)
{
	if (conn->greeted) {
		tunnel_pass_on(conn);
		return;
	}
	conn->greeted = true;
	send_first(conn, n);
	conn_wait(conn, WAIT_IDLE, conn_close);
	conn->step = step_answer;
}

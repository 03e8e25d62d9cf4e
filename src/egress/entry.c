#include "egress/decider.h"
#include "egress/filter.h"
#include "egress/request.h"
#include "egress/weak.h"

#include <errno.h>
#include <string.h>

enum {
	SOCKS4 = 4,
	NO_AUTHENTICATION = 0,
	NONE_ACCEPTABLE = 0xff,
	PLAIN_PORT = 80,
	TLS_PORT = 443,
	BAD = 400,
	TIMEOUT = 408,
	TOO_LARGE = 431
};

/* ---- SOCKS 5 ---- */

/* Reads more where there is too little. False: wait, or it is over. */
static bool want_more(struct conn *conn)
{
	ssize_t n = conn_fill(conn);

	if (n <= 0 && n != -EAGAIN)
		conn_close(conn);
	return n > 0;
}

static void ask_socks(struct conn *conn, const struct socks_request *request)
{
	struct host host;

	if (request->refused != SOCKS_GRANTED) {
		refuse_socks(conn, request->refused);
	} else if (request->is_name) {
		ask(conn, request->host, request->host_n, request->port);
	} else {
		host_of_address((const unsigned char *)request->host, request->host_n, &host);
		ask_address(conn, &host, request->port);
	}
}

static bool step_socks_request(struct conn *conn)
{
	struct socks_request request;
	int used = socks_read_request(conn->in.text, conn->in.len, &request);

	if (used == 0)
		return want_more(conn);
	if (used < 0) {
		conn_close(conn);
		return false;
	}
	conn_take(conn, (size_t)used);
	conn_forget(conn);
	conn->step = conn_step_nothing;
	conn->dialed = tunnel_begin;
	ask_socks(conn, &request);
	return conn->step != conn_step_nothing;
}

static bool step_socks_greeting(struct conn *conn)
{
	bool acceptable = false;
	int used = socks_read_greeting(conn->in.text, conn->in.len, &acceptable);
	char answer[2] = { SOCKS_VERSION, acceptable ? NO_AUTHENTICATION : (char)NONE_ACCEPTABLE };

	if (used == 0)
		return want_more(conn);
	if (used < 0) {
		conn_close(conn);
		return false;
	}
	conn_take(conn, (size_t)used);
	flow_send(&conn->down, &conn->client, answer, sizeof(answer));
	conn->step = step_socks_request;
	if (!acceptable)
		conn_finish(conn);
	return true;
}

/* ---- HTTP ---- */

static void be_late_with_head(struct conn *conn)
{
	if (conn->in.len > 0)
		refuse_malformed(conn, TIMEOUT);
	else
		conn_close(conn);
}

static void ask_connect(struct conn *conn, const struct request *request, size_t head_bytes)
{
	char host[HOST_TEXT_MAX + 2]; /* longer ones are refused either way */
	size_t n = request->host.n < sizeof(host) ? request->host.n : sizeof(host);

	memcpy(host, request->host.at, n);
	conn_take(conn, head_bytes);
	conn_leave_upstream(conn); /* that of a request before this one */
	conn->dialed = tunnel_begin;
	ask(conn, host, n, request->port);
}

static unsigned read_request(struct conn *conn, size_t head_bytes, struct request *request)
{
	const struct request_origin origin = { conn->client.secure ? &conn->name : &conn->goal.host, conn->goal.port,
		                               conn->client.secure ? TLS_PORT : PLAIN_PORT };
	unsigned status;

	if (conn->direct)
		return (unsigned)request_read_origin(conn->in.text, head_bytes, &origin, request);
	status = (unsigned)request_read(conn->in.text, head_bytes, request);
	conn->way = request->is_connect ? WAY_CONNECT : WAY_HTTP;
	return status;
}

void entry_go_on(struct conn *conn, size_t head_bytes)
{
	static struct request request;
	unsigned status = read_request(conn, head_bytes, &request);

	if (status != 0)
		refuse_malformed(conn, status);
	else if (request.is_connect)
		ask_connect(conn, &request, head_bytes);
	else if (judge_request(conn, &request) && decider_allows(conn, &request, head_bytes))
		http_begin(conn, &request, head_bytes);
}

bool entry_step_head(struct conn *conn)
{
	int n = conn->in.len > 0 ? head_find_end(conn->in.text, conn->in.len, &conn->scanned) : 0;

	if (WEAKENED("lines"))
		n = head_find_end_lenient(conn->in.text, conn->in.len);

	if (n == 0 && conn->in.len > HEAD_BYTES_MAX)
		n = HEAD_BYTES_MAX + 1;
	if (n < 0 || n > HEAD_BYTES_MAX) {
		refuse_malformed(conn, n < 0 ? BAD : TOO_LARGE);
		return true;
	}
	if (n > 0) {
		conn_forget(conn);
		conn->step = conn_step_nothing;
		entry_go_on(conn, (size_t)n);
		return conn->step != conn_step_nothing;
	}
	if (!want_more(conn))
		return false;
	if (conn->late != be_late_with_head)
		conn_wait(conn, WAIT_STEP, be_late_with_head);
	return true;
}

bool entry_step_first(struct conn *conn)
{
	if (conn->in.len == 0)
		return want_more(conn);
	conn->way = conn->in.text[0] == SOCKS_VERSION ? WAY_SOCKS5 : WAY_HTTP;
	conn->step = conn_step_nothing;
	if (hop_take_over(conn))
		return conn->step != conn_step_nothing;
	if (conn->in.text[0] == SOCKS4 || (conn->way == WAY_SOCKS5 && conn->filter->rules->asks)) { /* a decider is asked about HTTP */
		conn_close(conn);
		return false;
	}
	conn->step = conn->way == WAY_SOCKS5 ? step_socks_greeting : entry_step_head;
	if (conn->way == WAY_HTTP)
		conn_wait(conn, WAIT_STEP, be_late_with_head);
	return true;
}

/*
 * Theory of operation. A request is read whole up to its body, decided, and written anew; the answer likewise. Two pumps move what follows, each
 * as far as it gets without waiting. Client and server each keep their connection as long as both heads say so and both bodies have
 * ended where they should: the next request to the same place goes the same way, after a decision of its own.
 */
#include "egress/body.h"
#include "egress/decider.h"
#include "egress/filter.h"
#include "egress/request.h"
#include "egress/resign.h"
#include "egress/response.h"
#include "egress/spare.h"
#include "egress/swap.h"
#include "egress/weak.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { EXCHANGES_SPARE = 32, INFORMATIONAL_MAX = 8, SWITCHING = 101, STATUS_FINAL = 200, HEAD_WRITTEN_MAX = 2 * HEAD_BYTES_MAX, BAD = 400 };

struct exchange {
	struct swap swap;        /* the secrets that go into the request */
	struct str request_head; /* not sent yet */
	struct str ahead;        /* of its body, what was read before it might go on */
	struct resign *resign;   /* an AWS signature that is to be another one */
	bool waits;              /* which depends on the body: the head waits for its end */
	struct str answer;       /* the answer's head, as far as it has come */
	struct body request, response;
	bool to_head, is_old; /* the client asked with HEAD; speaks HTTP/1.0 */
	bool keep, keep_upstream;
	bool upgrade;   /* the client wants to speak something else */
	bool answered;  /* the client has the answer's head */
	bool leftovers; /* the server sent more than an answer */
	unsigned informational;
};

static struct body_out out; /* of the feeding that is under way */

static struct { /* as in spare.h */
	struct exchange *at[EXCHANGES_SPARE];
	size_t n;
} spare;

void http_free(struct exchange *exchange)
{
	if (!exchange)
		return;
	str_done(&exchange->ahead);
	free(exchange->resign);
	spare_give(&exchange->request_head);
	swap_done(&exchange->swap);
	spare_give(&exchange->answer);
	if (spare.n < EXCHANGES_SPARE)
		spare.at[spare.n++] = exchange;
	else
		free(exchange);
}

size_t http_kept(const struct exchange *exchange)
{
	return exchange ? exchange->request_head.room + exchange->ahead.room + exchange->answer.room : 0;
}

/* The server is at fault, or gone. */
static bool fail_upstream(struct conn *conn, int errnum)
{
	if (conn->exchange->answered)
		conn_abort(conn);
	else
		refuse_upstream(conn, errnum);
	return true;
}

/* ---- the request ---- */

static bool send_head(struct conn *conn, struct str *head)
{
	conn->up.passed += head->len;
	flow_send(&conn->up, &conn->upstream, head->text, head->len);
	spare_give(head);
	return true;
}

static bool refuse_signature(struct conn *conn, const char *reason)
{
	enum { FORBIDDEN = 403 };

	refuse_request(conn, FORBIDDEN, "blocked-by-sandbox-runtime", reason);
	return true;
}

/* More of a body that the head's signature depends on. */
static void hold(struct conn *conn)
{
	struct exchange *x = conn->exchange;
	const char *fault = NULL;

	sha256_add(&x->resign->body, out.bytes, out.n);
	str_add_n(&x->ahead, out.bytes, out.n);
	if (x->ahead.failed || conn_is_greedy(conn, x->ahead.len)) {
		(void)refuse_signature(conn,
		                       "an AWS request of more than 1 MiB without X-Amz-Content-SHA256 cannot be signed anew, and nothing "
		                       "was forwarded");
		return;
	}
	if (!x->request.complete)
		return;
	x->waits = false;
	fault = resign_finish(x->resign, &x->request_head);
	if (fault)
		(void)refuse_signature(conn, fault);
}

static bool pump_request(struct conn *conn)
{
	struct exchange *x = conn->exchange;
	ssize_t n;
	size_t used;

	if (!flow_flush(&conn->up, &conn->upstream) || conn->up.ended)
		return false;
	if (x->request_head.len > 0 && !x->waits)
		return send_head(conn, &x->request_head);
	if (x->ahead.len > 0 && !x->waits)
		return send_head(conn, &x->ahead);
	if (x->request.complete)
		return false;
	n = conn->in.len > 0 ? 1 : conn_fill(conn);
	if (n <= 0 && n != -EAGAIN)
		conn_close(conn);
	if (n <= 0)
		return n != -EAGAIN;
	out.n = 0;
	out.failed = false;
	used = body_feed(&x->request, conn->in.text, conn->in.len, &out);
	if (x->request.failed) {
		if (x->answered)
			conn_abort(conn);
		else
			refuse_malformed(conn, BAD);
		return true;
	}
	conn_take(conn, used);
	if (x->waits) {
		hold(conn);
		return true;
	}
	conn->up.passed += out.n;
	flow_send(&conn->up, &conn->upstream, out.bytes, out.n);
	return true;
}

/* ---- the answer ---- */

static bool send_out(struct conn *conn)
{
	conn->down.passed += out.n;
	flow_send(&conn->down, &conn->client, out.bytes, out.n);
	return true;
}

/* No bytes are the server's end. */
static bool feed_answer(struct conn *conn, const char *bytes, size_t n)
{
	struct exchange *x = conn->exchange;
	size_t used = body_feed(&x->response, bytes, n, &out);

	if (x->response.failed) {
		conn_abort(conn);
		return true;
	}
	x->leftovers = used < n;
	return send_out(conn);
}

/* What came in the same read as the head, behind it. */
static bool feed_rest(struct conn *conn, const char *bytes, size_t n)
{
	if (n > 0 && !conn->exchange->response.complete)
		return feed_answer(conn, bytes, n);
	conn->exchange->leftovers = n > 0;
	return send_out(conn);
}

static bool pass_informational(struct conn *conn, const struct response *response)
{
	const struct strip strip = judge_strip(conn);
	struct exchange *x = conn->exchange;
	autospare struct str text = { 0 };

	if (++x->informational > INFORMATIONAL_MAX && !WEAKENED("informational"))
		return fail_upstream(conn, EPROTO);
	spare_take(&text, HEAD_WRITTEN_MAX);
	if (!x->is_old)
		response_write(response, &(struct response_form){ FRAMED_EMPTY, false, &strip.filter }, &text);
	flow_send(&conn->down, &conn->client, text.text, text.len);
	return true;
}

/* The final answer's head is written into `out`, in front of what is there of its body. */
static bool pass_head(struct conn *conn, const struct response *response)
{
	const struct strip strip = judge_strip(conn);
	struct exchange *x = conn->exchange;
	enum head_framing framing = response->head.framing;
	autospare struct str text = { 0 };

	if (framing == FRAMED_CHUNKS && x->is_old)
		framing = FRAMED_END;
	x->keep_upstream = response->keep;
	x->keep &= framing != FRAMED_END && x->request.complete;
	x->answered = true;
	spare_take(&text, HEAD_WRITTEN_MAX);
	response_write(response, &(struct response_form){ framing, !x->keep, &strip.filter }, &text);
	if (text.failed) {
		conn_abort(conn);
		return false;
	}
	body_init(&x->response, &response->head, framing == FRAMED_CHUNKS);
	memcpy(out.bytes, text.text, text.len);
	out.n = text.len;
	return true;
}

/* Both have agreed to speak something else. What the server has said in it already comes with the head. */
static bool switch_protocols(struct conn *conn, const struct response *response, const char *rest, size_t n)
{
	const struct strip strip = judge_strip(conn);
	struct exchange *x = conn->exchange;
	autospare struct str text = { 0 };

	if ((!x->upgrade && !WEAKENED("upgrade")) || !x->request.complete)
		return fail_upstream(conn, EPROTO);
	spare_take(&text, HEAD_WRITTEN_MAX);
	response_write_switch(response, &strip.filter, &text);
	str_add_n(&text, rest, n);
	if (text.failed) {
		conn_abort(conn);
		return true;
	}
	conn->down.passed += text.len;
	flow_send(&conn->down, &conn->client, text.text, text.len);
	http_free(x);
	conn->exchange = NULL;
	tunnel_pass_on(conn);
	return true;
}

static bool is_too_long(const struct conn *conn, size_t n)
{
	return n > HEAD_BYTES_MAX || conn_is_greedy(conn, n);
}

static bool read_answer(struct conn *conn, const char *bytes, size_t n)
{
	static struct response response;
	struct exchange *x = conn->exchange;
	autospare struct str answer = x->answer;
	size_t at = 0;
	int end;

	str_init(&x->answer, HEAD_WRITTEN_MAX);
	str_add_n(&answer, bytes, n);
	while (!conn->dead && conn->exchange == x && !x->answered) {
		end = head_find_end_lenient(answer.text + at, answer.len - at);
		if (end < 0 || end > HEAD_BYTES_MAX || (end == 0 && is_too_long(conn, answer.len - at)) || answer.failed)
			return fail_upstream(conn, EPROTO);
		if (end == 0) {
			str_add_n(&x->answer, answer.text + at, answer.len - at);
			return true;
		}
		if (response_read(answer.text + at, (size_t)end, x->to_head, &response) < 0)
			return fail_upstream(conn, EPROTO);
		at += (size_t)end;
		if (response.status == SWITCHING)
			return switch_protocols(conn, &response, answer.text + at, answer.len - at);
		if (response.status < STATUS_FINAL)
			(void)pass_informational(conn, &response);
		else if (pass_head(conn, &response))
			return feed_rest(conn, answer.text + at, answer.len - at);
	}
	return true;
}

static bool finish(struct conn *conn)
{
	struct exchange *x = conn->exchange;

	if (!x->keep || !x->request.complete) {
		conn_finish(conn);
		return true;
	}
	if (!x->keep_upstream || x->leftovers)
		conn_drop_upstream(conn, NULL);
	http_free(x);
	conn->exchange = NULL;
	conn->step = entry_step_head;
	conn_wait(conn, WAIT_IDLE, conn_close);
	return true;
}

static bool pump_response(struct conn *conn)
{
	struct exchange *x = conn->exchange;
	ssize_t n;

	if (!flow_flush(&conn->down, &conn->client))
		return false;
	if (conn->down.ended) {
		conn_close(conn);
		return true;
	}
	if (x->answered && x->response.complete)
		return finish(conn);
	n = end_read(&conn->upstream, flow_scratch(), flow_read_size());
	if (n == -EAGAIN)
		return false;
	out.n = 0;
	out.failed = false;
	if (n < 0 || (n == 0 && !x->answered))
		return fail_upstream(conn, n < 0 ? (int)-n : EPIPE);
	return x->answered ? feed_answer(conn, flow_scratch(), (size_t)n) : read_answer(conn, flow_scratch(), (size_t)n);
}

static bool step_exchange(struct conn *conn)
{
	bool moved = pump_request(conn);

	if (conn->dead || conn->step != step_exchange)
		return true;
	return pump_response(conn) || moved;
}

/* ---- the beginning ---- */

void http_go_on(struct conn *conn)
{
	conn->step = step_exchange;
}

static void begin_exchange(struct conn *conn)
{
	if (conn->client.secure && (!conn->upstream.secure || conn->upstream.is_hop))
		terminate_server(conn);
	else
		http_go_on(conn);
}

/* Whom a request is for; false when that is nobody. Who believes to talk to the server itself has named it long ago. */
static bool find_host(const struct conn *conn, const struct request *request, struct host *ret_host)
{
	if (!conn->direct)
		return host_parse(request->host.at, request->host.n, ret_host) == 0;
	*ret_host = conn->goal.host;
	return true;
}

static bool can_reuse(struct conn *conn, const struct host *host, uint16_t port)
{
	if (WEAKENED("reuse") && conn->upstream.fd >= 0)
		return true;
	if (conn->upstream.fd < 0 || port != conn->goal.port || !host_is_same(host, &conn->goal.host))
		return false;
	return domain_decide(&conn->filter->rules->domains, host, port).rule == conn->goal.rule &&
	       (WEAKENED("quiet") || end_is_quiet(&conn->upstream));
}

static int make_exchange(struct conn *conn, struct request *request)
{
	struct exchange *x = spare.n > 0 ? spare.at[--spare.n] : malloc(sizeof(*x));
	bool swaps;

	conn->exchange = x;
	if (!x)
		return -ENOMEM;
	*x = (struct exchange){ 0 };
	spare_take(&x->request_head, HEAD_WRITTEN_MAX);
	spare_take(&x->answer, HEAD_WRITTEN_MAX);
	x->to_head = request->head.parser.method == HTTP_HEAD;
	x->is_old = request->head.parser.http_minor == 0;
	x->keep = request->keep;
	x->upgrade = request->upgrade.n > 0;
	swaps = judge_swaps(conn, request, &x->swap);
	body_init(&x->request, &request->head, request->head.framing == FRAMED_CHUNKS);
	x->request.swap = swaps ? &x->swap : NULL;
	judge_write(conn, request, &x->swap, &x->request_head);
	decider_hand_over(conn, &x->request, &x->ahead);
	return x->request_head.failed || x->ahead.failed ? -ENOMEM : 0;
}

/* NULL, or why the request may not go on. The head is the first of conn->in still. */
static const char *resign(struct conn *conn, const struct request *request, size_t head_bytes)
{
	struct exchange *x = conn->exchange;
	const char *fault = resign_begin(conn, request, conn->in.text, head_bytes, &x->resign);

	if (fault || !x->resign)
		return fault;
	fault = resign_take_head(x->resign, &x->request_head);
	if (fault)
		return fault;
	x->waits = resign_wants_body(x->resign, request);
	if (!x->waits)
		return resign_finish(x->resign, &x->request_head);
	str_init(&x->ahead, RESIGN_BODY_MAX);
	return request->head.framing == FRAMED_CHUNKS ? "an AWS request in chunks, without X-Amz-Content-SHA256, cannot be signed anew"
	                                              : NULL;
}

void http_begin(struct conn *conn, struct request *request, size_t head_bytes)
{
	char text[HOST_TEXT_MAX + 2]; /* longer ones are refused either way */
	size_t n = request->host.n < sizeof(text) ? request->host.n : sizeof(text);
	uint16_t port = request->port;
	struct host host;
	bool known = find_host(conn, request, &host);
	const char *fault;

	memcpy(text, request->host.at, n);
	if (known && make_exchange(conn, request) < 0) {
		conn_close(conn);
		return;
	}
	fault = known ? resign(conn, request, head_bytes) : NULL;
	if (fault) {
		(void)refuse_signature(conn, fault);
		return;
	}
	conn_take(conn, head_bytes);
	if (known && can_reuse(conn, &host, port)) {
		begin_exchange(conn);
		return;
	}
	conn_leave_upstream(conn);
	conn->dialed = begin_exchange;
	if (known)
		ask_address(conn, &host, port);
	else
		ask(conn, text, n, port);
}

/*
 * Theory of operation. A request that is asked about stays where it came, in conn->in, and is read again when it may go on: nothing but its
 * verdict has to be kept. A body that the decider wants to see is read meanwhile, whole or as far as it wants, and what has been read is the first
 * that the server gets; what follows is never looked at again.
 */
#include "egress/decider.h"
#include "egress/weak.h"

#include "policy/access.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BAD = 400, FORBIDDEN = 403, UNAVAILABLE = 503 };

enum question_state { ASKED, READING, SHOWN, ALLOWED };

/* What a connection waits for. */
struct question {
	struct conn *conn;
	struct question *next, *prev;
	uint64_t id;
	enum question_state state;
	size_t head_bytes;
	bool waits, chunked; /* the client for our word; the body's framing */
	uint64_t most, reserved;
	struct body reader;
	struct str read; /* of the body, without its framing */
	struct verdict verdict;
	json_t *frame; /* whose the verdict is */
};

static struct question *oldest, *newest;
static size_t held; /* bytes of bodies, by all */
static struct body_out out;

static struct question *find(uint64_t id)
{
	struct question *question = oldest;

	while (question && question->id != id)
		question = question->next;
	return question;
}

bool decider_is_asked(const struct filter *filter, uint64_t id)
{
	const struct question *question = find(id);

	(void)filter;
	return question && question->state != ALLOWED;
}

void decider_leave(struct conn *conn)
{
	struct question *question = conn->question;

	decider_host_leave(conn);
	if (!question)
		return;
	if (question->state != ALLOWED)
		decider_forget_id(question->id);
	*(question->prev ? &question->prev->next : &oldest) = question->next;
	*(question->next ? &question->next->prev : &newest) = question->prev;
	held -= question->reserved;
	str_done(&question->read);
	json_decref(question->frame);
	free(question);
	conn->question = NULL;
}

static void refuse_unavailable(struct conn *conn, const char *why)
{
	decider_leave(conn);
	refuse_decided(conn, UNAVAILABLE, "decider_unavailable", why);
}

static void be_late(struct conn *conn)
{
	refuse_unavailable(conn, "request decider: decider timed out");
	conn_run(conn);
}

static enum wait_kind patience(const struct conn *conn)
{
	return conn->filter->rules->asks ? WAIT_VERDICT : WAIT_ANSWER;
}

void decider_refuse_all(struct filter *filter, const char *why)
{
	char text[160];

	(void)filter;
	snprintf(text, sizeof(text), "request decider: %s", why);
	for (struct question *question = oldest, *next; question; question = next) {
		struct conn *conn = question->conn;

		next = question->next;
		if (question->state == ALLOWED)
			continue;
		refuse_unavailable(conn, text);
		conn_run(conn);
	}
}

/* ---- the question ---- */

static struct question *new_question(struct conn *conn, const struct request *request, size_t head_bytes)
{
	struct question *question = calloc(1, sizeof(*question));

	if (!question)
		return NULL;
	*question = (struct question){ .conn = conn,
		                       .prev = newest,
		                       .head_bytes = head_bytes,
		                       .waits = request->waits,
		                       .chunked = request->head.framing == FRAMED_CHUNKS };
	body_init(&question->reader, &request->head, false);
	str_init(&question->read, DECIDER_BODY_MAX + BODY_ROOM);
	*(newest ? &newest->next : &oldest) = question;
	newest = question;
	conn->question = question;
	return question;
}

static void put(struct conn *conn, const struct request *request, const struct host *host, size_t head_bytes)
{
	uint64_t id = decider_next_id(conn->filter);
	struct question *question = id ? new_question(conn, request, head_bytes) : NULL;
	autostr struct str frame;

	if (!question) {
		refuse_decided(conn, UNAVAILABLE, "decider_unavailable", id ? "no memory" : decider_trouble());
		return;
	}
	question->id = id;
	str_init(&frame, 2 * DECIDER_FRAME_MAX);
	if (!decider_write_question(conn, id, request, host, &frame)) {
		question->state = ALLOWED; /* nobody has heard of its number */
		decider_leave(conn);
		refuse_decided(conn, BAD, "bad_request", "request the decider cannot be asked about");
		return;
	}
	conn->step = conn_step_nothing;
	conn_wait(conn, patience(conn), be_late);
	decider_send(&frame);
}

static bool find_host(const struct conn *conn, const struct request *request, struct host *ret_host)
{
	if (!conn->direct)
		return host_parse(request->host.at, request->host.n, ret_host) == 0;
	*ret_host = conn->goal.host;
	return true;
}

/* Whom the lists refuse nobody is asked about: whoever dials refuses it. A host comes before its requests. */
static bool ask_about(struct conn *conn, const struct request *request, size_t head_bytes)
{
	struct host host;
	struct domain_verdict verdict;

	if (!find_host(conn, request, &host))
		return false;
	verdict = domain_decide(&conn->filter->rules->domains, &host, request->port);
	if (verdict.allowed || (!verdict.rule && decider_has_allowed(conn, &host, request->port)))
		put(conn, request, &host, head_bytes);
	else if (decider_may_ask(conn->filter, &verdict))
		decider_ask_host(conn, &(struct goal){ .host = host, .port = request->port }, head_bytes, entry_go_on);
	else
		return false;
	return true;
}

bool decider_allows(struct conn *conn, struct request *request, size_t head_bytes)
{
	const struct filter_rules *rules = conn->filter->rules;

	if ((!rules->asks && !rules->asks_requests) || WEAKENED("asks"))
		return true;
	if (!conn->question && ask_about(conn, request, head_bytes))
		return false;
	if (conn->question && conn->question->read.len > 0)
		request->waits = false; /* it was told to go on */
	return true;
}

/* ---- the body ---- */

/* BASE64's padding stands at the end alone: the whole is coded at once. */
static void show(struct question *question, bool cut)
{
	autostr struct str frame;
	size_t n = cut ? (size_t)question->most : question->read.len;

	str_init(&frame, 2 * DECIDER_BODY_MAX);
	str_printf(&frame, "{\"t\":\"body\",\"id\":%llu,\"data\":\"", (unsigned long long)question->id);
	str_add_base64(&frame, question->read.text, n);
	str_add(&frame, cut ? "\",\"cut\":true}" : "\"}");
	question->state = SHOWN;
	question->conn->step = conn_step_nothing;
	conn_wait(question->conn, patience(question->conn), be_late);
	decider_send(&frame);
}

static bool take_body(struct conn *conn, struct question *question)
{
	char *rest = conn->in.text + question->head_bytes;
	size_t n = conn->in.len - question->head_bytes, used;

	out.n = 0;
	out.failed = false;
	used = body_feed(&question->reader, rest, n, &out);
	str_add_n(&question->read, out.bytes, out.n);
	memmove(rest, rest + used, n - used);
	conn->in.len -= used;
	return !question->reader.failed && !question->read.failed;
}

static bool step_body(struct conn *conn)
{
	struct question *question = conn->question;
	ssize_t n;

	if (!question->reader.complete && conn->in.len > question->head_bytes && !take_body(conn, question)) {
		decider_leave(conn);
		refuse_malformed(conn, BAD);
		return true;
	}
	if (question->reader.complete || question->read.len > question->most) {
		show(question, question->read.len > question->most);
		return false;
	}
	n = conn_fill(conn);
	if (n <= 0 && n != -EAGAIN) {
		conn_close(conn);
		return false;
	}
	if (n > 0)
		conn_wait(conn, WAIT_IDLE, conn_close);
	return n > 0;
}

static bool reserve(struct question *question, uint64_t most)
{
	uint64_t length = question->reader.complete ? 0 : question->chunked ? most : question->reader.parser.content_length;

	question->most = most;
	length = length < most ? length : most;
	if (held + length > DECIDER_HELD_MAX)
		return false;
	held += question->reserved = length;
	return true;
}

static void read_body(struct conn *conn, struct question *question, uint64_t most)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

	if (!reserve(question, most)) {
		refuse_unavailable(conn, "request decider: too many request bodies held for inspection");
		return;
	}
	if (question->waits)
		flow_send(&conn->down, &conn->client, go_on, sizeof(go_on) - 1);
	question->state = READING;
	conn->step = step_body;
	conn_wait(conn, WAIT_IDLE, conn_close);
}

/* ---- the verdict ---- */

static void allow(struct conn *conn, struct question *question, const struct verdict *verdict, json_t *frame)
{
	bool hidden = conn->client.secure || conn->filter->rules->plaintext_header_set;

	question->verdict = *verdict;
	question->frame = json_incref(frame);
	question->state = ALLOWED;
	conn_forget(conn);
	if (hidden || (!verdict->set && !verdict->credential))
		entry_go_on(conn, question->head_bytes);
	else
		refuse_decided(conn, FORBIDDEN, "plaintext_header_set", JUDGE_NO_HEADERS);
}

static void deny(struct conn *conn, const struct verdict *verdict)
{
	conn->question->state = ALLOWED; /* it has its answer */
	decider_leave(conn);
	refuse_decided(conn, verdict->status, "decider", verdict->reason ? verdict->reason : ACCESS_REASON);
}

void decider_answer(struct filter *filter, const struct verdict *verdict, json_t *frame)
{
	struct question *question = find(verdict->id);
	struct conn *conn = question->conn;

	(void)filter;
	if (verdict->action == VERDICT_DENY)
		deny(conn, verdict);
	else if (question->state == READING)
		decider_die("a verdict other than deny while the body was read");
	else if (verdict->action == VERDICT_ALLOW)
		allow(conn, question, verdict, frame);
	else if (question->state == SHOWN)
		decider_die("a second need_body");
	else
		read_body(conn, question, verdict->most);
	conn_run(conn);
}

/* ---- the request goes on ---- */

static bool is_credential(struct head_text name)
{
	static const char *const names[] = { "authorization", "proxy-authorization", "cookie", "x-api-key" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (access_is_same_header(name.at, name.n, names[i]))
			return true;
	return false;
}

bool decider_drops(const struct conn *conn, struct head_text name)
{
	const struct verdict *verdict = conn->question ? &conn->question->verdict : NULL;
	const char *set;
	json_t *entry;
	size_t i;

	if (!verdict)
		return false;
	json_array_foreach (verdict->remove, i, entry)
		if (access_is_same_header(name.at, name.n, json_string_value(entry)))
			return true;
	json_object_foreach ((json_t *)(uintptr_t)verdict->set, set, entry)
		if (access_is_same_header(name.at, name.n, set))
			return true;
	return verdict->credential && is_credential(name);
}

/* Git's transport at GitHub wants a user and a password. */
static void add_credential(const struct verdict *verdict, const struct host *host, struct str *out_head)
{
	autostr struct str plain;

	str_init(&plain, 16 << 10);
	if (strcmp(verdict->credential_class, "github") == 0 && strcmp(host->text, "github.com") == 0) {
		str_printf(&plain, "x-access-token:%s", verdict->credential);
		str_add(out_head, "authorization: Basic ");
		str_add_base64(out_head, plain.text, plain.len);
	} else {
		str_printf(out_head, "authorization: Bearer %s", verdict->credential);
	}
	str_add(out_head, "\r\n");
	out_head->failed |= plain.failed;
}

void decider_add_headers(const struct conn *conn, const struct host *host, struct str *out_head)
{
	const struct verdict *verdict = conn->question ? &conn->question->verdict : NULL;
	const char *name;
	json_t *values, *value;
	size_t i;

	if (!verdict)
		return;
	json_object_foreach ((json_t *)(uintptr_t)verdict->set, name, values)
		json_array_foreach (values, i, value)
			str_printf(out_head, "%s: %s\r\n", name, json_string_value(value));
	if (verdict->credential)
		add_credential(verdict, host, out_head);
}

void decider_hand_over(struct conn *conn, struct body *body, struct str *ahead)
{
	struct question *question = conn->question;

	if (!question)
		return;
	str_init(ahead, DECIDER_BODY_MAX + 2 * BODY_ROOM);
	if (question->most > 0) {
		bool chunked = body->in_chunks;

		if (chunked && question->read.len > 0)
			str_printf(ahead, "%zx\r\n", question->read.len);
		str_add_n(ahead, question->read.text, question->read.len);
		str_add(ahead, chunked && question->read.len > 0 ? "\r\n" : "");
		str_add(ahead, chunked && question->reader.complete ? "0\r\n\r\n" : "");
		*body = question->reader;
		body->in_chunks = chunked;
	}
	decider_leave(conn);
}

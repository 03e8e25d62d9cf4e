/*
 * Theory of operation. A host that is on neither list is asked about, where the rules say so, once for a connection and a host; the connection stands still
 * meanwhile. What was allowed so is no entry of the list: addresses of it are judged like those of any name, and the next connection is asked about again. So many
 * questions wait at once and no more: whoever decides may be a person.
 */
#include "egress/decider.h"
#include "egress/weak.h"

#include <stdlib.h>

enum { WAITING_MAX = 256 };

static const char unanswered[] = "permission prompt failed", refused[] = "user denied"; /* srt's words */

struct host_question {
	struct conn *conn;
	struct host_question *next, *prev;
	uint64_t id;
	decider_go_on *go_on;
	size_t head_bytes;
};

static struct host_question *newest;
static size_t waiting_n;

bool decider_may_ask(const struct filter *filter, const struct domain_verdict *verdict)
{
	return filter->rules->asks_hosts && !verdict->allowed && !verdict->rule;
}

bool decider_has_allowed(const struct conn *conn, const struct host *host, uint16_t port)
{
	return conn->asked && conn->asked->port == port && host_is_same(&conn->asked->host, host);
}

static struct host_question *find(uint64_t id)
{
	struct host_question *question = newest;

	while (question && question->id != id)
		question = question->next;
	return question;
}

bool decider_host_is_asked(uint64_t id)
{
	return find(id);
}

static void leave(struct conn *conn)
{
	struct host_question *question = conn->host_question;

	*(question->prev ? &question->prev->next : &newest) = question->next;
	if (question->next)
		question->next->prev = question->prev;
	free(question);
	conn->host_question = NULL;
	waiting_n--;
}

void decider_host_leave(struct conn *conn)
{
	if (!conn->host_question)
		return;
	decider_forget_id(conn->host_question->id);
	leave(conn);
}

static void refuse(struct conn *conn, const char *reason)
{
	decider_host_leave(conn);
	refuse_policy(conn, reason);
}

static void be_late(struct conn *conn)
{
	refuse(conn, unanswered);
	conn_run(conn);
}

void decider_host_refuse_all(void)
{
	while (newest) {
		struct conn *conn = newest->conn;

		refuse(conn, unanswered);
		conn_run(conn);
	}
}

static void put(const struct host_question *question)
{
	autostr struct str frame;

	str_init(&frame, DECIDER_FRAME_MAX);
	str_printf(&frame, "{\"t\":\"ask\",\"id\":%llu,\"host\":", (unsigned long long)question->id);
	str_add_json_text(&frame, question->conn->goal.host.text);
	str_printf(&frame, ",\"port\":%u}", question->conn->goal.port);
	decider_send(&frame);
}

void decider_ask_host(struct conn *conn, const struct goal *goal, size_t head_bytes, decider_go_on *go_on)
{
	uint64_t id = waiting_n < WAITING_MAX || WEAKENED("prompts") ? decider_next_id(conn->filter) : 0;
	struct host_question *question = id ? calloc(1, sizeof(*question)) : NULL;

	conn->goal = *goal;
	if (!question) {
		refuse_policy(conn, unanswered);
		return;
	}
	*question = (struct host_question){ .conn = conn, .next = newest, .id = id, .go_on = go_on, .head_bytes = head_bytes };
	if (newest)
		newest->prev = question;
	newest = conn->host_question = question;
	waiting_n++;
	conn->step = conn_step_nothing;
	conn_wait(conn, WAIT_ANSWER, be_late);
	put(question);
}

static bool note_allowed(struct conn *conn)
{
	if (!conn->asked)
		conn->asked = malloc(sizeof(*conn->asked));
	if (conn->asked)
		*conn->asked = (struct domain_pattern){
			.text = "", .why = "network.asks", .kind = DOMAIN_EXACT, .host = conn->goal.host, .port = conn->goal.port
		};
	return conn->asked;
}

void decider_host_answer(const struct verdict *verdict)
{
	struct host_question *question = find(verdict->id), answered = *question;
	struct conn *conn = question->conn;

	if (verdict->action == VERDICT_NEED_BODY || verdict->set || verdict->remove || verdict->credential) {
		decider_die("a host's verdict is allow or deny");
		return;
	}
	leave(conn);
	conn_forget(conn);
	if (verdict->action == VERDICT_DENY)
		refuse_policy(conn, verdict->reason ? verdict->reason : refused);
	else if (!note_allowed(conn))
		refuse_policy(conn, unanswered);
	else
		answered.go_on(conn, answered.head_bytes);
	conn_run(conn);
}

/*
 * Theory of operation. Rules live in an arena of their own; connections point at the pattern that allowed them. So all connections are gone through
 * before the old arena goes: each either finds its pattern among the new rules, or ends as if it had been refused. What is looked up or dialled
 * just now is refused in the client's own protocol; what is open is reset, since nobody can say anything in the middle of it. How TLS is opened, rules
 * for requests and secrets stay as they were at the start: their memory does too.
 */
#include "egress/filter.h"

/* Addresses that are left to be tried are judged as well: the one that is refused now would be next. */
static const char *refusal_of(struct conn *conn, const struct domain_verdict *verdict)
{
	if (!verdict->allowed)
		return verdict->reason;
	for (size_t i = conn->dialing; !conn->hop && i < conn->addresses_n; i++)
		if (ask_judge(conn, conn->address[i]))
			return "an address is denied now";
	return NULL;
}

static void end(struct conn *conn, const char *reason)
{
	if (conn->is_open) {
		report(conn, REPORT_DENY, reason);
		conn_abort(conn);
		return;
	}
	lookup_leave(conn);
	end_close(&conn->upstream);
	refuse_policy(conn, reason);
	conn_run(conn);
}

static void reconsider(struct conn *conn)
{
	bool is_under_way = conn->lookup || conn->upstream.fd >= 0;
	struct domain_verdict verdict = domain_decide(&conn->filter->rules->domains, &conn->goal.host, conn->goal.port);
	bool is_ours = !conn->hop || conn->hop->kind != HOP_OUTSIDE; /* with a proxy of somebody else's the lists mean nothing */
	const char *reason;

	if (conn->asked && conn->goal.rule == conn->asked && !verdict.allowed && !verdict.rule) /* nobody has said otherwise since */
		verdict = (struct domain_verdict){ .allowed = true, .rule = conn->asked };
	conn->goal.rule = is_under_way ? verdict.rule : NULL; /* the old one is about to go */
	reason = is_under_way && is_ours ? refusal_of(conn, &verdict) : NULL;

	if (reason)
		end(conn, reason);
}

void renew(struct filter *filter, int rules_fd)
{
	bool second = filter->rules == &filter->generation[0].rules;
	struct arena *arena = &filter->generation[second].arena;
	struct filter_rules *rules = &filter->generation[second].rules;
	struct conn *next;
	struct err err = { 0 };

	arena_init(arena, RULES_ARENA_MAX);
	if (filter_rules_load(rules_fd, arena, rules, &err) < 0) {
		arena_done(arena);
		report_rules(filter, err.text);
		return;
	}
	rules->addresses.own = filter->rules->addresses.own;
	filter_rules_keep(rules, filter->rules);
	filter->rules = rules;
	for (struct conn *conn = filter->conns; conn; conn = next) {
		next = conn->next;
		reconsider(conn);
	}
	arena_done(&filter->generation[!second].arena);
	report_rules(filter, NULL);
}

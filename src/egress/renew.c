/*
 * Theory of operation. Rules live in an arena of their own; connections point at the pattern that allowed them. So all connections are gone through
 * before the old arena goes: each either finds its pattern among the new rules, or ends as if it had been refused. What is looked up or dialled
 * just now is refused in the client's own protocol; what is open is reset, since nobody can say anything in the middle of it. A tunnel that was let
 * through unread ends where it would be read now. The authority, secrets and proxies behind this one stay as they were at the start, and so does their memory: rules
 * that say something else of them are refused whole.
 */
#include "egress/filter.h"

#include <errno.h>

/* What it goes on as was chosen under the old rules. */
static bool is_read_now(const struct conn *conn)
{
	bool unread = conn->is_open && !conn->client.secure && (conn->dialed == tunnel_begin || conn->dialed == tunnel_pass_on);

	return unread && (terminate_must_see(conn) || (conn->greeted && terminate_wants(conn)));
}

/* Addresses that are left to be tried are judged as well: the one that is refused now would be next. */
static const char *refusal_of(struct conn *conn, const struct domain_verdict *verdict)
{
	if (!verdict->allowed)
		return verdict->reason;
	for (size_t i = conn->dialing; !conn->hop && i < conn->addresses_n; i++)
		if (ask_judge(conn, conn->address[i]))
			return "an address is denied now";
	return is_read_now(conn) ? "what it carries is read now" : NULL;
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
	struct filter_rules *rules = &filter->generation[second].rules,
			    fresh; /* connections may point at ways of the generation before last */
	struct conn *next;
	const char *changed;
	struct err err = { 0 };

	arena_init(arena, RULES_ARENA_MAX);
	if (filter_rules_load(rules_fd, arena, &fresh, &err) < 0) {
		arena_done(arena);
		report_rules(filter, err.text);
		return;
	}
	changed = filter_rules_keep(&fresh, filter->rules);
	if (changed) {
		(void)err_set(&err, ERR_POLICY, EINVAL,
		              "%.40s cannot be changed while it runs, so the rules of before stay: end it and start anew", changed);
		arena_done(arena);
		report_rules(filter, err.text);
		return;
	}
	*rules = fresh;
	rules->addresses.own = filter->rules->addresses.own;
	filter->rules = rules;
	if (rules->tls.opens)
		filter->loop.length_ms[WAIT_HANDSHAKE] = rules->tls.handshake_ms;
	for (struct conn *conn = filter->conns; conn; conn = next) {
		next = conn->next;
		reconsider(conn);
	}
	arena_done(&filter->generation[!second].arena);
	report_rules(filter, NULL);
}

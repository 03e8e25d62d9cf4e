#include "api/api.h"

#include "plan/print.h"
#include "session/proxy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

_Static_assert((int)COFFER_CAUSE_PARENT_GONE == (int)CAUSE_PARENT_GONE && (int)CAUSES_END == (int)CAUSE_PARENT_GONE + 1,
               "causes.def and coffer.h agree");

static void tell(const struct coffer_request *request, const struct coffer_event *event)
{
	request->on_event(request->context, event);
}

static void tell_plan(const struct coffer_request *request, const struct plan *plan)
{
	autostr struct str text = { 0 };
	str_init(&text, 256);
	str_printf(&text, "%u operations, %u notes", plan->head->op_count, plan->head->note_count);
	tell(request, &(struct coffer_event){ .type = COFFER_EVENT_PLANNED, .text = text.text });
}

static struct coffer_connection public_connection(const struct connection *c)
{
	return (struct coffer_connection){ .verdict = c->verdict,
		                           .way = c->way,
		                           .host = c->host,
		                           .port = c->port,
		                           .rule = c->rule,
		                           .reason = c->reason,
		                           .bytes_up = c->bytes_up,
		                           .bytes_down = c->bytes_down,
		                           .duration_ms = c->duration_ms,
		                           .dropped = c->dropped };
}

static void on_session_event(void *context, const struct session_event *event)
{
	static const enum coffer_event_type types[] = {
		[SESSION_PLANNED] = COFFER_EVENT_PLANNED, [SESSION_NOTED] = COFFER_EVENT_NOTED,
		[SESSION_STARTED] = COFFER_EVENT_STARTED, [SESSION_OUTPUT] = COFFER_EVENT_OUTPUT,
		[SESSION_DENIED] = COFFER_EVENT_DENIED,   [SESSION_LIMITED] = COFFER_EVENT_LIMITED,
		[SESSION_EXITED] = COFFER_EVENT_EXITED,   [SESSION_CONNECTION] = COFFER_EVENT_CONNECTION,
		[SESSION_CONTROL] = COFFER_EVENT_CONTROL, [SESSION_EXECUTED] = COFFER_EVENT_EXECUTED
	};
	const struct coffer_request *request = context;
	struct coffer_denial denial;
	struct coffer_connection connection;
	struct coffer_event out = { .type = types[event->type],
		                    .stream = event->stream,
		                    .bytes = event->bytes,
		                    .len = event->len,
		                    .text = event->note,
		                    .cause = (enum coffer_cause)event->cause };
	if (event->type == SESSION_PLANNED) {
		tell_plan(request, event->plan);
		return;
	}
	if (event->denial) {
		api_denial(event->denial, &denial);
		out.denial = &denial;
	}
	if (event->connection) {
		connection = public_connection(event->connection);
		out.connection = &connection;
	}
	tell(request, &out);
}

static struct session_request session_request_of(struct coffer_request *request)
{
	const char *const *environment = request->environment ? request->environment : (const char *const *)environ;
	return (struct session_request){
		.policy = request->policy ? &request->policy->policy : NULL,
		.argv = request->argv,
		.env = environment,
		.cwd = request->cwd,
		.stdin_fd = request->input_fd >= 0 ? request->input_fd : request->streams[0],
		.stdout_fd = request->streams[1],
		.stderr_fd = request->streams[2],
		.cancel_fd = request->cancel_fd,
		.control_fd = request->control_fd,
		.rules_fd = request->rules[0],
		.terminal = request->terminal,
		.workspace = request->view,
		.forward = request->forwards ? &request->forward : NULL,
		.on_event = request->on_event ? on_session_event : NULL,
		.context = request,
	};
}

int coffer_explain(struct coffer_request *request, enum coffer_format format, char **ret_text, struct coffer_error *error)
{
	struct err err = { 0 };
	struct arena arena;
	struct session_result result;
	autostr struct str text = { 0 };
	struct session_request wanted = session_request_of(request);
	arena_init(&arena, API_ARENA_MAX);
	str_init(&text, API_ARENA_MAX);
	int r = api_fail(session_plan(&request->coffer->session, &wanted, &arena, &result, &err), &err, error);
	if (r == 0) {
		if (format == COFFER_JSON)
			plan_print_json(&result.plan, &text);
		else
			plan_print(&result.plan, &text);
		r = api_give_text(&text, ret_text, error);
	}
	arena_done(&arena);
	return r;
}

static int keep_command(struct coffer_outcome *outcome, const struct coffer_request *request)
{
	for (const char *const *word = request->argv; *word; word++) {
		const char **slot = text_vec_add(&outcome->summary.command, &outcome->arena);
		if (!slot)
			return -1;
		*slot = arena_dup(&outcome->arena, *word);
		if (!*slot)
			return -1;
	}
	return 0;
}

/* The request may be freed before its outcome is read. */
static int finish(struct coffer_outcome *outcome, const struct coffer_request *request)
{
	struct timespec now = { 0 };
	(void)clock_gettime(CLOCK_REALTIME, &now);
	outcome->summary.run_id = outcome->result.run_id;
	outcome->summary.cwd = outcome->result.cwd;
	outcome->summary.ended_s = (uint64_t)now.tv_sec;
	outcome->summary.outcome = outcome->result.outcome;
	outcome->summary.message = outcome->result.message;
	return keep_command(outcome, request) < 0 ? -1 : api_outcome_finish(outcome);
}

int coffer_request_network(struct coffer_request *request, const struct coffer_policy *policy, struct coffer_error *error)
{
	struct err err = { 0 };
	struct session_request wanted = session_request_of(request);
	wanted.policy = &policy->policy;
	return api_fail(session_send_rules(&request->coffer->session, &wanted, request->rules[1], &err), &err, error);
}

/* So that a cancellation ends one run, not the next as well. */
static void forget_cancellation(struct coffer_request *request)
{
	uint64_t count;
	ssize_t done = read(request->cancel_fd, &count, sizeof(count));
	(void)done; /* EAGAIN: nobody cancelled */
}

static int run(struct coffer_request *request, const struct session_request *wanted, struct coffer_outcome *outcome, struct err *err)
{
	if (request->tries)
		return workspaces_try(&request->coffer->session, wanted, &outcome->arena, &outcome->result, &outcome->workspace, err);
	return session_run(&request->coffer->session, wanted, &outcome->arena, &outcome->result, err);
}

/* What the command did has happened: its outcome stands. */
static void tell_unrecorded(const struct coffer_request *request, const struct err *err)
{
	autostr struct str text = { 0 };
	str_init(&text, 2 * COFFER_TEXT_MAX);
	str_printf(&text, "the session's history has no layer of this command: %s", err->text);
	tell(request, &(struct coffer_event){ .type = COFFER_EVENT_NOTED, .text = text.text });
}

static int execute(struct coffer_request *request, const struct session_request *wanted, struct coffer_outcome *outcome, struct err *err)
{
	const struct session *session = &request->coffer->session;
	struct spills spills = { .dir = -1 };
	const struct session_exec exec = { .request = wanted,
		                           .env = request->environment,
		                           .timeout_ms = request->timeout_ms,
		                           .output_bytes = request->output_bytes,
		                           .background = request->background,
		                           .spill = request->spill.most ? &spills.wish : NULL };
	struct err unrecorded = { 0 };
	struct live live;
	int r = sessions_connect(session, request->session, (const char *const *)environ, true, &live, err);
	if (r < 0)
		return r;
	if (exec.spill)
		r = spills_open(session, request->session, &request->spill, &outcome->arena, &spills, err);
	if (r == 0)
		r = sessions_exec(session, &live, &exec, &outcome->arena, &outcome->result, err);
	if (r == 0)
		spills_tell(&spills, &outcome->result.outcome);
	spills_close(&spills);
	live_close(&live);
	if (r == 0 && sessions_keep_history(session, request->session, request->argv, &unrecorded) < 0 && request->on_event)
		tell_unrecorded(request, &unrecorded);
	return r;
}

int coffer_run(struct coffer_request *request, struct coffer_outcome **ret_outcome, struct coffer_error *error)
{
	struct err err = { 0 };
	struct coffer_outcome *outcome = calloc(1, sizeof(*outcome));
	if (!outcome)
		return api_no_memory(error);
	struct session_request wanted = session_request_of(request);
	arena_init(&outcome->arena, API_ARENA_MAX);
	if (request->input_fd >= 0)
		(void)lseek(request->input_fd, 0, SEEK_SET);
	int r = api_fail((request->session ? execute : run)(request, &wanted, outcome, &err), &err, error);
	forget_cancellation(request);
	if (r == 0 && finish(outcome, request) < 0)
		r = api_no_memory(error);
	if (r < 0)
		coffer_outcome_free(outcome);
	else
		*ret_outcome = outcome;
	return r;
}

/* ---- the filter by itself ---- */

_Static_assert((int)COFFER_PROXY_LIFELINE == (int)SESSION_PROXY_LIFELINE && (int)COFFER_PROXY_DECIDER == (int)SESSION_PROXY_DECIDER,
               "proxy.h and coffer.h agree");

static void on_proxy_event(void *context, const struct session_event *event)
{
	const struct coffer_proxy *proxy = context;
	struct coffer_connection connection;
	struct coffer_event out = { .type = COFFER_EVENT_STARTED };
	if (event->connection) {
		connection = public_connection(event->connection);
		out = (struct coffer_event){ .type = COFFER_EVENT_CONNECTION, .connection = &connection };
	}
	proxy->on_event(proxy->context, &out);
}

static int gather_headers(const char *const *names, struct arena *arena, struct text_vec *headers)
{
	for (; names && *names; names++) {
		const char **slot = text_vec_add(headers, arena);
		if (!slot)
			return -ENOMEM;
		*slot = *names;
	}
	return 0;
}

int coffer_proxy_run(struct coffer *coffer, const struct coffer_proxy *proxy, enum coffer_proxy_end *ret_end, struct coffer_error *error)
{
	struct err err = { 0 };
	struct coffer_proxy copy = *proxy;
	struct text_vec headers = { 0 };
	struct arena arena;
	enum session_proxy_end end = SESSION_PROXY_STOPPED;
	const struct session_proxy wanted = { .listener = proxy->listener,
		                              .decider_in = proxy->decider_in,
		                              .decider_out = proxy->decider_out,
		                              .lifeline = proxy->lifeline,
		                              .stop = proxy->stop,
		                              .authority = proxy->authority,
		                              .extra_roots = proxy->extra_roots,
		                              .stripped_headers = &headers,
		                              .plaintext_header_set = proxy->plaintext_header_set,
		                              .on_event = proxy->on_event ? on_proxy_event : NULL,
		                              .context = &copy };
	arena_init(&arena, API_ARENA_MAX);
	int r = gather_headers(proxy->stripped_headers, &arena, &headers) < 0 ? err_set(&err, ERR_LIMIT, ENOMEM, "out of memory")
	                                                                      : session_proxy(&coffer->session, &wanted, &end, &err);
	arena_done(&arena);
	if (r < 0)
		return api_fail(r, &err, error);
	if (end == SESSION_PROXY_DECIDER)
		(void)api_fail(-EPIPE, &err, error);
	*ret_end = (enum coffer_proxy_end)end;
	return 0;
}

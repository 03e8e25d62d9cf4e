#include "channel/work.h"

#include "base/own.h"
#include "channel/params.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static struct coffer_request *running; /* for the signal that cancels it */

static const int forwarded[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH };

static void on_alarm(int number)
{
	(void)number;
	coffer_cancel(running);
}

static void on_event(void *context, const struct coffer_event *event)
{
	if (event->type == COFFER_EVENT_EXECUTED)
		(void)work_tell(context, WORK_STARTED, "started", "", NULL);
}

static void add_text(struct str *out, const char *name, const char *text)
{
	str_printf(out, "\"%s\":", name);
	str_add_json_text(out, text);
	str_add_char(out, ',');
}

static void add_denials(struct str *out, const struct coffer_outcome *outcome)
{
	const struct coffer_denial *denial;

	str_add(out, ",\"denials\":[");
	for (size_t i = 0; (denial = coffer_outcome_denial(outcome, i)); i++) {
		str_add(out, i ? ",{" : "{");
		add_text(out, "operation", denial->operation);
		add_text(out, "target", denial->target);
		add_text(out, "process", denial->process);
		add_text(out, "rule", denial->rule);
		add_text(out, "remedy", denial->remedy);
		str_printf(out, "\"errno\":%d,\"count\":%u}", denial->errnum, denial->count);
	}
	str_add_char(out, ']');
}

static void add_spill(struct str *out, const char *name, const struct coffer_spill *spill)
{
	str_printf(out, ",\"%s\":", name);
	if (!spill) {
		str_add(out, "null");
		return;
	}
	str_add(out, "{\"path\":");
	str_add_json_text(out, spill->path);
	str_printf(out, ",\"file_bytes\":%llu,\"written_bytes\":%llu,\"head_bytes\":%llu,\"complete\":%s,\"errno\":%d}",
	           (unsigned long long)spill->file_bytes, (unsigned long long)spill->written_bytes, (unsigned long long)spill->head_bytes,
	           spill->file_bytes == spill->written_bytes ? "true" : "false", spill->errnum);
}

/* Where some of it is spilled the channel does not see all of it. */
static void add_counts(struct str *out, const struct coffer_outcome *outcome)
{
	for (int stream = 1; stream <= 2; stream++) {
		const struct coffer_spill *spill = coffer_outcome_spill(outcome, stream);
		const char *name = stream == 1 ? "stdout" : "stderr";
		uint64_t passed = coffer_outcome_measure(outcome, stream == 1 ? COFFER_OUTPUT_BYTES : COFFER_ERRORS_BYTES);

		str_printf(
		    out, ",\"%s_bytes\":%llu,\"%s_truncated\":%s", name, (unsigned long long)(spill ? spill->written_bytes : passed), name,
		    coffer_outcome_measure(outcome, stream == 1 ? COFFER_OUTPUT_TRUNCATED : COFFER_ERRORS_TRUNCATED) ? "true" : "false");
	}
}

static void add_outcome(struct str *out, const struct coffer_outcome *outcome)
{
	enum coffer_cause cause = coffer_outcome_cause(outcome);

	str_printf(out, "{\"exit_code\":%d,\"signal\":", coffer_outcome_exit_code(outcome));
	if (coffer_outcome_signal(outcome))
		str_printf(out, "%d", coffer_outcome_signal(outcome));
	else
		str_add(out, "null");
	str_printf(out, ",\"cause\":\"%s\",\"message\":", coffer_cause_name(cause));
	str_add_json_text(out, coffer_outcome_message(outcome));
	str_printf(out, ",\"duration_ms\":%llu,\"timed_out\":%s,\"aborted\":%s",
	           (unsigned long long)(coffer_outcome_measure(outcome, COFFER_DURATION_US) / 1000),
	           cause == COFFER_CAUSE_TIMEOUT ? "true" : "false", cause == COFFER_CAUSE_CANCELLED ? "true" : "false");
	add_denials(out, outcome);
	add_spill(out, "stdout_spilled", coffer_outcome_spill(outcome, 1));
	add_spill(out, "stderr_spilled", coffer_outcome_spill(outcome, 2));
}

/* A terminal is all three; what is given at once and not added to needs no pipe. */
static int set_streams(const struct work *work, struct coffer_request *request, struct err *err)
{
	autostr struct str data = { 0 };
	struct coffer_error error;

	str_init(&data, REQUEST_LINE_MAX);
	if (params_get(work->params, "terminal")) {
		coffer_request_streams(request, work->streams[0], work->streams[0], work->streams[0]);
		coffer_request_terminal(request, COFFER_TERMINAL_INPUT | COFFER_TERMINAL_OUTPUT | COFFER_TERMINAL_ERRORS);
		return 0;
	}
	coffer_request_streams(request, work->input, work->streams[0], work->streams[1]);
	if (work->input >= 0 || !params_get(work->params, "input"))
		return 0;
	if (params_data(work->params, "input", &data) < 0)
		return work_no_memory(err);
	return coffer_request_input(request, data.text, data.len, &error) < 0 ? work_failed(err, &error) : 0;
}

static int set_up(struct work *work, struct coffer_request *request, struct err *err)
{
	const char *cwd = params_text(work->params, "cwd");
	const char **env = work_environment(work->params, "env");
	struct coffer_error error;
	int r = set_streams(work, request, err);

	if (r < 0)
		return r;
	if (!env)
		return err_set(err, ERR_USAGE, EINVAL, "env: names of variables are not empty and have no \"=\"");
	coffer_request_environment(request, env);
	coffer_request_limits(request, params_count(work->params, "timeout_ms", 0), 0);
	coffer_request_events(request, on_event, work);
	if (params_get(work->params, "spill_bytes") && !params_count(work->params, "max_output_bytes", 0))
		return err_set(err, ERR_USAGE, EINVAL, "spill_bytes: what exceeds max_output_bytes is spilled: say how much that is");
	if (params_get(work->params, "spill_bytes"))
		coffer_request_spill(request, params_count(work->params, "max_output_bytes", 0),
		                     params_count(work->params, "spill_bytes", 0), false);
	if (params_flag(work->params, "background", false))
		coffer_request_background(request);
	if (cwd && coffer_request_directory(request, cwd, &error) < 0)
		return work_failed(err, &error);
	return coffer_request_forward(request, forwarded, ARRAY_LEN(forwarded), &error) < 0 ? work_failed(err, &error) : 0;
}

/* From here on the request can be cancelled, and signals are the command's. */
static void take_signals(struct coffer_request *request)
{
	const struct sigaction action = { .sa_handler = on_alarm };
	sigset_t held;

	running = request;
	(void)sigaction(SIGALRM, &action, NULL);
	sigemptyset(&held);
	for (size_t i = 0; i < ARRAY_LEN(forwarded); i++)
		sigaddset(&held, forwarded[i]);
	(void)sigprocmask(SIG_SETMASK, &held, NULL);
}

int do_exec(struct work *work, struct str *result, struct err *err)
{
	autofree const char **argv = params_texts(work->params, "argv");
	struct coffer_session *session = NULL;
	struct coffer_request *request = NULL;
	struct coffer_outcome *outcome = NULL;
	struct coffer_error error;
	int r = argv ? work_session(work, &session, err) : work_no_memory(err);

	if (r < 0)
		return r;
	if (coffer_session_request(session, argv, &request, &error) < 0)
		return work_failed(err, &error);
	r = set_up(work, request, err);
	if (r < 0)
		return r;
	take_signals(request);
	if (coffer_run(request, &outcome, &error) < 0)
		return work_failed(err, &error);
	add_outcome(result, outcome);
	if (params_get(work->params, "spill_bytes"))
		add_counts(result, outcome);
	str_add_char(result, '}');
	return 0;
}

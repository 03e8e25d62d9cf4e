#include "channel/work.h"

#include "base/own.h"
#include "channel/params.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>

enum { TAIL_DEFAULT = 64 << 10, TAIL_MAX = 1 << 20, GRACE_MS = 5000, REPLAY_DEFAULT = 64 << 10 };

/* A text that the library gave, as the result. */
static int give(int r, char *text, const struct coffer_error *error, struct str *result, struct err *err)
{
	if (r < 0)
		return work_failed(err, error);
	str_add(result, text);
	coffer_text_free(text);
	return 0;
}

static int tell_one(struct coffer_session *session, const char *name, struct str *result, struct err *err)
{
	struct coffer_error error;
	char *text = NULL;
	int r = coffer_process_text(session, name, &text, &error);

	return give(r, text, &error, result, err);
}

/* Of `terminal`; 0: it has none that could be. */
static unsigned short size_of(const struct work *work, const char *name)
{
	json_int_t n = json_integer_value(json_object_get(params_get(work->params, "terminal"), name));

	return n > 0 && n <= USHRT_MAX ? (unsigned short)n : 0;
}

int do_process_start(struct work *work, struct str *result, struct err *err)
{
	struct coffer_session *session = NULL;
	struct coffer_error error;
	autofree const char **argv = params_texts(work->params, "argv");
	autofree const char **env = work_environment(work->params, "env");
	autostr struct str input = { 0 };
	char *text = NULL;
	int r = work_session(work, &session, err);

	str_init(&input, REQUEST_LINE_MAX);
	if (r < 0)
		return r;
	if (!env)
		return err_set(err, ERR_USAGE, EINVAL, "env: names of variables are not empty and have no \"=\"");
	if (params_get(work->params, "terminal") && (!size_of(work, "rows") || !size_of(work, "cols")))
		return err_set(err, ERR_USAGE, EINVAL, "terminal: {\"rows\":24,\"cols\":80}, each from 1 to 65535");
	if (!argv || params_data(work->params, "input", &input) < 0)
		return work_no_memory(err);

	const struct coffer_process_options options = { .size = sizeof(options),
		                                        .argv = argv,
		                                        .environment = env,
		                                        .directory = params_text(work->params, "cwd"),
		                                        .input = input.text,
		                                        .input_bytes = input.len,
		                                        .log_bytes = params_count(work->params, "log_bytes", 0),
		                                        .timeout_ms = params_count(work->params, "timeout_ms", 0),
		                                        .rows = size_of(work, "rows"),
		                                        .columns = size_of(work, "cols") };

	r = coffer_process_start(session, &options, &text, &error);
	return give(r, text, &error, result, err);
}

static void on_attached(void *context)
{
	(void)work_tell(context, WORK_STARTED, "started", "", NULL);
}

/* `cancel` is SIGALRM, which is held from the beginning on. */
int do_process_attach(struct work *work, struct str *result, struct err *err)
{
	static const int taken[] = { SIGWINCH, SIGALRM };
	const char *process = params_text(work->params, "process");
	bool terminal = params_get(work->params, "terminal");
	const struct coffer_attach_options options = { .size = sizeof(options),
		                                       .input = terminal ? work->streams[0] : work->input,
		                                       .output = work->streams[0],
		                                       .errors = terminal ? -1 : work->streams[1],
		                                       .replay_bytes = params_count(work->params, "replay_bytes", REPLAY_DEFAULT),
		                                       .signals = taken,
		                                       .signals_n = ARRAY_LEN(taken),
		                                       .on_attached = on_attached,
		                                       .context = work };
	struct coffer_session *session = NULL;
	struct coffer_attached attached;
	struct coffer_error error;
	sigset_t held;
	int r = work_session(work, &session, err);

	if (r < 0)
		return r;
	sigemptyset(&held);
	sigaddset(&held, SIGWINCH);
	(void)sigprocmask(SIG_BLOCK, &held, NULL);
	if (coffer_process_attach(session, process, &options, &attached, &error) < 0)
		return work_failed(err, &error);
	str_add(result, "{\"process\":");
	r = tell_one(session, attached.name, result, err);
	str_printf(result, ",\"detached\":%s,\"lost_bytes\":%llu}", attached.status == COFFER_DETACHED ? "true" : "false",
	           (unsigned long long)attached.lost_bytes);
	return r;
}

int do_process_list(struct work *work, struct str *result, struct err *err)
{
	struct coffer_session *session = NULL;
	struct coffer_error error;
	char *text = NULL;
	int r = work_session(work, &session, err);

	if (r < 0)
		return r;
	str_add(result, "{\"processes\":");
	r = coffer_process_text(session, NULL, &text, &error);
	r = give(r, text, &error, result, err);
	str_add_char(result, '}');
	return r;
}

int do_process_info(struct work *work, struct str *result, struct err *err)
{
	struct coffer_session *session = NULL;
	int r = work_session(work, &session, err);

	return r < 0 ? r : tell_one(session, params_text(work->params, "process"), result, err);
}

int do_process_wait(struct work *work, struct str *result, struct err *err)
{
	struct coffer_session *session = NULL;
	struct coffer_error error;
	int r = work_session(work, &session, err);

	if (r < 0)
		return r;
	r = coffer_process_wait(session, params_text(work->params, "process"), params_count(work->params, "timeout_ms", 0), &error);
	return r < 0 ? work_failed(err, &error) : tell_one(session, params_text(work->params, "process"), result, err);
}

int do_process_stop(struct work *work, struct str *result, struct err *err)
{
	struct coffer_session *session = NULL;
	struct coffer_error error;
	int r = work_session(work, &session, err);

	if (r < 0)
		return r;
	r = coffer_process_stop(session, params_text(work->params, "process"), params_count(work->params, "grace_ms", GRACE_MS), &error);
	return r < 0 ? work_failed(err, &error) : tell_one(session, params_text(work->params, "process"), result, err);
}

int do_process_remove(struct work *work, struct str *result, struct err *err)
{
	struct coffer_session *session = NULL;
	struct coffer_error error;
	int r = work_session(work, &session, err);

	if (r < 0)
		return r;
	if (coffer_process_remove(session, params_text(work->params, "process"), &error) < 0)
		return work_failed(err, &error);
	str_add(result, "{}");
	return 0;
}

static int add_log(const struct work *work, struct coffer_session *session, int stream, struct str *result, struct err *err)
{
	struct coffer_process_log log = { .stream = stream, .most = (size_t)params_count(work->params, "tail_bytes", TAIL_DEFAULT) };
	const char *name = stream == 2 ? "stderr" : "stdout";
	struct coffer_error error;

	if (coffer_process_log_read(session, params_text(work->params, "process"), &log, &error) < 0)
		return work_failed(err, &error);
	str_printf(result, "%s\"%s\":\"", stream == 2 ? "," : "", name);
	str_add_base64(result, log.bytes, log.n);
	str_printf(result, "\",\"%s_bytes\":%llu,\"%s_truncated\":%s", name, (unsigned long long)log.total, name,
	           log.total > log.n ? "true" : "false");
	coffer_text_free(log.bytes);
	return 0;
}

int do_process_logs(struct work *work, struct str *result, struct err *err)
{
	struct coffer_session *session = NULL;
	int r = work_session(work, &session, err);

	if (r == 0 && params_count(work->params, "tail_bytes", 0) > TAIL_MAX)
		r = err_set(err, ERR_USAGE, ERANGE, "tail_bytes: at most %d", TAIL_MAX);
	str_add_char(result, '{');
	for (int stream = 1; stream <= 2 && r == 0; stream++)
		r = add_log(work, session, stream, result, err);
	str_add_char(result, '}');
	return r;
}

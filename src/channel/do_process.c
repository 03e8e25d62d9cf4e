#include "channel/work.h"

#include "base/own.h"
#include "channel/params.h"

#include <errno.h>
#include <stdlib.h>

enum { TAIL_DEFAULT = 64 << 10, TAIL_MAX = 1 << 20, GRACE_MS = 5000 };

/* A text that the library gave, as the result. */
static int give(int r, char *text, const struct coffer_error *error, struct str *result, struct err *err)
{
	if (r < 0)
		return work_failed(err, error);
	str_add(result, text);
	coffer_text_free(text);
	return 0;
}

static int tell_one(struct work *work, struct coffer_session *session, struct str *result, struct err *err)
{
	struct coffer_error error;
	char *text = NULL;
	int r = coffer_process_text(session, params_text(work->params, "process"), &text, &error);

	return give(r, text, &error, result, err);
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
	if (!argv || params_data(work->params, "input", &input) < 0)
		return work_no_memory(err);

	const struct coffer_process_options options = { .size = sizeof(options),
		                                        .argv = argv,
		                                        .environment = env,
		                                        .directory = params_text(work->params, "cwd"),
		                                        .input = input.text,
		                                        .input_bytes = input.len,
		                                        .log_bytes = params_count(work->params, "log_bytes", 0),
		                                        .timeout_ms = params_count(work->params, "timeout_ms", 0) };

	r = coffer_process_start(session, &options, &text, &error);
	return give(r, text, &error, result, err);
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

	return r < 0 ? r : tell_one(work, session, result, err);
}

int do_process_wait(struct work *work, struct str *result, struct err *err)
{
	struct coffer_session *session = NULL;
	struct coffer_error error;
	int r = work_session(work, &session, err);

	if (r < 0)
		return r;
	r = coffer_process_wait(session, params_text(work->params, "process"), params_count(work->params, "timeout_ms", 0), &error);
	return r < 0 ? work_failed(err, &error) : tell_one(work, session, result, err);
}

int do_process_stop(struct work *work, struct str *result, struct err *err)
{
	struct coffer_session *session = NULL;
	struct coffer_error error;
	int r = work_session(work, &session, err);

	if (r < 0)
		return r;
	r = coffer_process_stop(session, params_text(work->params, "process"), params_count(work->params, "grace_ms", GRACE_MS), &error);
	return r < 0 ? work_failed(err, &error) : tell_one(work, session, result, err);
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

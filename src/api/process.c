#include "api/api.h"

#include "session/attach.h"
#include "session/processes.h"

#include <errno.h>
#include <string.h>

int coffer_process_text(struct coffer_session *session, const char *name, char **ret_text, struct coffer_error *error)
{
	struct err err = { 0 };
	autostr struct str text = { 0 };
	str_init(&text, PROCESSES_TEXT_MAX);
	int r = api_fail(processes_print(&session->coffer->session, session->name, name, &text, &err), &err, error);
	return r < 0 ? r : api_give_text(&text, ret_text, error);
}

int coffer_process_start(struct coffer_session *session, const struct coffer_process_options *options, char **ret_text,
                         struct coffer_error *error)
{
	struct err err = { 0 };
	char name[PROCESS_ID_MAX];
	const struct process_wish wish = { .argv = options->argv,
		                           .env = options->environment,
		                           .cwd = options->directory,
		                           .input = options->input,
		                           .input_n = options->input_bytes,
		                           .log_bytes = options->log_bytes,
		                           .timeout_ms = options->timeout_ms,
		                           .rows = options->rows,
		                           .columns = options->columns };
	if (options->size != sizeof(*options) || !options->argv || !options->argv[0] || !*options->argv[0])
		return api_fail(err_set(&err, ERR_USAGE, EINVAL, "a process needs a command, and options of this library's size"), &err,
		                error);
	if (options->log_bytes > PROCESSES_LOG_MAX)
		return api_fail(err_set(&err, ERR_USAGE, EINVAL, "at most %d bytes of output are kept", PROCESSES_LOG_MAX), &err, error);
	if (!options->rows != !options->columns)
		return api_fail(err_set(&err, ERR_USAGE, EINVAL, "a terminal has rows and columns"), &err, error);
	if (options->rows && options->input_bytes > PROCESS_TYPED_MAX)
		return api_fail(err_set(&err, ERR_LIMIT, EFBIG, "at most %d bytes are typed at a terminal at first", PROCESS_TYPED_MAX),
		                &err, error);
	int r = api_fail(processes_start(&session->coffer->session, session->name, &wish, name, &err), &err, error);
	return r < 0 ? r : coffer_process_text(session, name, ret_text, error);
}

int coffer_process_log_read(struct coffer_session *session, const char *name, struct coffer_process_log *log, struct coffer_error *error)
{
	struct err err = { 0 };
	struct process_log both[2] = { 0 };
	str_init(&both[0].bytes, log->most);
	str_init(&both[1].bytes, log->most);
	int r = api_fail(processes_logs(&session->coffer->session, session->name, name, both, &err), &err, error);
	struct process_log *wanted = &both[log->stream == 2];
	log->n = wanted->bytes.len;
	log->total = wanted->total;
	if (r == 0)
		r = api_give_text(&wanted->bytes, &log->bytes, error);
	str_done(&both[0].bytes);
	str_done(&both[1].bytes);
	return r;
}

static void on_attached(void *context)
{
	const struct coffer_attach_options *options = context;
	options->on_attached(options->context);
}

int coffer_process_attach(struct coffer_session *session, const char *name, const struct coffer_attach_options *options,
                          struct coffer_attached *ret_attached, struct coffer_error *error)
{
	struct err err = { 0 };
	sigset_t signals;
	struct coffer_attach_options copy = *options;
	if (options->size != sizeof(*options) || options->detach_bytes > ATTACH_KEYS_MAX)
		return api_fail(
		    err_set(&err, ERR_USAGE, EINVAL, "options of this library's size, and at most %d bytes to detach", ATTACH_KEYS_MAX),
		    &err, error);
	sigemptyset(&signals);
	for (size_t i = 0; i < options->signals_n; i++)
		(void)sigaddset(&signals, options->signals[i]);
	const struct attachment wanted = { .input = options->input,
		                           .output = options->output,
		                           .errors = options->errors,
		                           .detach_keys = options->detach_keys,
		                           .detach_n = options->detach_bytes,
		                           .replay_bytes = options->replay_bytes,
		                           .signals = options->signals_n ? &signals : NULL,
		                           .on_attached = options->on_attached ? on_attached : NULL,
		                           .context = &copy };
	struct attach_result result;
	int r = api_fail(attach_to(&session->coffer->session, session->name, name, &wanted, &result, &err), &err, error);
	if (r < 0)
		return r;
	*ret_attached = (struct coffer_attached){ .status = result.status, .lost_bytes = result.lost };
	memcpy(ret_attached->name, result.name, sizeof(result.name));
	return 0;
}

int coffer_process_stop(struct coffer_session *session, const char *name, uint64_t grace_ms, struct coffer_error *error)
{
	struct err err = { 0 };
	return api_fail(processes_stop(&session->coffer->session, session->name, name, grace_ms, &err), &err, error);
}

int coffer_process_wait(struct coffer_session *session, const char *name, uint64_t timeout_ms, struct coffer_error *error)
{
	struct err err = { 0 };
	return api_fail(processes_wait(&session->coffer->session, session->name, name, timeout_ms, &err), &err, error);
}

int coffer_process_remove(struct coffer_session *session, const char *name, struct coffer_error *error)
{
	struct err err = { 0 };
	return api_fail(processes_remove(&session->coffer->session, session->name, name, &err), &err, error);
}

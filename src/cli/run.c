#include "cli/access_log.h"
#include "cli/command.h"
#include "cli/control.h"
#include "cli/request.h"
#include "cli/say.h"
#include "cli/stream.h"
#include "cli/workspace.h"

#include "base/num.h"
#include "base/own.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OUTCOME_FD_MIN = 3, OUTCOME_TEXT_MAX = 64 << 10 };

/* What the command gets in coffer's place. Window size, stop and continue are among them: job control works through coffer. */
static const int forwarded[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT, SIGTSTP };

/* The descriptor that an option names, or -1 when it is not given. -EBADF after having spoken. */
static int option_fd(const struct options *options, enum option_id id, const char *example, int *ret_fd)
{
	uint64_t fd = 0;
	const char *text = options->value[id], *name = option_table[id].name;
	*ret_fd = -1;
	if (!text)
		return 0;
	if (num_count(text, &fd) < 0 || fd < OUTCOME_FD_MIN || fd > 1 << 20) {
		say("%s: --%s takes the number of a descriptor that is not the command's own: coffer run --%s 3 -- CMD 3%s",
		    options->command->name, name, name, example);
		return -EBADF;
	}
	if (fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0) {
		say("%s: --%s %s: descriptor %s is not open: coffer run --%s %s -- CMD %s%s", options->command->name, name, text, text,
		    name, text, text, example);
		return -EBADF;
	}
	*ret_fd = (int)fd;
	return 0;
}

/* What the options want to be told while the command runs. */
struct listening {
	const struct options *options;
	struct control control;
	int control_fd; /* -1 */
	int log;        /* -1 */
};

static unsigned terminal_streams(const struct options *options)
{
	return options->given[OPTION_NO_TTY] ? 0 : stream_terminals(options->given[OPTION_TTY]);
}

/* --verbose. */
static void say_event(const struct coffer_event *event)
{
	if (event->type == COFFER_EVENT_NOTED)
		say("note: %s", event->text);
	else if (event->type == COFFER_EVENT_DENIED)
		say("denied: %s %s to %s (rule: %s%s%s)", event->denial->operation, event->denial->target,
		    *event->denial->process ? event->denial->process : "a process", event->denial->rule,
		    event->denial->remedy ? "; to allow: " : "", event->denial->remedy ? event->denial->remedy : "");
	else if (event->type == COFFER_EVENT_LIMITED)
		say("limit reached: %s", coffer_cause_name(event->cause));
}

static void log_connection(struct listening *listening, const struct coffer_connection *connection)
{
	int r = access_log_write(listening->log, connection);
	if (r == 0)
		return;
	say("--access-log %s: cannot be written from here on: %s", listening->options->value[OPTION_ACCESS_LOG], strerror(-r));
	own_close(&listening->log);
}

static void on_event(void *context, const struct coffer_event *event)
{
	struct listening *listening = context;
	if (listening->options->given[OPTION_VERBOSE])
		say_event(event);
	if (event->type == COFFER_EVENT_CONNECTION && listening->log >= 0)
		log_connection(listening, event->connection);
	if (event->type == COFFER_EVENT_CONTROL)
		control_take(&listening->control, event->bytes, event->len);
}

/* What a line says is tightened by the profile, as what a file says. */
static int new_policy(void *context, struct coffer_policy **ret_policy, struct coffer_error *error)
{
	const struct listening *listening = context;
	const char *profile = listening->options->value[OPTION_PROFILE];
	int r = coffer_policy_new(ret_policy, error);
	return r == 0 && profile ? coffer_policy_profile(*ret_policy, profile, error) : r;
}

static void say_refused(void *context, const struct coffer_policy *policy, const struct coffer_error *error)
{
	const struct listening *listening = context;
	say("Invalid config on control fd %d: ignored, previous config still in force", listening->control_fd);
	if (policy)
		(void)say_problems(policy, error);
	else
		say_error(error);
}

static int listen_on(struct listening *listening, struct coffer_request *request)
{
	const char *path = listening->options->value[OPTION_ACCESS_LOG];
	listening->log = path ? access_log_open(path) : -1;
	if (path && listening->log < 0) {
		say("run: --access-log %s: %s", path, strerror(-listening->log));
		return listening->log;
	}
	listening->control = (struct control){ .request = request, .new_policy = new_policy, .refused = say_refused, .context = listening };
	control_init(&listening->control);
	coffer_request_control(request, listening->control_fd);
	if (listening->options->given[OPTION_VERBOSE] || path || listening->control_fd >= 0)
		coffer_request_events(request, on_event, listening);
	return 0;
}

static void say_usage(const struct coffer_outcome *outcome)
{
	uint64_t cpu_us = coffer_outcome_measure(outcome, COFFER_CPU_USER_US) + coffer_outcome_measure(outcome, COFFER_CPU_SYSTEM_US);
	autostr struct str memory = { 0 };
	str_init(&memory, 64);
	num_put_size(&memory, coffer_outcome_measure(outcome, COFFER_MEMORY_PEAK_BYTES));
	say("run %s: %s, exit status %d; %.1f ms, %.1f ms of processor, %s of memory", coffer_outcome_run(outcome),
	    coffer_cause_name(coffer_outcome_cause(outcome)), coffer_outcome_exit_code(outcome),
	    (double)coffer_outcome_measure(outcome, COFFER_DURATION_US) / 1000, (double)cpu_us / 1000, memory.text);
}

static size_t count_denials(const struct coffer_outcome *outcome)
{
	size_t n = 0;
	while (coffer_outcome_denial(outcome, n))
		n++;
	return n;
}

/* One line, and only where it helps: the command failed, a person looks on, and there is something to explain. */
static void say_hint(const struct options *options, const struct coffer_outcome *outcome)
{
	size_t denials = count_denials(outcome);
	enum coffer_cause cause = coffer_outcome_cause(outcome);
	if (options->given[OPTION_QUIET] || coffer_outcome_exit_code(outcome) == 0)
		return;
	if (cause != COFFER_CAUSE_EXIT && cause != COFFER_CAUSE_SIGNAL && cause != COFFER_CAUSE_CANCELLED)
		say("ended: the %s limit was reached", coffer_cause_name(cause));
	else if (denials > 0 && isatty(STDERR_FILENO))
		say("%zu denial%s; `coffer why` explains", denials, denials == 1 ? "" : "s");
}

static void write_outcome(int fd, const struct coffer_outcome *outcome)
{
	char *text = NULL;
	struct coffer_error error;
	if (fd < 0)
		return;
	if (coffer_outcome_text(outcome, COFFER_JSON, &text, &error) < 0)
		say_error(&error);
	else if (fd_write_all(fd, text, strlen(text)) < 0)
		say("--json %d: cannot be written: %s", fd, strerror(errno));
	coffer_text_free(text);
}

/* What was asked for cannot be had, or making it failed. */
static enum coffer_cause cause_of(const struct coffer_error *error)
{
	switch (error->code) {
	case COFFER_ERROR_BUSY:
	case COFFER_ERROR_LIMIT:
	case COFFER_ERROR_SETUP:
	case COFFER_ERROR_INTERNAL:
		return COFFER_CAUSE_SETUP;
	default:
		return COFFER_CAUSE_POLICY;
	}
}

/* Nothing was run: the outcome's shape all the same, so that whoever reads it needs one path. */
static void write_failure(int fd, const struct coffer_error *error)
{
	autostr struct str out = { 0 };
	str_init(&out, OUTCOME_TEXT_MAX);
	if (fd < 0)
		return;
	str_printf(&out,
	           "{\"exit_code\":%d,\"signal\":null,\"cause\":\"%s\",\"denials\":[],\"error\":{\"code\":\"%s\",\"errno\":%d,\"where\":",
	           EXIT_FAILED, coffer_cause_name(cause_of(error)), coffer_error_name(error->code), error->errnum);
	str_add_json(&out, error->where, strlen(error->where));
	str_add(&out, ",\"text\":");
	str_add_json(&out, error->text, strlen(error->text));
	str_add(&out, "}}\n");
	if (fd_write_all(fd, out.text, out.len) < 0)
		say("--json %d: cannot be written", fd);
}

/* Returns, with an exit status, only when nothing was run. */
static int run(struct listening *listening, const struct cli_request *made, int fd)
{
	const struct options *options = listening->options;
	struct coffer_outcome *outcome = NULL;
	struct coffer_error error;
	if (listen_on(listening, made->request) < 0)
		return EXIT_FAILED;
	coffer_request_streams(made->request, STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO);
	coffer_request_terminal(made->request, terminal_streams(options));
	int r = coffer_request_forward(made->request, forwarded, ARRAY_LEN(forwarded), &error);
	if (r == 0) {
		stream_hold_signals(forwarded, ARRAY_LEN(forwarded));
		r = coffer_run(made->request, &outcome, &error);
	}
	if (r < 0) {
		say_error(&error);
		write_failure(fd, &error);
		return EXIT_FAILED;
	}
	if (coffer_outcome_message(outcome))
		say("%s", coffer_outcome_message(outcome));
	write_outcome(fd, outcome);
	if (coffer_record_write(made->coffer, outcome, &error) < 0 && options->given[OPTION_VERBOSE])
		say_error(&error);
	if (options->given[OPTION_VERBOSE])
		say_usage(outcome);
	say_hint(options, outcome);
	if ((options->command->on == ON_TRY || options->given[OPTION_TRY]) && !options->given[OPTION_QUIET])
		workspace_say_changes(made->coffer, coffer_outcome_workspace(outcome));
	exit(coffer_outcome_exit_code(
	    outcome)); /* nothing is freed: the kernel takes all back at once, and a start is shorter by each munmap */
}

int request_run(const struct options *options, int (*make)(const struct options *, struct cli_request *, struct coffer_error *))
{
	static struct listening listening;
	struct cli_request made = { NULL, NULL, NULL, NULL };
	struct coffer_error error;
	int fd = -1;
	listening.options = options;
	if (option_fd(options, OPTION_OUTCOME, "> outcome.json", &fd) < 0 ||
	    option_fd(options, OPTION_CONTROL, "< settings.pipe", &listening.control_fd) < 0)
		return EXIT_FAILED;
	if (make(options, &made, &error) < 0) {
		write_failure(fd, &error);
		return EXIT_FAILED;
	}
	int status = run(&listening, &made, fd);
	request_done(&made);
	return status;
}

int command_run(const struct options *options)
{
	return options->given[OPTION_EXPLAIN] ? command_explain(options) : request_run(options, request_make);
}

static int make_try(const struct options *options, struct cli_request *ret_request, struct coffer_error *error)
{
	int r = request_make(options, ret_request, error);
	if (r == 0)
		coffer_request_try(ret_request->request);
	return r;
}

int command_try(const struct options *options)
{
	return request_run(options, make_try);
}

int command_session_exec(const struct options *options)
{
	return request_run(options, request_make_exec);
}

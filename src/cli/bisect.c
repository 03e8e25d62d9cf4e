/*
 * `coffer session bisect`: between two layers of a session, one in which a command succeeds and a later one in which it fails, the first in which it fails. The
 * session itself is left alone: each layer is looked at in a fork of its own.
 */
#include "cli/command.h"
#include "cli/request.h"
#include "cli/say.h"
#include "cli/trial.h"

#include "base/json.h"
#include "base/str.h"
#include "sys/fd.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 4096, EXIT_NOT_EXECUTED = 126, EXIT_NOT_FOUND = 127 };

/* A state of the session: the beginning, its layers from the oldest on, what it is now. */
struct state {
	uint64_t number;
	const char *label;
};

struct bisect {
	const struct options *options;
	const char *const *argv;
	struct coffer *coffer;
	struct coffer_session *session;
	json_t *log;
	struct state *states;
	size_t n;
	struct coffer_error error;
	int signal; /* that ended the search, or 0 */
};

static int fail(struct bisect *bisect, enum coffer_error_code code, int number, const char *text)
{
	bisect->error = (struct coffer_error){ .code = code, .errnum = number };
	memcpy(bisect->error.text, text, strlen(text) + 1);
	return -number;
}

/* ---- the states ---- */

static int read_log(struct bisect *bisect)
{
	struct coffer_workspace *workspace = NULL;
	struct err err = { 0 };
	char *text = NULL;
	int r = coffer_workspace_open(bisect->coffer, coffer_session_name(bisect->session), &workspace, &bisect->error);
	if (r == 0)
		r = coffer_workspace_log(workspace, COFFER_JSON, &text, &bisect->error);
	if (r == 0 && json_read(text, strlen(text), "log", &bisect->log, &err) < 0)
		r = fail(bisect, COFFER_ERROR_INTERNAL, EBADMSG, "the log cannot be read");
	coffer_text_free(text);
	coffer_workspace_free(workspace);
	return r;
}

static int list_states(struct bisect *bisect)
{
	int r = read_log(bisect);
	if (r < 0)
		return r;
	size_t layers = json_array_size(bisect->log);
	bisect->states = calloc(layers + 2, sizeof(*bisect->states));
	if (!bisect->states)
		return fail(bisect, COFFER_ERROR_LIMIT, ENOMEM, "no memory for the log");
	bisect->states[bisect->n++] = (struct state){ .number = 0, .label = "the beginning" };
	for (size_t i = 0; i < layers; i++) {
		const json_t *layer = json_array_get(bisect->log, i);
		bisect->states[bisect->n++] = (struct state){ .number = (uint64_t)json_integer_value(json_object_get(layer, "number")),
			                                      .label = json_string_value(json_object_get(layer, "label")) };
	}
	bisect->states[bisect->n++] = (struct state){ .number = COFFER_NOW, .label = "what it is now" };
	return 0;
}

static void add_state(const struct state *state, struct str *out)
{
	if (state->number && state->number != COFFER_NOW)
		str_printf(out, "@%llu ", (unsigned long long)state->number);
	str_add(out, state->label ? state->label : "");
}

/* ---- one of them ---- */

static void say_text(const struct trial_text *text)
{
	(void)fd_write_all(STDERR_FILENO, text->at, text->n);
}

static void say_result(const struct bisect *bisect, const struct state *state, const struct trial_report *report)
{
	autostr struct str line = { 0 };
	if (!bisect->options->given[OPTION_TELL])
		return;
	say_text(&report->output);
	str_init(&line, LINE_MAX_BYTES);
	add_state(state, &line);
	say("%s: exit status %d", line.text, report->exit_code);
}

static int verdict(struct bisect *bisect, const struct state *state, const struct trial_report *report, bool *ret_fails)
{
	if (!report->ran) {
		bisect->error = report->error;
		return report->error.code ? -EIO
		                          : fail(bisect, COFFER_ERROR_SETUP, EIO, "the process that executed the command was killed");
	}
	say_result(bisect, state, report);
	if (report->exit_code == EXIT_NOT_EXECUTED || report->exit_code == EXIT_NOT_FOUND) {
		say_text(&report->output);
		return fail(bisect, COFFER_ERROR_USAGE, EINVAL,
		            "the command could not be executed in one of the layers (exit status 126 or 127), which says nothing of them: "
		            "name it by a path, or wrap it in sh -c");
	}
	*ret_fails = report->exit_code != 0;
	return 0;
}

static int execute(struct bisect *bisect, const struct state *state, struct trial *trial, bool *ret_fails)
{
	const struct trial_wanted wanted = { .argv = bisect->argv };
	int r = trial_start(trial, &wanted, &bisect->error);
	while (r == 0 && !trial_has_ended(trial) && !bisect->signal) {
		int number = trial_wait();
		bisect->signal = number == SIGCHLD ? 0 : number;
	}
	if (r == 0 && bisect->signal)
		r = -EINTR;
	return r < 0 ? r : verdict(bisect, state, trial->report, ret_fails);
}

static int test(struct bisect *bisect, const struct state *state, bool *ret_fails)
{
	struct trial trial = { .session = NULL };
	struct coffer_error ignored;
	int r = coffer_session_fork_at(bisect->session, state->number, NULL, &trial.session, &bisect->error);
	if (r < 0)
		return r;
	r = execute(bisect, state, &trial, ret_fails);
	trial_kill(&trial);
	if (coffer_session_remove(trial.session, &ignored) < 0)
		say_error(&ignored);
	trial_done(&trial);
	return r;
}

/* ---- the search ---- */

/* Fails at `bad`, not at `good`. */
static int search(struct bisect *bisect, size_t good, size_t bad, size_t *ret_first)
{
	while (bad - good > 1) {
		size_t middle = good + (bad - good) / 2;
		bool fails;
		int r = test(bisect, &bisect->states[middle], &fails);
		if (r < 0)
			return r;
		*(fails ? &bad : &good) = middle;
	}
	*ret_first = bad;
	return 0;
}

static int print_found(const struct bisect *bisect, size_t first)
{
	const struct state *state = &bisect->states[first];
	const char *name = coffer_session_name(bisect->session);
	bool is_now = state->number == COFFER_NOW;
	autostr struct str text = { 0 }, out = { 0 };
	str_init(&text, LINE_MAX_BYTES);
	str_init(&out, 2 * LINE_MAX_BYTES);
	str_printf(&text, "coffer diff --in %s --from %llu", name, first ? (unsigned long long)bisect->states[first - 1].number : 0ULL);
	if (!is_now)
		str_printf(&text, " --to %llu", (unsigned long long)state->number);
	if (bisect->options->given[OPTION_JSON]) {
		str_add(&out, "{\"layer\":");
		str_printf(&out, is_now ? "null" : "%llu", (unsigned long long)state->number);
		str_add(&out, ",\"label\":");
		str_add_json_text(&out, state->label);
		str_add(&out, ",\"diff\":");
		str_add_json_text(&out, first ? text.text : NULL);
		str_add(&out, "}\n");
	} else {
		autostr struct str label = { 0 };
		str_init(&label, LINE_MAX_BYTES);
		add_state(state, &label);
		str_add(&out, "fails first in ");
		str_add_escaped(&out, label.text, label.len);
		str_printf(&out, "\n%s\n", first ? text.text : "so it is not what the session did");
	}
	return out.failed ? -ENOMEM : fd_write_all(STDOUT_FILENO, out.text, out.len);
}

/* 1: there is nothing to find. */
static int find(struct bisect *bisect, size_t *ret_first)
{
	bool fails;
	int r = test(bisect, &bisect->states[bisect->n - 1], &fails);
	if (r < 0)
		return r;
	if (!fails)
		return 1;
	r = test(bisect, &bisect->states[0], &fails);
	if (r < 0)
		return r;
	if (!fails)
		return search(bisect, 0, bisect->n - 1, ret_first);
	*ret_first = 0;
	return 0;
}

static int run(struct bisect *bisect)
{
	size_t first = 0;
	int r = list_states(bisect);
	if (r == 0)
		r = find(bisect, &first);
	if (bisect->signal)
		return 128 + bisect->signal;
	if (r < 0) {
		say_error(&bisect->error);
		return EXIT_FAILED;
	}
	if (r > 0) {
		say("the command succeeds in what %s is now: there is nothing to find", coffer_session_name(bisect->session));
		return EXIT_UNWELL;
	}
	return print_found(bisect, first) < 0 ? EXIT_FAILED : EXIT_FINE;
}

int command_session_bisect(const struct options *options)
{
	struct bisect bisect = { .options = options, .argv = request_command_of(options) };
	if (options->words.n == 0 || !bisect.argv[0]) {
		say("session bisect: which session, and which command? coffer session bisect work -- make test");
		return EXIT_FAILED;
	}
	int r = coffer_new(&bisect.coffer, &bisect.error), status = EXIT_FAILED;
	if (r == 0)
		r = coffer_session_open(bisect.coffer, options->words.at[0], &bisect.session, &bisect.error);
	if (r < 0) {
		say_error(&bisect.error);
	} else {
		trial_hold_signals();
		status = run(&bisect);
	}
	free(bisect.states);
	json_done(&bisect.log);
	coffer_session_free(bisect.session);
	coffer_free(bisect.coffer);
	return status;
}

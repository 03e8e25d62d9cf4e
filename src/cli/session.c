/* `coffer session …`: what is done to sandboxes that stay. What is executed in one goes the way of `coffer run` (run.c). */
#include "cli/session.h"
#include "cli/request.h"
#include "cli/say.h"

#include "base/num.h"
#include "base/str.h"
#include "sys/fd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LABELS_MAX = 64 << 10, NAMES_LINE_MAX = 256 };

int with_session(const struct options *options, size_t words, int (*deed)(const struct session_deed *, struct coffer_error *))
{
	struct session_deed what = { .options = options };
	struct coffer_error error;
	if (options->words.n < words) {
		say("usage: coffer %s %s; `coffer session ls` shows the sessions that there are", options->command->name,
		    options->command->arguments);
		return EXIT_FAILED;
	}
	int r = coffer_new(&what.coffer, &error);
	if (r == 0)
		r = coffer_session_open(what.coffer, options->words.at[0], &what.session, &error);
	if (r == 0)
		r = deed(&what, &error);
	if (r < 0)
		say_error(&error);
	coffer_session_free(what.session);
	coffer_free(what.coffer);
	return r < 0 ? EXIT_FAILED : r;
}

int refuse_words(struct coffer_error *error, const char *text)
{
	*error = (struct coffer_error){ .code = COFFER_ERROR_USAGE };
	(void)snprintf(error->text, sizeof(error->text), "%s", text);
	return -EINVAL;
}

void give_text(char *text)
{
	size_t n = strlen(text);
	(void)fd_write_all(STDOUT_FILENO, text, n);
	if (n && text[n - 1] != '\n')
		(void)fd_write_all(STDOUT_FILENO, "\n", 1);
	coffer_text_free(text);
}

static int make_labels(const struct options *options, struct str *out)
{
	for (size_t i = 0; i < options->labels.n; i++) {
		const char *label = options->labels.at[i];
		size_t n = strcspn(label, "=");
		if (n == 0 || !label[n]) {
			say("session create: --label takes NAME=VALUE, not \"%s\"", label);
			return -EINVAL;
		}
		str_add_char(out, i ? ',' : '{');
		str_add_json(out, label, n);
		str_add_char(out, ':');
		str_add_json_text(out, label + n + 1);
	}
	str_add(out, options->labels.n ? "}" : "{}");
	return out->failed ? -ENOMEM : 0;
}

static int choose_tree(const struct options *options, struct coffer_session_options *wanted)
{
	wanted->path = options->value[OPTION_EMPTY];
	wanted->workspace = options->value[OPTION_PERSIST];
	if (options->given[OPTION_COPY] && wanted->path) {
		say("session create: --copy and --empty are two trees: choose one");
		return -EINVAL;
	}
	if (wanted->workspace && !wanted->path) {
		say("session create: --persist keeps the directory of --empty: add --empty /workspace");
		return -EINVAL;
	}
	wanted->tree = options->given[OPTION_COPY] ? COFFER_SESSION_COPY : wanted->path ? COFFER_SESSION_EMPTY : COFFER_SESSION_HOST;
	return 0;
}

static int create(const struct options *options, const struct cli_request *made, const char *labels)
{
	struct coffer_session_options wanted = { .size = sizeof(wanted), .labels = labels };
	struct coffer_session *session = NULL;
	struct coffer_error error;
	wanted.history = options->given[OPTION_HISTORY];
	wanted.snapshot = options->value[OPTION_SNAPSHOT];
	wanted.name = options->words.n ? options->words.at[0] : NULL;
	if (choose_tree(options, &wanted) < 0)
		return EXIT_FAILED;
	if (request_option_ms(options, OPTION_TTL, &wanted.ttl_ms) < 0 || request_option_ms(options, OPTION_IDLE, &wanted.idle_ms) < 0)
		return EXIT_FAILED;
	if (coffer_session_create(made->coffer, made->policy, &wanted, &session, &error) < 0) {
		say_error(&error);
		return EXIT_FAILED;
	}
	autostr struct str line = { 0 };
	str_init(&line, NAMES_LINE_MAX);
	str_printf(&line, options->given[OPTION_JSON] ? "{\"id\":\"%s\"}\n" : "%s\n", coffer_session_name(session));
	int r = fd_write_all(STDOUT_FILENO, line.text, line.len);
	coffer_session_free(session);
	return r < 0 ? EXIT_FAILED : EXIT_FINE;
}

int command_session_create(const struct options *options)
{
	struct cli_request made = { NULL, NULL, NULL, NULL };
	struct coffer_error error;
	autostr struct str labels = { 0 };
	str_init(&labels, LABELS_MAX);
	if (options->words.n > 1) {
		say("session create: one name, not \"%s\" as well", options->words.at[1]);
		return EXIT_FAILED;
	}
	if (make_labels(options, &labels) < 0 || request_make_policy(options, &made, &error) < 0)
		return EXIT_FAILED;
	int status = create(options, &made, labels.text);
	request_done(&made);
	return status;
}

int command_session_ls(const struct options *options)
{
	if (options->words.n)
		return with_session(options, 1, session_list_files);
	struct coffer *coffer = NULL;
	struct coffer_error error;
	char *text = NULL;
	int r = coffer_new(&coffer, &error);
	if (r == 0)
		r = coffer_sessions_text(coffer, options->given[OPTION_JSON] ? COFFER_JSON : COFFER_TEXT, &text, &error);
	if (r < 0)
		say_error(&error);
	else if (text)
		r = fd_write_all(STDOUT_FILENO, text, strlen(text));
	coffer_text_free(text);
	coffer_free(coffer);
	return r < 0 ? EXIT_FAILED : EXIT_FINE;
}

/* The same to each that is named; what fails is said, and the others are done all the same. */
static int to_each(const struct options *options, int (*deed)(struct coffer_session *, struct coffer_error *))
{
	struct coffer *coffer = NULL;
	struct coffer_error error;
	int status = EXIT_FINE;
	if (options->words.n == 0) {
		say("%s: which? `coffer session ls` shows those that there are", options->command->name);
		return EXIT_FAILED;
	}
	if (coffer_new(&coffer, &error) < 0) {
		say_error(&error);
		return EXIT_FAILED;
	}
	for (size_t i = 0; i < options->words.n; i++) {
		struct coffer_session *session = NULL;
		if (coffer_session_open(coffer, options->words.at[i], &session, &error) < 0 || deed(session, &error) < 0) {
			say_error(&error);
			status = EXIT_FAILED;
		}
		coffer_session_free(session);
	}
	coffer_free(coffer);
	return status;
}

int command_session_pause(const struct options *options)
{
	return to_each(options, coffer_session_pause);
}

int command_session_resume(const struct options *options)
{
	return to_each(options, coffer_session_resume);
}

int command_session_rm(const struct options *options)
{
	return to_each(options, coffer_session_remove);
}

/* ---- history ---- */

static int print_line(const char *text)
{
	autostr struct str line = { 0 };
	str_init(&line, NAMES_LINE_MAX);
	str_printf(&line, "%s\n", text);
	return fd_write_all(STDOUT_FILENO, line.text, line.len);
}

/* "3" or "@3". */
static int layer_of(const char *text, uint64_t *ret_number)
{
	return num_count(*text == '@' ? text + 1 : text, ret_number);
}

static int fork_once(struct coffer_session *session, uint64_t layer, const char *name, struct coffer_error *error)
{
	struct coffer_session *child = NULL;
	int r = coffer_session_fork_at(session, layer, name, &child, error);
	if (r == 0)
		(void)print_line(coffer_session_name(child));
	coffer_session_free(child);
	return r;
}

static int fork_all(const struct session_deed *what, struct coffer_error *error)
{
	const char *at = what->options->value[OPTION_AT];
	uint64_t layer = COFFER_NOW;
	if (at && layer_of(at, &layer) < 0) {
		return refuse_words(error, "session fork: --at takes the number of a layer, as `coffer session log` shows them");
	}
	int r = what->options->words.n > 1 ? 0 : fork_once(what->session, layer, NULL, error);
	for (size_t i = 1; r == 0 && i < what->options->words.n; i++)
		r = fork_once(what->session, layer, what->options->words.at[i], error);
	return r;
}

int command_session_fork(const struct options *options)
{
	return with_session(options, 1, fork_all);
}

static int checkpoint(const struct session_deed *what, struct coffer_error *error)
{
	char text[32];
	uint64_t number;
	int r = coffer_session_checkpoint(what->session, what->options->value[OPTION_MESSAGE], &number, error);
	if (r < 0)
		return r;
	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	(void)print_line(text);
	return 0;
}

int command_session_checkpoint(const struct options *options)
{
	return with_session(options, 1, checkpoint);
}

static int checkout(const struct session_deed *what, struct coffer_error *error)
{
	uint64_t number = 0;
	const char *text = what->options->words.n == 2 ? what->options->words.at[1] : "";
	if (layer_of(text, &number) == 0)
		return coffer_session_checkout(what->session, number, error);
	return refuse_words(error, "session checkout takes a name and the number of a layer: coffer session checkout work 3");
}

int command_session_checkout(const struct options *options)
{
	return with_session(options, 1, checkout);
}

static int show_log(const struct session_deed *what, struct coffer_error *error)
{
	struct coffer_workspace *workspace = NULL;
	char *text = NULL;
	int r = coffer_workspace_of_session(what->session, &workspace, error);
	if (r == 0)
		r = coffer_workspace_log(workspace, what->options->given[OPTION_JSON] ? COFFER_JSON : COFFER_TEXT, &text, error);
	if (r == 0)
		give_text(text);
	coffer_workspace_free(workspace);
	return r;
}

int command_session_log(const struct options *options)
{
	return with_session(options, 1, show_log);
}

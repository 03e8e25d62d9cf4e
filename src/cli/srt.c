/*
 * `srt`: the same binary under the name of Anthropic's sandbox runtime, for those who call that today. Flags, messages and exit statuses are
 * srt's (0.0.83), settings are srt's documents, and the sandbox is coffer's.
 *
 * As in srt an unknown option is no mistake but a word of the command, wherever it stands; the known ones are taken out of the line even
 * behind the command's name. Words are quoted one by one for the shell, `-c` is handed to it as it is.
 */
#include "cli/srt.h"

#include "base/own.h"
#include "base/str.h"
#include "base/vec.h"
#include "cli/say.h"
#include "cli/stream.h"
#include "sys/fd.h"

#include <coffer.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SRT_FAILED = 1, SRT_ARENA_MAX = 16 << 20, SRT_COMMAND_MAX = 8 << 20 };

static const char version[] = "0.0.83";
static const char help[] = "Usage: srt [options] [command...]\n"
			   "\n"
			   "Run commands in a sandbox with network and filesystem restrictions\n"
			   "\n"
			   "Arguments:\n"
			   "  command                command to run in the sandbox\n"
			   "\n"
			   "Options:\n"
			   "  -V, --version          output the version number\n"
			   "  -d, --debug            enable debug logging\n"
			   "  -s, --settings <path>  path to config file (default: ~/.srt-settings.json)\n"
			   "  -c <command>           run command string directly (like sh -c), no escaping\n"
			   "                         applied\n"
			   "  -h, --help             display help for command\n";

/* ---- the line ---- */

enum srt_option { SRT_NONE, SRT_DEBUG, SRT_SETTINGS, SRT_COMMAND, SRT_VERSION, SRT_HELP };

static const struct {
	enum srt_option option;
	const char *brief, *name, *argument, *shown;
} known[] = {
	{ SRT_DEBUG, "-d", "--debug", NULL, "-d, --debug" },      { SRT_SETTINGS, "-s", "--settings", "<path>", "-s, --settings <path>" },
	{ SRT_COMMAND, "-c", NULL, "<command>", "-c <command>" }, { SRT_VERSION, "-V", "--version", NULL, "-V, --version" },
	{ SRT_HELP, "-h", "--help", NULL, "-h, --help" },
};

struct line {
	struct arena arena;
	struct text_vec operands, unknown; /* words before the first unknown option; it and all behind it */
	const char *settings, *command;
	bool debug, help, version;
};

static void add_word(struct line *line, struct text_vec *list, const char *word)
{
	const char **slot = text_vec_add(list, &line->arena);

	if (slot)
		*slot = word;
}

static void take(struct line *line, size_t i, const char *value)
{
	switch (known[i].option) {
	case SRT_DEBUG:
		line->debug = true;
		break;
	case SRT_SETTINGS:
		line->settings = value;
		break;
	case SRT_COMMAND:
		line->command = value;
		break;
	case SRT_VERSION:
		line->version = true;
		break;
	default:
		line->help = true;
	}
}

/* Which option a word is, and its argument when that is in the same word (-cX, --settings=X). ARRAY_LEN(known): none. */
static size_t match(const char *word, const char **ret_value)
{
	size_t i = 0;

	*ret_value = NULL;
	for (; i < ARRAY_LEN(known); i++) {
		size_t n = known[i].name ? strlen(known[i].name) : 0;

		if (strcmp(word, known[i].brief) == 0 || (n && strcmp(word, known[i].name) == 0))
			break;
		if (known[i].argument && strncmp(word, known[i].brief, 2) == 0) {
			*ret_value = word + 2;
			break;
		}
		if (known[i].argument && n && strncmp(word, known[i].name, n) == 0 && word[n] == '=') {
			*ret_value = word + n + 1;
			break;
		}
	}
	return i;
}

/* A word that is none of srt's own. From the first unknown option on, all of them are one list. */
static void take_word(struct line *line, const char *word)
{
	bool unknown = line->unknown.n > 0 || (word[0] == '-' && word[1]);

	add_word(line, unknown ? &line->unknown : &line->operands, word);
}

/* Behind "--" all are words. It is one itself when the command has begun with an option. */
static void take_rest(struct line *line, const char *const *words)
{
	struct text_vec *list = line->unknown.n > 0 ? &line->unknown : &line->operands;

	if (list == &line->unknown)
		add_word(line, list, "--");
	for (; *words; words++)
		add_word(line, list, *words);
}

static int parse(struct line *line, const char *const *argv)
{
	for (; *argv && strcmp(*argv, "--") != 0; argv++) {
		const char *value;
		size_t i = match(*argv, &value);

		if (i == ARRAY_LEN(known)) {
			take_word(line, *argv);
			continue;
		}
		if (known[i].argument && !value)
			value = *++argv;
		if (known[i].argument && !value) {
			fprintf(stderr, "error: option '%s' argument missing\n", known[i].shown);
			return -EINVAL;
		}
		take(line, i, value);
	}
	if (*argv)
		take_rest(line, argv + 1);
	return 0;
}

/* ---- the command ---- */

static const char *join(struct line *line)
{
	const struct text_vec *lists[] = { &line->operands, &line->unknown };
	autostr struct str out = { 0 };

	str_init(&out, SRT_COMMAND_MAX);
	if (line->operands.n + line->unknown.n == 1) /* a whole command line in quotes */
		return lists[line->operands.n == 0]->at[0];
	for (unsigned i = 0; i < 2; i++)
		for (size_t k = 0; k < lists[i]->n; k++) {
			if (out.len)
				str_add_char(&out, ' ');
			str_add_shell(&out, lists[i]->at[k]);
		}
	return out.failed ? NULL : arena_dup_n(&line->arena, out.text, out.len);
}

static const char *find_shell(struct line *line)
{
	const char *path = getenv("PATH");

	while (path && *path) {
		size_t n = strcspn(path, ":");
		const char *file = arena_printf(&line->arena, "%.*s/bash", (int)n, path);

		if (n && file && access(file, X_OK) == 0)
			return file;
		path += n + (path[n] == ':');
	}
	return NULL;
}

/* ---- running ---- */

static struct coffer_request *running;
static volatile sig_atomic_t interrupted;

/* srt kills its child then, and the sandbox goes with it. */
static void on_interrupt(int number)
{
	interrupted = number;
	coffer_cancel(running);
}

static void debug(const struct line *line, const char *text, const char *more)
{
	if (line->debug)
		fprintf(stderr, "[SandboxDebug] %s%s\n", text, more);
}

static int fail(const char *text)
{
	fprintf(stderr, "Error: %s\n", text);
	return SRT_FAILED;
}

static int fail_settings(const struct coffer_policy *policy, const struct coffer_error *error, const char *path)
{
	const struct coffer_error *problem;

	if (!coffer_policy_problem(policy, 0))
		fprintf(stderr, "Error: %s\n", error->text);
	for (size_t i = 0; (problem = coffer_policy_problem(policy, i)); i++)
		fprintf(stderr, "Error: %s%s%s\n", problem->where, problem->where[0] ? ": " : "", problem->text);
	fprintf(stderr, "Refusing to run with the built-in defaults, which would drop every rule of %s\n", path);
	return SRT_FAILED;
}

/* The default file may be absent: then nothing is writable and nothing can be reached. */
static int read_settings(struct line *line, struct coffer_policy *policy)
{
	const char *home = getenv("HOME"), *path = line->settings;
	struct coffer_error error;

	if (!path)
		path = home ? arena_printf(&line->arena, "%s/.srt-settings.json", home) : NULL;
	if (!path || (!line->settings && access(path, F_OK) < 0 && errno == ENOENT)) {
		debug(line, "No settings file, using the default config", "");
		return 0;
	}
	debug(line, "Settings: ", path);
	return coffer_policy_read_file(policy, path, &error) < 0 ? fail_settings(policy, &error, path) : 0;
}

static int add_variables(struct coffer_policy *policy, struct coffer_error *error)
{
	int r = coffer_policy_variable(policy, "SANDBOX_RUNTIME", "1", error);

	return r < 0 ? r : coffer_policy_variable(policy, "COFFER", NULL, error);
}

static int run(struct line *line, struct coffer_policy *policy, const char *const *argv)
{
	static const int forwarded[] = { SIGWINCH, SIGCONT, SIGTSTP };
	const struct sigaction interrupt = { .sa_handler = on_interrupt };
	struct coffer *coffer;
	struct coffer_outcome *outcome;
	struct coffer_error error;
	int r = add_variables(policy, &error);

	if (r == 0)
		r = coffer_new(&coffer, &error);
	if (r == 0)
		r = coffer_request_new(coffer, policy, argv, &running, &error);
	if (r == 0)
		r = coffer_request_forward(running, forwarded, ARRAY_LEN(forwarded), &error);
	if (r < 0)
		return fail(error.text);
	coffer_request_streams(running, STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO);
	coffer_request_terminal(running, stream_terminals(0));
	stream_hold_signals(forwarded, ARRAY_LEN(forwarded));
	(void)sigaction(SIGINT, &interrupt, NULL);
	(void)sigaction(SIGTERM, &interrupt, NULL);
	debug(line, "Command: ", argv[2]);
	if (coffer_run(running, &outcome, &error) < 0)
		return interrupted ? 0 : fail(error.text);
	if (coffer_outcome_message(outcome))
		fprintf(stderr, "Error: %s\n", coffer_outcome_message(outcome));
	(void)coffer_record_write(coffer, outcome, &error);        /* for `coffer why` */
	exit(interrupted ? 0 : coffer_outcome_exit_code(outcome)); /* as in coffer run, nothing is freed */
}

static int carry_out(struct line *line)
{
	struct coffer_policy *policy;
	struct coffer_error error;
	const char *command = line->command ? line->command : join(line);
	const char *const argv[] = { find_shell(line), "-c", command, NULL };
	int r;

	if (coffer_policy_new_srt(&policy, &error) < 0)
		return fail(error.text);
	r = read_settings(line, policy);
	if (r != 0)
		return r;
	if (!command || !*command)
		return fail("No command specified. Use -c <command> or provide command arguments.");
	return argv[0] ? run(line, policy, argv) : fail("Shell 'bash' not found in PATH");
}

int srt_main(const char *const *argv)
{
	struct line line = { 0 };

	arena_init(&line.arena, SRT_ARENA_MAX);
	if (parse(&line, argv) < 0)
		return SRT_FAILED;
	if (line.version || line.help) {
		fputs(line.version ? version : help, stdout);
		if (line.version)
			fputc('\n', stdout);
		return fflush(stdout) == 0 ? 0 : SRT_FAILED;
	}
	return carry_out(&line); /* the process ends here: nothing is freed */
}

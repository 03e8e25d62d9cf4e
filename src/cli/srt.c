/*
 * `srt`: the same binary under the name of Anthropic's sandbox runtime, for those who call that today. Flags, messages and exit statuses are
 * srt's (0.0.83), settings are srt's documents, and the sandbox is coffer's.
 *
 * As in srt an unknown option is no mistake but a word of the command, wherever it stands; the known ones are taken out of the line even
 * behind the command's name. Words are quoted one by one for the shell, `-c` is handed to it as it is. A single word is a whole command line, as
 * srt's documents show it, unless it is the path of a program.
 */
#include "cli/srt.h"

#include "base/own.h"
#include "base/str.h"
#include "cli/say.h"
#include "cli/stream.h"
#include "sys/fd.h"

#include <coffer.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SRT_ARENA_MAX = 16 << 20, SRT_COMMAND_MAX = 8 << 20 };

static const char version[] = "0.0.83";
static const char help[] = "Usage: srt [options] [command] [command...]\n"
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
			   "  --control-fd <fd>      read config updates from an inherited file descriptor >= 3\n"
			   "  -h, --help             display help for command\n"
			   "\n"
			   "Commands:\n"
			   "  proxy [args...]        Run only the HTTP proxy, deciding every request through an\n"
			   "                         external decider on inherited fds.\n";

/* ---- the line ---- */

enum srt_option { SRT_NONE, SRT_DEBUG, SRT_SETTINGS, SRT_COMMAND, SRT_CONTROL, SRT_VERSION, SRT_HELP };

static const struct {
	enum srt_option option;
	const char *brief, *name, *argument, *shown;
} known[] = {
	{ SRT_DEBUG, "-d", "--debug", NULL, "-d, --debug" },      { SRT_SETTINGS, "-s", "--settings", "<path>", "-s, --settings <path>" },
	{ SRT_COMMAND, "-c", NULL, "<command>", "-c <command>" }, { SRT_VERSION, "-V", "--version", NULL, "-V, --version" },
	{ SRT_HELP, "-h", "--help", NULL, "-h, --help" },         { SRT_CONTROL, NULL, "--control-fd", "<fd>", "--control-fd <fd>" },
};

void srt_add_word(struct srt_line *line, struct text_vec *list, const char *word)
{
	const char **slot = text_vec_add(list, &line->arena);

	if (slot)
		*slot = word;
}

static void take(struct srt_line *line, size_t i, const char *value)
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
	case SRT_CONTROL:
		line->control = value;
		break;
	case SRT_VERSION:
		line->version = true;
		break;
	default:
		line->help = true;
	}
}

static bool is_option(size_t i, const char *word, const char **ret_value)
{
	const char *brief = known[i].brief, *name = known[i].name;
	size_t n = name ? strlen(name) : 0;

	*ret_value = NULL;
	if ((brief && strcmp(word, brief) == 0) || (n && strcmp(word, name) == 0))
		return true;
	if (!known[i].argument)
		return false;
	if (brief && strncmp(word, brief, 2) == 0)
		*ret_value = word + 2;
	else if (n && strncmp(word, name, n) == 0 && word[n] == '=')
		*ret_value = word + n + 1;
	return *ret_value;
}

/* Which option a word is, and its argument when that is in the same word (-cX, --settings=X). ARRAY_LEN(known): none. */
static size_t match(const char *word, const char **ret_value)
{
	size_t i = 0;

	while (i < ARRAY_LEN(known) && !is_option(i, word, ret_value))
		i++;
	return i;
}

/* -dc X is -d -c X. The help option is none of those that can stand together, as in srt. */
static const char *take_flags(struct srt_line *line, const char *word)
{
	while (word && word[0] == '-' && (word[1] == 'd' || word[1] == 'V') && word[2]) {
		if (word[1] == 'd')
			line->debug = true;
		else
			line->version = true;
		word = arena_printf(&line->arena, "-%s", word + 2);
	}
	return word;
}

/* A word that is none of srt's own. From the first unknown option on, all of them are one list. */
static void take_word(struct srt_line *line, const char *word)
{
	bool unknown = line->unknown.n > 0 || (word[0] == '-' && word[1]);

	srt_add_word(line, unknown ? &line->unknown : &line->operands, word);
}

/* Behind "--" all are words. It is one itself when the command has begun with an option. */
static void take_rest(struct srt_line *line, const char *const *words)
{
	struct text_vec *list = line->unknown.n > 0 ? &line->unknown : &line->operands;

	if (list == &line->unknown)
		srt_add_word(line, list, "--");
	for (; *words; words++)
		srt_add_word(line, list, *words);
}

/* As commander says it: a number of digits, and none of the standard streams'. */
static bool is_control(const char *value)
{
	return value[0] && !value[strspn(value, "0123456789")] && (strlen(value) > 1 || value[0] > '2');
}

static int refuse_option(const char *shown, const char *text)
{
	fprintf(stderr, "error: option '%s' argument %s\n", shown, text);
	return SRT_FAILED;
}

static int take_checked(struct srt_line *line, size_t i, const char *value)
{
	if (known[i].argument && !value)
		return refuse_option(known[i].shown, "missing");
	take(line, i, value);
	if (known[i].option != SRT_CONTROL || !value || is_control(value))
		return SRT_GOES_ON;
	return refuse_option(known[i].shown,
	                     arena_printf(&line->arena,
	                                  "'%s' is invalid. must be an integer file descriptor >= 3 (0-2 are stdin, stdout and stderr).",
	                                  value));
}

static int parse(struct srt_line *line, const char *const *argv)
{
	int r = SRT_GOES_ON;

	for (; r == SRT_GOES_ON && *argv && strcmp(*argv, "--") != 0; argv++) {
		const char *value, *flags = take_flags(line, *argv), *word = flags ? flags : *argv;
		size_t i = match(word, &value);

		if (i == ARRAY_LEN(known)) {
			take_word(line, word);
			continue;
		}
		if (known[i].argument && !value && argv[1])
			value = *++argv;
		r = take_checked(line, i, value);
	}
	if (r == SRT_GOES_ON && *argv)
		take_rest(line, argv + 1);
	return r;
}

/* ---- the command ---- */

/* A whole command line in quotes. The path of a program is one, blanks and all. */
static bool is_line(const struct srt_line *line)
{
	const char *word = line->operands.n ? line->operands.at[0] : NULL;

	return word && line->operands.n + line->unknown.n == 1 && (!strchr(word, '/') || access(word, X_OK) < 0);
}

static const char *join(struct srt_line *line)
{
	const struct text_vec *lists[] = { &line->operands, &line->unknown };
	autostr struct str out = { 0 };

	str_init(&out, SRT_COMMAND_MAX);
	if (is_line(line))
		return line->operands.at[0];
	for (unsigned i = 0; i < 2; i++)
		for (size_t k = 0; k < lists[i]->n; k++) {
			if (out.len)
				str_add_char(&out, ' ');
			if (line->py)
				str_add(&out, lists[i]->at[k]);
			else
				str_add_shell(&out, lists[i]->at[k]);
		}
	return out.failed ? NULL : arena_dup_n(&line->arena, out.text, out.len);
}

static const char *find_shell(struct srt_line *line)
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

void srt_debug(const struct srt_line *line, const char *text, const char *more)
{
	if (line->debug)
		fprintf(stderr, "[SandboxDebug] %s%s\n", text, more);
}

/* The status of an srt that was told to stop: npm's ends as if all were well, the port as a shell says it. */
static int interrupted_status(const struct srt_line *line)
{
	return line->py ? 128 + interrupted : 0;
}

static int fail(const char *text)
{
	fprintf(stderr, "Error: %s\n", text);
	return SRT_FAILED;
}

/*
 * COFFER_SRT_OUTCOME names a file, to which the outcome is added as a line of JSON: how the SDKs learn what was refused. Its directory is not
 * for the sandbox, whatever is: a link there would lead the next line astray. -1: none.
 */
static int open_outcome(struct coffer_policy *policy, int *ret_fd, struct coffer_error *error)
{
	const char *path = getenv("COFFER_SRT_OUTCOME"), *slash = path ? strrchr(path, '/') : NULL;
	autofree char *folder = slash && slash > path ? strndup(path, (size_t)(slash - path)) : NULL;

	*ret_fd = -1;
	if (!path || !*path)
		return 0;
	*ret_fd = folder ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0600) : -1;
	if (*ret_fd >= 0)
		return coffer_policy_deny_write(policy, folder, error);
	*error =
	    (struct coffer_error){ .code = COFFER_ERROR_USAGE, .text = "COFFER_SRT_OUTCOME: not the path of a file that can be written" };
	return -1;
}

static void write_outcome(int fd, const struct coffer_outcome *outcome)
{
	struct coffer_error error;
	char *text = NULL;

	if (fd >= 0 && coffer_outcome_text(outcome, COFFER_JSON, &text, &error) == 0)
		(void)fd_write_all(fd, text, strlen(text)); /* the command has run: too late to refuse anything */
}

static int add_variables(struct coffer_policy *policy, struct coffer_error *error)
{
	static const char *const variables[][2] = { { "SANDBOX_RUNTIME", "1" },     { "COFFER", NULL },
		                                    { "COFFER_SRT_DECIDER", NULL }, { "COFFER_SRT_OUTCOME", NULL },
		                                    { "COFFER_SRT_PROFILE", NULL }, { "COFFER_SRT_SETTINGS", NULL } };
	const char *code = getenv("CLAUDE_CODE_TMPDIR"), *tmpdir = code && *code ? code : getenv("CLAUDE_TMPDIR");
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(variables) && r == 0; i++)
		r = coffer_policy_variable(policy, variables[i][0], variables[i][1], error);
	return r == 0 && tmpdir && *tmpdir ? coffer_policy_variable(policy, "TMPDIR", tmpdir, error) : r;
}

static int run(struct srt_line *line, struct coffer_policy *policy, const char *const *argv)
{
	static const int forwarded[] = { SIGWINCH, SIGCONT, SIGTSTP };
	const struct sigaction interrupt = { .sa_handler = on_interrupt };
	struct coffer *coffer;
	struct coffer_outcome *outcome;
	struct coffer_error error;
	int outcome_fd = -1, r = add_variables(policy, &error);

	if (r == 0)
		r = open_outcome(policy, &outcome_fd, &error);
	if (r == 0)
		r = srt_decider_open(policy, &error);
	if (r == 0)
		r = coffer_new(&coffer, &error);
	if (r == 0)
		r = coffer_request_new(coffer, policy, argv, &running, &error);
	if (r == 0)
		r = srt_decider_join(running, &error);
	if (r == 0)
		r = coffer_request_forward(running, forwarded, ARRAY_LEN(forwarded), &error);
	if (r < 0)
		return fail(error.text);
	coffer_request_streams(running, STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO);
	coffer_request_terminal(running, stream_terminals(0));
	srt_control_join(running);
	stream_hold_signals(forwarded, ARRAY_LEN(forwarded));
	(void)sigaction(SIGINT, &interrupt, NULL);
	(void)sigaction(SIGTERM, &interrupt, NULL);
	srt_debug(line, "Command: ", argv[2]);
	if (coffer_run(running, &outcome, &error) < 0)
		return interrupted ? interrupted_status(line) : fail(error.text);
	if (coffer_outcome_message(outcome))
		fprintf(stderr, "Error: %s\n", coffer_outcome_message(outcome));
	write_outcome(outcome_fd, outcome);
	(void)coffer_record_write(coffer, outcome, &error);                               /* for `coffer why` */
	exit(interrupted ? interrupted_status(line) : coffer_outcome_exit_code(outcome)); /* as in coffer run, nothing is freed */
}

/* What srt has beside the sandbox, and this version or this system has not. */
static int refuse_subcommand(const struct srt_line *line)
{
	static const char *const names[][2] = {
		{ "windows-install", "windows-install is for Windows" },
		{ "windows-uninstall", "windows-uninstall is for Windows" },
	};

	for (size_t i = 0; !line->py && line->operands.n && i < ARRAY_LEN(names); i++)
		if (strcmp(line->operands.at[0], names[i][0]) == 0)
			return fail(names[i][1]);
	return SRT_GOES_ON;
}

/* The port says what it runs, and nothing else of its own. */
static int announce(const struct srt_line *line, const char *command)
{
	if (!line->py)
		return SRT_GOES_ON;
	printf("Running: %s\n", command);
	return fflush(stdout) == 0 ? SRT_GOES_ON : SRT_FAILED;
}

static int carry_out(struct srt_line *line)
{
	struct coffer_policy *policy;
	struct coffer_error error;
	const char *command = line->command && *line->command ? line->command : join(line);
	const char *const argv[] = { find_shell(line), "-c", command, NULL };
	int r;

	if (coffer_policy_new_srt(&policy, &error) < 0)
		return fail(error.text);
	r = srt_read_settings(line, policy);
	if (r != SRT_GOES_ON)
		return r;
	r = line->control ? srt_control_open(line) : SRT_GOES_ON;
	if (r != SRT_GOES_ON)
		return r;
	if (!command || !*command)
		return fail("No command specified. Use -c <command> or provide command arguments.");
	if (!argv[0])
		return fail("Shell 'bash' not found in PATH");
	r = announce(line, command);
	return r == SRT_GOES_ON ? run(line, policy, argv) : r;
}

static int show(const char *text, const char *end)
{
	fputs(text, stdout);
	fputs(end, stdout);
	return fflush(stdout) == 0 ? 0 : SRT_FAILED;
}

/* By its name, or by a variable for those who cannot choose the name that it is called by. */
static int choose_profile(bool *py)
{
	const char *word = getenv("COFFER_SRT_PROFILE");

	if (!word || !*word || strcmp(word, "npm") == 0)
		return SRT_GOES_ON;
	*py = strcmp(word, "py") == 0;
	return *py ? SRT_GOES_ON : fail("COFFER_SRT_PROFILE: found another word, allowed npm or py");
}

/* The option is a variable for what runs inside, and the variable is as good as the option. */
static void settle_debug(struct srt_line *line)
{
	const char *name = line->py ? "DEBUG" : "SRT_DEBUG", *value = getenv(name);

	if (line->debug)
		(void)setenv(name, "true", 1);
	line->debug = line->debug || (value && *value);
}

int srt_proxy_called(const char *const *argv)
{
	struct srt_line line = { 0 };

	arena_init(&line.arena, SRT_ARENA_MAX);
	return srt_proxy_main(&line, argv);
}

/* Its options are its own, but for the version, which is srt's wherever it stands. */
static bool is_proxy(const char *const *argv)
{
	if (!argv[0] || strcmp(argv[0], "proxy") != 0)
		return false;
	for (; *argv; argv++)
		if (strcmp(*argv, "--version") == 0)
			return false;
	return true;
}

int srt_main(const char *const *argv, bool py)
{
	struct srt_line line = { 0 };
	int r = choose_profile(&py);

	if (r != SRT_GOES_ON)
		return r;
	line.py = py;
	arena_init(&line.arena, SRT_ARENA_MAX);
	if (!py && is_proxy(argv))
		return srt_proxy_main(&line, argv + 1);
	r = py ? srt_py_parse(&line, argv) : parse(&line, argv);
	if (line.version && !py)
		return show(version, "\n");
	if (r != SRT_GOES_ON)
		return r;
	if (line.help)
		return show(help, "");
	settle_debug(&line);
	r = refuse_subcommand(&line);
	return r == SRT_GOES_ON ? carry_out(&line) : r; /* the process ends here: nothing is freed */
}

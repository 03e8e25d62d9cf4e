/* `coffer session start`, `attach`, `ps`, `logs` and `stop`: commands that nobody waits for. */
#include "cli/command.h"
#include "cli/say.h"

#include "sys/fd.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { GRACE_MS = 5000, LOG_BYTES_MOST = 64 << 20, ROWS_DEFAULT = 24, COLUMNS_DEFAULT = 80 };

/* The session of the first word, while something is done there. */
struct opened {
	struct coffer *coffer;
	struct coffer_session *session;
};

static void close_it(struct opened *opened)
{
	coffer_session_free(opened->session);
	coffer_free(opened->coffer);
}

static int open_it(const struct options *options, size_t words, struct opened *ret_opened)
{
	struct opened opened = { NULL, NULL };
	struct coffer_error error;
	if (options->words.n < words) {
		say("%s: coffer %s %s", options->command->name, options->command->name, options->command->arguments);
		return -EINVAL;
	}
	int r = coffer_new(&opened.coffer, &error);
	if (r == 0)
		r = coffer_session_open(opened.coffer, options->words.at[0], &opened.session, &error);
	if (r < 0) {
		say_error(&error);
		close_it(&opened);
		return r;
	}
	*ret_opened = opened;
	return 0;
}

static int finish(struct opened *opened, int r, const struct coffer_error *error)
{
	if (r < 0)
		say_error(error);
	close_it(opened);
	return r < 0 ? EXIT_FAILED : EXIT_FINE;
}

static void give(char *text)
{
	(void)fd_write_all(STDOUT_FILENO, text, strlen(text));
	if (*text && text[strlen(text) - 1] != '\n')
		(void)fd_write_all(STDOUT_FILENO, "\n", 1);
	coffer_text_free(text);
}

/* That of the terminal from which it is started; whoever attaches brings his own. */
static void choose_size(struct coffer_process_options *wanted)
{
	struct winsize size = { .ws_row = 0 };
	bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col;
	wanted->rows = known ? size.ws_row : ROWS_DEFAULT;
	wanted->columns = known ? size.ws_col : COLUMNS_DEFAULT;
}

int command_session_start(const struct options *options)
{
	struct opened opened;
	struct coffer_error error;
	struct coffer_process_options wanted = { .size = sizeof(wanted), .directory = options->value[OPTION_CWD] };
	char *text = NULL;
	if (open_it(options, 2, &opened) < 0)
		return EXIT_FAILED;
	wanted.argv = options->argv + (strcmp(options->argv[1], "--") == 0 ? 2 : 1);
	wanted.environment = options->variables.n ? options->variables.at : NULL;
	if (options->given[OPTION_TTY])
		choose_size(&wanted);
	int r = coffer_process_start(opened.session, &wanted, &text, &error);
	if (r == 0)
		give(text);
	return finish(&opened, r, &error);
}

int command_session_ps(const struct options *options)
{
	struct opened opened;
	struct coffer_error error;
	char *text = NULL;
	if (open_it(options, 1, &opened) < 0)
		return EXIT_FAILED;
	int r = coffer_process_text(opened.session, options->words.n > 1 ? options->words.at[1] : NULL, &text, &error);
	if (r == 0)
		give(text);
	return finish(&opened, r, &error);
}

static int show_log(struct coffer_session *session, const char *name, int stream, struct coffer_error *error)
{
	struct coffer_process_log log = { .stream = stream, .most = LOG_BYTES_MOST };
	int r = coffer_process_log_read(session, name, &log, error);
	if (r < 0)
		return r;
	(void)fd_write_all(stream, log.bytes, log.n);
	coffer_text_free(log.bytes);
	return 0;
}

int command_session_logs(const struct options *options)
{
	struct opened opened;
	struct coffer_error error;
	if (open_it(options, 2, &opened) < 0)
		return EXIT_FAILED;
	int r = show_log(opened.session, options->words.at[1], STDOUT_FILENO, &error);
	if (r == 0)
		r = show_log(opened.session, options->words.at[1], STDERR_FILENO, &error);
	return finish(&opened, r, &error);
}

int command_session_stop_process(const struct options *options)
{
	struct opened opened;
	struct coffer_error error;
	int r = open_it(options, 2, &opened);
	if (r < 0)
		return EXIT_FAILED;
	for (size_t i = 1; r == 0 && i < options->words.n; i++)
		r = coffer_process_stop(opened.session, options->words.at[i], GRACE_MS, &error);
	return finish(&opened, r, &error);
}

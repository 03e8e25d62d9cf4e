/* `coffer session start`, `attach`, `ps`, `logs` and `stop-process`: commands that nobody waits for. */
#include "cli/say.h"
#include "cli/session.h"

#include "sys/fd.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { GRACE_MS = 5000, LOG_BYTES_MOST = 64 << 20, ROWS_DEFAULT = 24, COLUMNS_DEFAULT = 80 };

/* That of the terminal from which it is started; whoever attaches brings his own. */
static void choose_size(struct coffer_process_options *wanted)
{
	struct winsize size = { .ws_row = 0 };
	bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col;
	wanted->rows = known ? size.ws_row : ROWS_DEFAULT;
	wanted->columns = known ? size.ws_col : COLUMNS_DEFAULT;
}

static int start(const struct session_deed *what, struct coffer_error *error)
{
	const struct options *options = what->options;
	struct coffer_process_options wanted = { .size = sizeof(wanted),
		                                 .directory = options->value[OPTION_CWD],
		                                 .argv = options->argv + (strcmp(options->argv[1], "--") == 0 ? 2 : 1),
		                                 .environment = options->variables.n ? options->variables.at : NULL };
	char *text = NULL;
	if (options->given[OPTION_TTY])
		choose_size(&wanted);
	int r = coffer_process_start(what->session, &wanted, &text, error);
	if (r == 0)
		give_text(text);
	return r;
}

int command_session_start(const struct options *options)
{
	return with_session(options, 2, start);
}

static int show_processes(const struct session_deed *what, struct coffer_error *error)
{
	const struct text_vec *words = &what->options->words;
	char *text = NULL;
	int r = coffer_process_text(what->session, words->n > 1 ? words->at[1] : NULL, &text, error);
	if (r == 0)
		give_text(text);
	return r;
}

int command_session_ps(const struct options *options)
{
	return with_session(options, 1, show_processes);
}

static int show_log(const struct session_deed *what, int stream, struct coffer_error *error)
{
	struct coffer_process_log log = { .stream = stream, .most = LOG_BYTES_MOST };
	int r = coffer_process_log_read(what->session, what->options->words.at[1], &log, error);
	if (r < 0)
		return r;
	(void)fd_write_all(stream, log.bytes, log.n);
	coffer_text_free(log.bytes);
	return 0;
}

static int show_logs(const struct session_deed *what, struct coffer_error *error)
{
	int r = show_log(what, STDOUT_FILENO, error);
	return r < 0 ? r : show_log(what, STDERR_FILENO, error);
}

int command_session_logs(const struct options *options)
{
	return with_session(options, 2, show_logs);
}

static int stop(const struct session_deed *what, struct coffer_error *error)
{
	const struct text_vec *words = &what->options->words;
	int r = 0;
	for (size_t i = 1; r == 0 && i < words->n; i++)
		r = coffer_process_stop(what->session, words->at[i], GRACE_MS, error);
	return r;
}

int command_session_stop_process(const struct options *options)
{
	return with_session(options, 2, stop);
}

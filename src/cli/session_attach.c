/* `coffer session attach`: a terminal in front of a command that goes on without it. */
#include "cli/command.h"
#include "cli/keys.h"
#include "cli/say.h"
#include "cli/stream.h"

#include "base/num.h"
#include "base/vec.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

enum { REPLAY_DEFAULT = 64 << 10 };
static const char detach_default[] = "ctrl-p,ctrl-q";

/* A new size, and what would end this process: the command is none of that process's business. */
static const int taken[] = { SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGQUIT };

static int read_options(const struct options *options, char keys[KEYS_MAX], struct coffer_attach_options *wanted)
{
	const char *text = options->value[OPTION_DETACH], *replay = options->value[OPTION_REPLAY];
	if (keys_read(text ? text : detach_default, keys, &wanted->detach_bytes) < 0) {
		say("session attach: --detach-keys takes up to %d keys such as ctrl-p,ctrl-q or ctrl-a,d, not \"%s\"", KEYS_MAX, text);
		return -EINVAL;
	}
	wanted->detach_keys = keys;
	wanted->replay_bytes = REPLAY_DEFAULT;
	if (replay && num_size(replay, &wanted->replay_bytes) < 0) {
		say("session attach: --replay takes a size such as 64K or 1M, not \"%s\"", replay);
		return -EINVAL;
	}
	return 0;
}

static int attach(const struct options *options, struct coffer_session *session, struct coffer_error *error)
{
	char keys[KEYS_MAX];
	struct coffer_attach_options wanted = { .size = sizeof(wanted),
		                                .input = STDIN_FILENO,
		                                .output = STDOUT_FILENO,
		                                .errors = STDERR_FILENO,
		                                .signals = taken,
		                                .signals_n = sizeof(taken) / sizeof(*taken) };
	const char *number = options->words.n > 1 ? options->words.at[1] : NULL;
	struct coffer_attached attached;
	if (read_options(options, keys, &wanted) < 0)
		return EXIT_FAILED;
	stream_hold_signals(taken, wanted.signals_n);
	if (coffer_process_attach(session, number, &wanted, &attached, error) < 0) {
		say_error(error);
		return EXIT_FAILED;
	}
	if (attached.lost_bytes)
		say("session attach: %llu bytes went faster than they were read here, and are missing",
		    (unsigned long long)attached.lost_bytes);
	if (attached.status != COFFER_DETACHED)
		return attached.status;
	if (isatty(STDERR_FILENO))
		say("detached; `coffer session attach %s%s%s` comes back", options->words.at[0], number ? " " : "", number ? number : "");
	return EXIT_FINE;
}

int command_session_attach(const struct options *options)
{
	struct coffer *coffer = NULL;
	struct coffer_session *session = NULL;
	struct coffer_error error;
	int status = EXIT_FAILED;
	if (options->words.n == 0 || options->words.n > 2) {
		say("session attach: which? `coffer session attach NAME [NUMBER]`; `coffer session ps NAME` shows the numbers");
		return EXIT_FAILED;
	}
	if (coffer_new(&coffer, &error) < 0 || coffer_session_open(coffer, options->words.at[0], &session, &error) < 0)
		say_error(&error);
	else
		status = attach(options, session, &error);
	coffer_session_free(session);
	coffer_free(coffer);
	return status;
}

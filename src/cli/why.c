#include "cli/command.h"
#include "cli/say.h"
#include "sys/fd.h"

#include <string.h>
#include <unistd.h>

static int print(const struct coffer_outcome *outcome, enum coffer_format format, struct coffer_error *error)
{
	char *text = NULL;
	int r = coffer_outcome_text(outcome, format, &text, error);
	if (r == 0)
		r = fd_write_all(STDOUT_FILENO, text, strlen(text));
	coffer_text_free(text);
	return r;
}

int command_why(const struct options *options)
{
	struct coffer *coffer = NULL;
	struct coffer_outcome *outcome = NULL;
	struct coffer_error error = { COFFER_ERROR_NONE, 0, "", "standard output cannot be written" };
	if (options->words.n > 1) {
		say("why: one run at a time: `coffer why %s`", options->words.at[0]);
		return EXIT_FAILED;
	}
	int r = coffer_new(&coffer, &error);
	if (r == 0)
		r = coffer_record_read(coffer, options->argv[0], &outcome, &error);
	if (r == 0)
		r = print(outcome, options->given[OPTION_JSON] ? COFFER_JSON : COFFER_TEXT, &error);
	coffer_outcome_free(outcome);
	coffer_free(coffer);
	if (r < 0)
		say_error(&error);
	return r < 0 ? EXIT_FAILED : EXIT_FINE;
}

#include "cli/command.h"
#include "cli/request.h"
#include "cli/say.h"
#include "sys/fd.h"

#include <string.h>
#include <unistd.h>

int command_explain(const struct options *options)
{
	struct cli_request made = { NULL, NULL, NULL, NULL };
	struct coffer_error error;
	char *text = NULL;
	if (request_make(options, &made, &error) < 0)
		return EXIT_FAILED;
	int r = coffer_explain(made.request, options->given[OPTION_JSON] ? COFFER_JSON : COFFER_TEXT, &text, &error);
	if (r < 0)
		say_error(&error);
	else if (fd_write_all(STDOUT_FILENO, text, strlen(text)) < 0)
		r = -1;
	coffer_text_free(text);
	request_done(&made);
	return r < 0 ? EXIT_FAILED : EXIT_FINE;
}

#include "cli/command.h"
#include "cli/request.h"
#include "cli/say.h"
#include "sys/fd.h"

#include <string.h>
#include <unistd.h>

int request_explain(const struct options *options, int (*make)(const struct options *, struct cli_request *, struct coffer_error *))
{
	struct cli_request made = { NULL, NULL, NULL, NULL };
	struct coffer_error error;
	char *text = NULL;
	if (make(options, &made, &error) < 0)
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

int command_explain(const struct options *options)
{
	return request_explain(options, request_make);
}

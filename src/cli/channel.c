#include "channel/channel.h"
#include "cli/command.h"
#include "cli/say.h"

int command_channel(const struct options *options)
{
	struct coffer *coffer = NULL;
	struct coffer_error error;
	struct err err = { 0 };
	int r;

	if (options->words.n) {
		say("channel: takes no words, and \"%s\" is one", options->words.at[0]);
		return EXIT_FAILED;
	}
	if (coffer_new(&coffer, &error) < 0) {
		say_error(&error);
		return EXIT_FAILED;
	}
	r = channel_serve(coffer, options->value[OPTION_LISTEN], &err);
	if (r < 0)
		say("channel: %s", err.text);
	coffer_free(coffer);
	return r < 0 ? EXIT_FAILED : EXIT_FINE;
}

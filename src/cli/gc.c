#include "cli/command.h"
#include "cli/say.h"

int command_gc(const struct options *options)
{
	(void)options;
	struct coffer *coffer = NULL;
	struct coffer_error error;
	int n = coffer_new(&coffer, &error);
	if (n == 0)
		n = coffer_gc(coffer, &error);
	coffer_free(coffer);
	if (n < 0) {
		say_error(&error);
		return EXIT_FAILED;
	}
	say(n ? "cleared what %d run%s or session%s left" : "nothing to clear", n, n == 1 ? "" : "s", n == 1 ? "" : "s");
	return EXIT_FINE;
}

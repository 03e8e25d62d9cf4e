#include "cli/command.h"
#include "cli/say.h"

#include <string.h>
#include <unistd.h>

int command_version(const struct options *options)
{
	(void)options;
	const char *version = coffer_version();
	return say_write(STDOUT_FILENO, "coffer ", 7) || say_write(STDOUT_FILENO, version, strlen(version)) ||
	               say_write(STDOUT_FILENO, "\n", 1)
	           ? EXIT_FAILED
	           : EXIT_FINE;
}

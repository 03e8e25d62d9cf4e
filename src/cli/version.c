#include "cli/command.h"
#include "sys/fd.h"

#include <string.h>
#include <unistd.h>

int command_version(const struct options *options)
{
	(void)options;
	const char *version = coffer_version();
	return fd_write_all(STDOUT_FILENO, "coffer ", 7) || fd_write_all(STDOUT_FILENO, version, strlen(version)) ||
	               fd_write_all(STDOUT_FILENO, "\n", 1)
	           ? EXIT_FAILED
	           : EXIT_FINE;
}

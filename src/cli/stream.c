#include "cli/stream.h"

#include <coffer.h>
#include <signal.h>
#include <unistd.h>

unsigned stream_terminals(int all)
{
	static const unsigned bits[] = { COFFER_TERMINAL_INPUT, COFFER_TERMINAL_OUTPUT, COFFER_TERMINAL_ERRORS };
	unsigned streams = 0;
	for (int fd = 0; fd < 3; fd++)
		if (all || isatty(fd))
			streams |= bits[fd];
	return streams;
}

void stream_hold_signals(const int *signals, size_t n)
{
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < n; i++)
		sigaddset(&set, signals[i]);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

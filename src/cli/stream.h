/* stream.h: this process's standard streams and signals, as a run takes them over. */
#ifndef COFFER_CLI_STREAM_H
#define COFFER_CLI_STREAM_H

#include <stddef.h>

/* Which of them are terminals, as COFFER_TERMINAL_ bits; all of them when `all`. */
unsigned stream_terminals(int all);
/* So that the run can forward them. SIGPIPE is ignored from then on: an output that closes is an error, not an end. */
void stream_hold_signals(const int *signals, size_t n);

#endif

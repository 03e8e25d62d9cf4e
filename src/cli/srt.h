/* srt.h: the personality of Anthropic's sandbox runtime, for a binary that is called by its name. */
#ifndef COFFER_CLI_SRT_H
#define COFFER_CLI_SRT_H

/* argv without the program's name. Returns the exit status. */
int srt_main(const char *const *argv);

#endif

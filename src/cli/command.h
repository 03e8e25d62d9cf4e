/*
 * command.h: what a command of the command line is. commands.c has the table; each command has a file of its own.
 */
#ifndef COFFER_CLI_COMMAND_H
#define COFFER_CLI_COMMAND_H

#include "cli/options.h"

/* Exit statuses of coffer's own. A command's own are passed on. */
enum { EXIT_FINE = 0, EXIT_UNWELL = 1, EXIT_FAILED = 125 };

struct command {
	const char *name;                          /* of one word or two */
	int (*run)(const struct options *options); /* returns the exit status */
	unsigned on;                               /* its bit in opts.def */
	bool takes_command;                        /* what is no option starts a command line, and ends the options */
	const char *arguments;                     /* "[options] [--] CMD [ARG…]" */
	const char *summary;                       /* one line */
	const char *examples;                      /* lines for --help, each indented */
};

extern const struct command commands[];

/* By one word or two; *ret_words says how many they were. NULL: there is none. next may be NULL. */
const struct command *command_find(const char *word, const char *next, int *ret_words);

int command_run(const struct options *options);
int command_code(const struct options *options);
int command_explain(const struct options *options);
int command_why(const struct options *options);
int command_doctor(const struct options *options);
int command_gc(const struct options *options);
int command_completion(const struct options *options);
int command_try(const struct options *options);
int command_diff(const struct options *options);
int command_apply(const struct options *options);
int command_discard(const struct options *options);
int command_session_create(const struct options *options);
int command_session_exec(const struct options *options);
int command_session_ls(const struct options *options);
int command_session_pause(const struct options *options);
int command_session_resume(const struct options *options);
int command_session_fork(const struct options *options);
int command_session_checkpoint(const struct options *options);
int command_session_checkout(const struct options *options);
int command_session_log(const struct options *options);
int command_session_bisect(const struct options *options);
int command_race(const struct options *options);
int command_session_start(const struct options *options);
int command_session_attach(const struct options *options);
int command_session_ps(const struct options *options);
int command_session_logs(const struct options *options);
int command_session_stop_process(const struct options *options);
int command_session_snapshot(const struct options *options);
int command_session_cp(const struct options *options);
int command_session_cat(const struct options *options);
int command_session_write(const struct options *options);
int command_session_rm(const struct options *options);
int command_channel(const struct options *options);
int command_verify(const struct options *options);
int command_version(const struct options *options);
int command_help(const struct options *options);

/* The help of one command on standard output; of coffer as a whole with NULL. */
void help_print(const struct command *command);

#endif

/* session.h: what the commands of `coffer session` have in common. */
#ifndef COFFER_CLI_SESSION_H
#define COFFER_CLI_SESSION_H

#include "cli/command.h"

/* One session, and what the command line says of it. */
struct session_deed {
	const struct options *options;
	struct coffer *coffer;
	struct coffer_session *session;
};

/*
 * Does something to the session that the first word names, if there are `words` words at least. What is wrong is said. The exit status: the deed's own, or
 * EXIT_FAILED where that is a negative errno.
 */
int with_session(const struct options *options, size_t words, int (*deed)(const struct session_deed *, struct coffer_error *));
/* `coffer session ls NAME [PATH…]`. */
int session_list_files(const struct session_deed *what, struct coffer_error *error);
/* Sets an error of usage: -EINVAL. */
int refuse_words(struct coffer_error *error, const char *text);
/* Prints a text that the library gave, ended with a newline, and frees it. */
void give_text(char *text);

#endif

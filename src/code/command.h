/*
 * command.h: how a snippet becomes a command. Pure: which programs there are is asked of the caller.
 *
 * A snippet that is no file which the run can read, and what goes with it, are files in one directory of the sandbox's own, CODE_DIRECTORY. No byte of a snippet or
 * of its arguments becomes part of a line that a shell reads, and its path stands there quoted.
 */
#ifndef COFFER_CODE_COMMAND_H
#define COFFER_CODE_COMMAND_H

#include "base/arena.h"
#include "base/err.h"
#include "base/vec.h"
#include "code/language.h"

#include <stdbool.h>

#define CODE_RESULTS "5"           /* the descriptor for them, in a run that has one */
#define CODE_DIRECTORY "/dev/code" /* /dev is a sandbox's own under every policy */

/* Where a program is; the path in the arena, or NULL: the sandbox has none of that name. */
struct code_programs {
	const char *(*find)(void *context, const char *name);
	void *context;
};

struct code_command {
	const char *const *argv; /* NULL-terminated, in the arena */
	const char *support;     /* what goes beside the snippet (support.h), or NULL */
};

/* May a file of the snippet's directory be called so? */
bool code_name_is_plain(const char *name);
/* What a snippet's file is called there: its own name where that is plain, else "main" with the language's suffix. NULL: out of memory. */
const char *code_file_name(const struct code_language *language, const char *name, struct arena *arena);

struct code_snippet {
	const struct code_language *language;
	const char *source;           /* its path inside, absolute */
	const char *const *arguments; /* NULL-terminated, borrowed; NULL: none */
	bool results;                 /* told as JSON lines, by the language's own program for that */
};

/* ERR_USAGE: the language has no results. ERR_NOTFOUND (ENOENT) where no way of running it has all that it needs: the text says what to install. */
int code_command(const struct code_snippet *snippet, const struct code_programs *programs, struct arena *arena,
                 struct code_command *ret_command, struct err *err);

#endif

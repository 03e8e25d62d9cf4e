/*
 * snippet.h: a snippet of code as the command of a run. How is src/code's matter; here is looked which programs a run of this policy would find.
 */
#ifndef COFFER_SESSION_SNIPPET_H
#define COFFER_SESSION_SNIPPET_H

#include "code/command.h"
#include "session/run.h"

/*
 * Of the request policy, env and cwd count. Strings that *ret_command names are in the arena, or the arguments'. ERR_NOTFOUND (ENOENT): what has to be installed, or is
 * hidden by the policy.
 */
int snippet_command(const struct session_request *request, const struct code_snippet *snippet, struct arena *arena,
                    struct code_command *ret_command, struct err *err);

/*
 * The file as the run sees it: the path in the arena where it lies in the working directory and can be read inside, so that what lies beside it is there too. NULL:
 * it has to be brought.
 */
const char *snippet_in_place(const struct session_request *request, const char *path, struct arena *arena);

/* Which of a language's programs would run it: the path in the arena, or NULL. */
const char *snippet_program(const struct session_request *request, const struct code_language *language, struct arena *arena);

#endif

/*
 * secrets.h: what a plan needs that is nobody's business: the authority of a sandbox whose TLS is opened, and the files that it must not have as
 * they are. Inputs of compile, gathered before it.
 */
#ifndef COFFER_SESSION_SECRETS_H
#define COFFER_SESSION_SECRETS_H

#include "compile/compile.h"

enum { SECRETS_FILE_MAX = 1 << 20 };

/*
 * Fills inputs->tls, seed and secret_files for a resolved policy; all in the arena. explained: nothing is made for a plan that nobody carries out. Errors
 * name the field.
 */
int secrets_gather(const struct policy *policy, bool explained, struct arena *arena, struct inputs *inputs, struct err *err);

#endif

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

/*
 * An authority that somebody has at hand, certificate and key in one text, once it has been looked at; and whom servers are verified against: whom this
 * machine trusts, and the certificates in the file `extra`, if it is there (NULL: none).
 */
int secrets_authority(const char *given, const char *extra, struct arena *arena, struct input_tls *ret_tls, struct err *err);

#endif

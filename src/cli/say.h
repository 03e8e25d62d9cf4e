/*
 * say.h: what coffer says to people, on standard error. Text of foreign origin is escaped on its way.
 */
#ifndef COFFER_CLI_SAY_H
#define COFFER_CLI_SAY_H

#include "base/str.h"

#include <coffer.h>

/* "coffer: …" and a newline. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* "coffer: WHERE: TEXT" in the colour of errors. */
void say_error(const struct coffer_error *error);
/* Each mistake that the policy's last failed call found, or `error` when it kept none. Returns how many lines that were. */
size_t say_problems(const struct coffer_policy *policy, const struct coffer_error *error);

enum say_tone { SAY_PLAIN, SAY_STRONG, SAY_GOOD, SAY_DOUBTFUL, SAY_BAD };
/* An escape sequence, or "" when fd is no terminal, NO_COLOR is set, or TERM says that there is no colour. */
const char *say_tone(int fd, enum say_tone tone);

#endif

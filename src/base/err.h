/*
 * err.h: what went wrong, as a value that the caller owns and that never allocates.
 *
 * Functions of `base` and `sys` return 0 or a negative errno and no text. Functions above return the
 * same int and take, last, a `struct err *` (may be NULL). The code, the errno, the place in the
 * policy and the text are set once, at the point of knowledge; each layer that passes it on may put
 * one prefix in front with err_wrap, so that a message reads from the outside in.
 */
#ifndef COFFER_BASE_ERR_H
#define COFFER_BASE_ERR_H

#include <stddef.h>

enum err_code {
	ERR_NONE = 0,
#define ERROR(code, exit_status, http_status, name, meaning) ERR_##code,
#include "base/errors.def"
#undef ERROR
	ERR_CODES_END
};

enum { ERR_WHERE_MAX = 256, ERR_TEXT_MAX = 1024 };

struct err {
	enum err_code code;
	int errnum;                /* positive errno, 0 when none applies */
	char where[ERR_WHERE_MAX]; /* "settings.json /filesystem/allowWrite/2", a flag, or "" */
	char text[ERR_TEXT_MAX];   /* never empty once code is set; control characters are escaped */
};

/* Forgets whatever err held. NULL is fine. */
void err_clear(struct err *err);

/* Fills err (which may be NULL) and returns -errnum, or -EINVAL when errnum is 0. */
int err_set(struct err *err, enum err_code code, int errnum, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Names the policy field, flag or file that the error is about, unless it is named already. */
void err_at(struct err *err, const char *where);

/* Puts "prefix: " in front of the text. Returns -errnum of err, or -EINVAL. */
int err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

const char *err_code_name(enum err_code code);
int err_exit_status(enum err_code code);
int err_http_status(enum err_code code);

#endif

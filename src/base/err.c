#include "base/err.h"

#include "base/utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name, *meaning;
	int exit_status, http_status;
} codes[ERR_CODES_END] = {
	[ERR_NONE] = { "none", "nothing went wrong", 0, 200 },
#define ERROR(code, exit_status, http_status, name, meaning) [ERR_##code] = { name, meaning, exit_status, http_status },
#include "base/errors.def"
#undef ERROR
};

static bool known(enum err_code code)
{
	return (unsigned)code < ERR_CODES_END;
}

const char *err_code_name(enum err_code code)
{
	return codes[known(code) ? code : ERR_INTERNAL].name;
}

int err_exit_status(enum err_code code)
{
	return codes[known(code) ? code : ERR_INTERNAL].exit_status;
}

int err_http_status(enum err_code code)
{
	return codes[known(code) ? code : ERR_INTERNAL].http_status;
}

/* Copies text in the form that a terminal may show; what does not fit ends in an ellipsis, never within a character. */
static void copy_shown(char *to, size_t room, const char *text)
{
	static const char ellipsis[] = "…";
	char shown[UTF8_SHOWN_MAX];
	size_t n = strlen(text), len = 0, cut = 0;

	for (size_t at = 0; at < n;) {
		at += utf8_show(text + at, n - at, shown);

		size_t add = strlen(shown);

		if (len + add >= room) {
			memcpy(to + cut, ellipsis, sizeof(ellipsis));
			return;
		}
		memcpy(to + len, shown, add);
		len += add;
		if (len + sizeof(ellipsis) <= room)
			cut = len;
	}
	to[len] = '\0';
}

void err_clear(struct err *err)
{
	if (err)
		*err = (struct err){ 0 };
}

int err_set(struct err *err, enum err_code code, int errnum, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX + 1]; /* one more than fits, so that the copy sees whether something was lost */
	va_list args;

	if (!err)
		return errnum ? -errnum : -EINVAL;

	va_start(args, fmt);
	if (vsnprintf(text, sizeof(text), fmt, args) < 0)
		text[0] = '\0';
	va_end(args);

	err_clear(err);
	err->code = code;
	err->errnum = errnum;
	copy_shown(err->text, sizeof(err->text), text[0] ? text : codes[known(code) ? code : ERR_INTERNAL].meaning);
	return errnum ? -errnum : -EINVAL;
}

void err_at(struct err *err, const char *where)
{
	if (err && where && !err->where[0])
		copy_shown(err->where, sizeof(err->where), where);
}

int err_wrap(struct err *err, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX * 2];
	va_list args;

	if (!err)
		return -EINVAL;
	if (err->code != ERR_NONE) {
		va_start(args, fmt);

		int len = vsnprintf(text, ERR_TEXT_MAX, fmt, args);

		va_end(args);
		len = len < 0 ? 0 : len < ERR_TEXT_MAX ? len : ERR_TEXT_MAX - 1;
		snprintf(text + len, sizeof(text) - (size_t)len, ": %s", err->text);
		copy_shown(err->text, sizeof(err->text), text);
	}
	return err->errnum ? -err->errnum : -EINVAL;
}

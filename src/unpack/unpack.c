#include "unpack/unpack.h"

#include "files/files.h"

#include <stdarg.h>
#include <stdio.h>

enum unpack_status unpack_fail(struct unpack *unpack, enum unpack_status status, int errnum, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list args;

	if (unpack->status != UNPACK_DONE && unpack->status != UNPACK_INCOMPLETE) /* which is the least of all */
		return unpack->status;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	unpack->status = status;
	(void)err_set(&unpack->err, status == UNPACK_LIMIT ? ERR_LIMIT : ERR_SETUP, errnum, "%s", text);
	return status;
}

bool unpack_out_of_time(const struct unpack *unpack)
{
	return files_now_ms() >= unpack->deadline_ms;
}

/*
 * fortify.c: three names that Debian's libjansson.a asks for and musl does not have.
 *
 * That archive was compiled for glibc with _FORTIFY_SOURCE, so its snprintf, vsnprintf and strncpy became checked calls that
 * know the room of the destination. These keep the check: a write that would not fit ends the program. Empty under glibc, which has its own.
 * tools/symbols tells when Jansson starts to need a fourth.
 */
#include <features.h>

#ifndef __GLIBC__

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

int __vsnprintf_chk(char *text, size_t n, int flag, size_t room, const char *fmt, va_list args) __attribute__((format(printf, 5, 0)));
int __snprintf_chk(char *text, size_t n, int flag, size_t room, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
char *__strncpy_chk(char *to, const char *from, size_t n, size_t room);

int __vsnprintf_chk(char *text, size_t n, int flag, size_t room, const char *fmt, va_list args)
{
	(void)flag;
	if (n > room)
		abort();
	return vsnprintf(text, n, fmt, args);
}

int __snprintf_chk(char *text, size_t n, int flag, size_t room, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	int length = __vsnprintf_chk(text, n, flag, room, fmt, args);
	va_end(args);
	return length;
}

/* strncpy as C defines it: the rest of n is filled with zeros. */
char *__strncpy_chk(char *to, const char *from, size_t n, size_t room)
{
	if (n > room)
		abort();

	size_t i = 0;
	for (; i < n && from[i]; i++)
		to[i] = from[i];
	for (; i < n; i++)
		to[i] = '\0';
	return to;
}

#endif

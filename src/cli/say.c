#include "cli/say.h"

#include "sys/fd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 16384 };

static bool coloured(int fd)
{
	const char *no = getenv("NO_COLOR");
	const char *term = getenv("TERM");
	return isatty(fd) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

const char *say_tone(int fd, enum say_tone tone)
{
	static const char *const sequences[] = {
		[SAY_PLAIN] = "\033[0m",     [SAY_STRONG] = "\033[1m", [SAY_GOOD] = "\033[32m",
		[SAY_DOUBTFUL] = "\033[33m", [SAY_BAD] = "\033[31m",
	};
	return coloured(fd) ? sequences[tone] : "";
}

void say(const char *fmt, ...)
{
	va_list args;
	autostr struct str text = { 0 }, line = { 0 };
	str_init(&text, LINE_MAX_BYTES);
	str_init(&line, LINE_MAX_BYTES);
	va_start(args, fmt);
	str_vprintf(&text, fmt, args);
	va_end(args);
	str_add(&line, "coffer: ");
	str_add_escaped(&line, text.text, text.len);
	str_add_char(&line, '\n');
	(void)fd_write_all(STDERR_FILENO, line.text, line.len);
}

void say_error(const struct coffer_error *error)
{
	autostr struct str line = { 0 };
	str_init(&line, LINE_MAX_BYTES);
	str_printf(&line, "%scoffer:%s ", say_tone(STDERR_FILENO, SAY_BAD), say_tone(STDERR_FILENO, SAY_PLAIN));
	if (*error->where) {
		str_add_escaped(&line, error->where, strlen(error->where));
		str_add(&line, ": ");
	}
	/* Escaped where it was made. */
	str_add(&line, error->text);
	str_add_char(&line, '\n');
	(void)fd_write_all(STDERR_FILENO, line.text, line.len);
}

size_t say_problems(const struct coffer_policy *policy, const struct coffer_error *error)
{
	size_t n = 0;
	for (const struct coffer_error *problem; (problem = coffer_policy_problem(policy, n)); n++)
		say_error(problem);
	if (n == 0)
		say_error(error);
	return n ? n : 1;
}

/*
 * The snippet-to-command step: byte 0 chooses the language (past the last: by the snippet itself); the rest is a name, an argument and the source, separated by NULs. Whatever they
 * are, what a shell reads depends on the language and on a plain file name alone, and arguments stay what they were.
 */
#include "fuzz.h"

#include "code/command.h"

#include <stdlib.h>
#include <string.h>

static void require(bool holds)
{
	if (!holds)
		abort();
}

static const char *find(void *context, const char *name)
{
	return arena_printf(context, "/p/%s", name);
}

static void make(const struct code_language *language, const char *file, const char *const *arguments, struct arena *arena,
                 const char *const **ret_argv)
{
	const struct code_programs programs = { find, arena };
	const struct code_snippet snippet = { language, arena_printf(arena, CODE_DIRECTORY "/%s", file), arguments, false };
	struct code_command command = { NULL, NULL };
	struct err err = { 0 };
	require(code_command(&snippet, &programs, arena, &command, &err) == 0);
	*ret_argv = command.argv;
}

/* The line for this file is the line for main.x with the names changed. */
static void check_line(const struct code_language *language, const char *line, const char *file, struct arena *arena)
{
	const char *const *argv = NULL;
	const char *at = strstr(line, file);
	make(language, "main.x", NULL, arena, &argv);
	size_t before = (size_t)(at - line);
	require(at && strncmp(line, argv[2], before) == 0);
	require(strncmp(argv[2] + before, "main.x", 6) == 0 && strcmp(at + strlen(file), argv[2] + before + 6) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	const char *const *argv = NULL;
	if (size == 0)
		return 0;
	arena_init(&arena, 8 << 20);
	const char *text = arena_dup_n(&arena, data + 1, size - 1), *end = text + size - 1;
	const char *name = text, *argument = name + strlen(name), *source = NULL;
	argument += argument < end;
	source = argument + strlen(argument);
	source += source < end;
	const struct code_language *language = code_language_at(data[0]);
	if (!language)
		language = code_language_of(name, source, (size_t)(end - source));
	if (language) {
		const char *const arguments[] = { argument, NULL };
		const char *file = code_file_name(language, name, &arena);
		require(code_name_is_plain(file));
		make(language, file, arguments, &arena, &argv);
		size_t n = 0;
		while (argv[n + 1])
			n++;
		require(argv[n] == argument && strncmp(argv[0], "/p/", 3) == 0);
		if (strcmp(argv[0], "/p/sh") == 0 && strcmp(argv[1], "-c") == 0)
			check_line(language, argv[2], file, &arena);
	}
	arena_done(&arena);
	return 0;
}

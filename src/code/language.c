#include "code/language.h"

#include "base/nearest.h"
#include "base/own.h"
#include "base/path.h"

#include <string.h>
#include <strings.h>

enum number {
#define LANGUAGE(id, names, suffixes, packages, image, results) id,
#define WAY(language, needs, build, command, support)
#include "code/languages.def"
#undef LANGUAGE
#undef WAY
};

static const struct code_language languages[] = {
#define LANGUAGE(id, names, suffixes, packages, image, results) [id] = { names, suffixes, packages, image, results },
#define WAY(language, needs, build, command, support)
#include "code/languages.def"
#undef LANGUAGE
#undef WAY
};

static const struct code_way ways[] = {
#define LANGUAGE(id, names, suffixes, packages, image, results)
#define WAY(language, needs, build, command, support) { language, needs, build, command, support },
#include "code/languages.def"
#undef LANGUAGE
#undef WAY
};

const struct code_language *code_language_at(size_t i)
{
	return i < ARRAY_LEN(languages) ? &languages[i] : NULL;
}

const struct code_way *code_way_at(const struct code_language *language, size_t i)
{
	for (size_t j = 0; j < ARRAY_LEN(ways); j++)
		if (ways[j].language == (int)(language - languages) && i-- == 0)
			return &ways[j];
	return NULL;
}

size_t code_word(const char *words, size_t i, char ret_word[CODE_NAME_MAX])
{
	for (;;) {
		size_t n = strcspn(words, " ");
		if (n == 0 || i-- == 0) {
			n = n < CODE_NAME_MAX ? n : CODE_NAME_MAX - 1;
			memcpy(ret_word, words, n);
			ret_word[n] = '\0';
			return n;
		}
		words += n + (words[n] == ' ');
	}
}

static int has_word(const char *words, const char *wanted)
{
	char word[CODE_NAME_MAX];
	for (size_t i = 0; code_word(words, i, word); i++)
		if (strcasecmp(word, wanted) == 0)
			return 1;
	return 0;
}

const struct code_language *code_language_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(languages); i++)
		if (has_word(languages[i].names, name))
			return &languages[i];
	return NULL;
}

const char *code_language_nearest(const char *name, char ret_word[CODE_NAME_MAX])
{
	struct nearest nearest = { .wanted = name };
	char word[CODE_NAME_MAX];
	for (size_t i = 0; i < ARRAY_LEN(languages); i++)
		for (size_t j = 0; code_word(languages[i].names, j, word); j++) {
			nearest_try(&nearest, word);
			if (nearest.word == word) {
				memcpy(ret_word, word, sizeof(word));
				nearest.word = ret_word;
			}
		}
	return nearest.word;
}

/* ---- by its file ---- */

/* "python3.11" is python3, and "lua5.4" itself. */
static const struct code_language *run_by(const char *program)
{
	char name[CODE_NAME_MAX];
	size_t n = strlen(program);
	for (size_t i = 0; i < ARRAY_LEN(ways); i++)
		if (has_word(ways[i].needs, program))
			return &languages[ways[i].language];
	if (n == 0 || n >= sizeof(name))
		return NULL;
	while (n > 1 && strchr("0123456789.-", program[n - 1]))
		n--;
	memcpy(name, program, n);
	name[n] = '\0';
	return code_language_named(name);
}

/* The next word of a line that ends at `end`; returns its length. */
static size_t next_word(const char **at, const char *end)
{
	size_t n = 0;
	while (*at < end && (**at == ' ' || **at == '\t'))
		++*at;
	while (*at + n < end && !strchr(" \t\r", (*at)[n]))
		n++;
	return n;
}

/* #!/usr/bin/env -S python3 -u: options and variables of env's own are passed over. */
static const struct code_language *of_first_line(const char *text, size_t n)
{
	const char *end = memchr(text, '\n', n), *at = text + 2;
	char program[PATH_NAME_MAX];
	if (n < 3 || text[0] != '#' || text[1] != '!')
		return NULL;
	end = end ? end : text + n;
	for (size_t length; (length = next_word(&at, end)) > 0; at += length) {
		const char *slash = memrchr(at, '/', length), *word = slash ? slash + 1 : at;
		size_t bytes = (size_t)(at + length - word);
		if (bytes == 0 || bytes >= sizeof(program) || *at == '-' || memchr(at, '=', length) || memchr(word, '\0', bytes))
			continue;
		memcpy(program, word, bytes);
		program[bytes] = '\0';
		if (strcmp(program, "env") != 0)
			return run_by(program);
	}
	return NULL;
}

static const struct code_language *of_suffix(const char *name)
{
	const char *dot = name ? strrchr(path_name(name), '.') : NULL;
	if (!dot || !dot[1])
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(languages); i++)
		if (has_word(languages[i].suffixes, dot + 1))
			return &languages[i];
	return NULL;
}

const struct code_language *code_language_of(const char *name, const char *text, size_t n)
{
	const struct code_language *language = n ? of_first_line(text, n) : NULL;
	return language ? language : of_suffix(name);
}

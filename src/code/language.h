/*
 * language.h: the languages that coffer runs snippets of, and how one of them is recognized. Pure: languages.def, read.
 */
#ifndef COFFER_CODE_LANGUAGE_H
#define COFFER_CODE_LANGUAGE_H

#include <stddef.h>

/* A way of running a snippet: languages.def has the columns. */
struct code_way {
	int language; /* number of its language */
	const char *needs, *build, *command, *support;
};

struct code_language {
	const char *names, *suffixes; /* words; the first counts most */
	const char *packages, *image, *results;
};

enum { CODE_NAME_MAX = 32 };

/* Language number i in the order of languages.def; NULL past the last. Way number i of a language, best first; NULL past the last. */
const struct code_language *code_language_at(size_t i);
const struct code_way *code_way_at(const struct code_language *language, size_t i);

/* Copies word number i of a list of words; returns its length, 0 past the last, and cuts what is longer than a name may be. */
size_t code_word(const char *words, size_t i, char ret_word[CODE_NAME_MAX]);

/* By its name or an alias, whatever the case. NULL: none is called so. */
const struct code_language *code_language_named(const char *name);
/* Among all names and aliases the one that `name` may be meant to be, or NULL. */
const char *code_language_nearest(const char *name, char ret_word[CODE_NAME_MAX]);
/*
 * By what a file is: its #! line, else its name's suffix. Either may be missing: name NULL, n 0. NULL: neither tells.
 */
const struct code_language *code_language_of(const char *name, const char *text, size_t n);

#endif

/*
 * regex.h: regular expressions as settings write them: the common part of JavaScript's, on bytes, found in time that is bounded by the length
 * of the expression times that of the text.
 *
 * Alternatives, groups (capturing, and `(?:`), `. ^ $ \b \B`, sets with ranges, `\d \w \s` and their opposites, `* + ? {n} {n,} {n,m}` and the
 * lazy forms, `\t \n \r \f \v \0 \xHH`, `\` before anything that is no letter or digit. No back-references, no looking ahead or behind, no
 * flags: these are errors.
 */
#ifndef COFFER_BASE_REGEX_H
#define COFFER_BASE_REGEX_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>

enum { REGEX_STEPS_MAX = 4096, REGEX_DEPTH_MAX = 64 };
#define REGEX_NONE ((size_t)-1)

struct regex;

/* Two spans: of the whole match, and of its first group (REGEX_NONE where that took no part). */
struct regex_match {
	size_t start, end, group_start, group_end;
};

/* 0, -ENOMEM, or -EINVAL, with what is wrong in *ret_fault (static text). */
int regex_compile(const char *text, struct arena *arena, struct regex **ret_regex, const char **ret_fault);
size_t regex_groups(const struct regex *regex);
/* The leftmost match that begins at `from` or behind it. */
bool regex_find(struct regex *regex, const char *text, size_t n, size_t from, struct regex_match *ret_match);

#endif

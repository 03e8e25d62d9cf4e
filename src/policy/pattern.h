/*
 * pattern.h: what a person writes in a path list, as a pattern for base/glob.h. Text only, in the request's arena.
 */
#ifndef COFFER_POLICY_PATTERN_H
#define COFFER_POLICY_PATTERN_H

#include "base/arena.h"

#include <stdbool.h>

/* Has the text a `*`, a `?` or a `[` that no backslash quotes? */
bool pattern_has_glob(const char *pattern);
/* A path as a pattern that matches it alone. NULL when out of memory. */
const char *pattern_quote(struct arena *arena, const char *path);
/* The path, unquoted, above the first component with a glob character. NULL when out of memory. */
const char *pattern_top(struct arena *arena, const char *pattern);
/* Without trailing slashes and trailing slash-star-star, which say nothing: "/a/" followed by two stars is "/a". NULL when out of memory. */
const char *pattern_trim(struct arena *arena, const char *text);
/* Quotes brackets that form no set: none closed, nothing inside, or a range backwards as in [user-id]. NULL when out of memory. */
const char *pattern_quote_false_sets(struct arena *arena, const char *text);
/* Does ".." follow a component with a glob character? Then no text says which directory is meant. */
bool pattern_climbs(const char *pattern);

#endif

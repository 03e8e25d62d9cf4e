/*
 * glob.h: path patterns, as settings write them. No allocation; the launcher links it.
 *
 * `*` any bytes but '/', `?` one byte but '/', `[abc] [a-z] [!x]` one of a set, `**` as a whole component any number of components
 * (none included), `\` quotes the next byte. A bracket that forms no set is literal text. A pattern without any of these is a
 * literal. '/' always separates components, so a set never spans one and a `\` before it, or at the end, stands for itself. Matching is on
 * bytes and case-sensitive. The work is bounded by pattern length × path length.
 */
#ifndef COFFER_BASE_GLOB_H
#define COFFER_BASE_GLOB_H

#include <stdbool.h>
#include <stddef.h>

bool glob_is_pattern(const char *text);
/* Does the whole of `path` match? Both absolute. */
bool glob_match(const char *pattern, const char *path);
/* Does `path`, or a directory above it, match? A pattern that names a directory covers all below it. */
bool glob_covers(const char *pattern, const char *path);
/* Could something below directory `dir` match? For pruning walks. */
bool glob_may_match_below(const char *pattern, const char *dir);
/* Length of the literal top of the pattern: the directory above the first component that has a glob character ("/" gives 1). */
size_t glob_literal_top(const char *pattern);

#endif

/*
 * diff.h: which lines of one text are not in another (docs/decisions/diff.md). Pure: bytes in, lines out.
 *
 * A line is everything up to and with its newline; the last one may have none. The script is a shortest one unless the texts differ in
 * thousands of places, where it is only a correct one: time stays within lines × DIFF_EFFORT.
 */
#ifndef COFFER_WORKSPACE_DIFF_H
#define COFFER_WORKSPACE_DIFF_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DIFF_BYTES_MAX = 64 << 20, DIFF_EFFORT = 2000, DIFF_CONTEXT = 3 };

/* As git says it: a NUL in the first 8000 bytes. */
bool diff_is_binary(const char *bytes, size_t n);

struct diff_side {
	const char *bytes; /* borrowed */
	size_t lines;
	size_t *start; /* lines + 1 of them */
	uint32_t *id;  /* equal lines have equal ones */
	bool *changed;
};

struct diff {
	struct diff_side a, b;
	size_t added, removed; /* lines */
};

int diff_make(const char *a, size_t a_n, const char *b, size_t b_n, struct diff *ret_diff);
void diff_done(struct diff *diff);
#define autodiff __attribute__((cleanup(diff_done)))

/* Lines from a_at to before a_end become those from b_at to before b_end, some of them the same: the context. */
struct diff_hunk {
	size_t a_at, a_end, b_at, b_end;
};
/* Steps through the hunks: start with zeros. False when there are no more. */
bool diff_next(const struct diff *diff, struct diff_hunk *hunk);
/* "@@ -1,2 +1,3 @@" and its lines. */
void diff_print(const struct diff *diff, const struct diff_hunk *hunk, struct str *out);
/* The first text with only those hunks (counted from 1) that are chosen; -ERANGE when one is asked for that there is not. */
int diff_choose(const struct diff *diff, const unsigned *chosen, size_t n, struct str *out);

#endif

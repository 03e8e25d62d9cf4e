/* The part of diff.h about hunks: changed lines with those around them. */
#include "workspace/diff.h"

#include <errno.h>

/* Moves to the next changed line at or behind (a, b), which correspond; false at the end. */
static bool find_change(const struct diff *diff, size_t *a, size_t *b)
{
	while (*a < diff->a.lines && *b < diff->b.lines && !diff->a.changed[*a] && !diff->b.changed[*b]) {
		++*a;
		++*b;
	}
	return (*a < diff->a.lines && diff->a.changed[*a]) || (*b < diff->b.lines && diff->b.changed[*b]);
}

static void skip_change(const struct diff *diff, size_t *a, size_t *b)
{
	while (*a < diff->a.lines && diff->a.changed[*a])
		++*a;
	while (*b < diff->b.lines && diff->b.changed[*b])
		++*b;
}

bool diff_next(const struct diff *diff, struct diff_hunk *hunk)
{
	size_t a = hunk->a_end, b = hunk->b_end, before, after;

	if (!find_change(diff, &a, &b))
		return false;
	before = a - hunk->a_end < DIFF_CONTEXT ? a - hunk->a_end : DIFF_CONTEXT;
	hunk->a_at = a - before;
	hunk->b_at = b - before;
	skip_change(diff, &a, &b);
	for (;;) {
		size_t next_a = a, next_b = b;

		if (!find_change(diff, &next_a, &next_b) || next_a - a > (size_t)2 * DIFF_CONTEXT)
			break;
		skip_change(diff, &next_a, &next_b);
		a = next_a;
		b = next_b;
	}
	after = diff->a.lines - a < DIFF_CONTEXT ? diff->a.lines - a : DIFF_CONTEXT;
	hunk->a_end = a + after;
	hunk->b_end = b + after;
	return true;
}

static void put_line(const struct diff_side *side, size_t i, char mark, struct str *out)
{
	size_t at = side->start[i], end = side->start[i + 1];

	str_add_char(out, mark);
	str_add_n(out, side->bytes + at, end - at);
	if (side->bytes[end - 1] != '\n')
		str_add(out, "\n\\ No newline at end of file\n");
}

/* "3,4": a range of no lines names the one before it. */
static void put_range(size_t at, size_t end, struct str *out)
{
	str_printf(out, "%zu", end > at ? at + 1 : at);
	if (end - at != 1)
		str_printf(out, ",%zu", end - at);
}

void diff_print(const struct diff *diff, const struct diff_hunk *hunk, struct str *out)
{
	size_t a = hunk->a_at, b = hunk->b_at;

	str_add(out, "@@ -");
	put_range(hunk->a_at, hunk->a_end, out);
	str_add(out, " +");
	put_range(hunk->b_at, hunk->b_end, out);
	str_add(out, " @@\n");
	while (a < hunk->a_end || b < hunk->b_end) {
		if (a < hunk->a_end && diff->a.changed[a]) {
			put_line(&diff->a, a++, '-', out);
		} else if (b < hunk->b_end && diff->b.changed[b]) {
			put_line(&diff->b, b++, '+', out);
		} else {
			put_line(&diff->a, a++, ' ', out);
			b++;
		}
	}
}

static bool is_chosen(const unsigned *chosen, size_t n, unsigned number)
{
	for (size_t i = 0; i < n; i++)
		if (chosen[i] == number)
			return true;
	return false;
}

static void put_lines(const struct diff_side *side, size_t at, size_t end, struct str *out)
{
	str_add_n(out, side->bytes + side->start[at], side->start[end] - side->start[at]);
}

int diff_choose(const struct diff *diff, const unsigned *chosen, size_t n, struct str *out)
{
	struct diff_hunk hunk = { 0 };
	size_t at = 0;
	unsigned number = 0;

	while (diff_next(diff, &hunk)) {
		put_lines(&diff->a, at, hunk.a_at, out);
		if (is_chosen(chosen, n, ++number))
			put_lines(&diff->b, hunk.b_at, hunk.b_end, out);
		else
			put_lines(&diff->a, hunk.a_at, hunk.a_end, out);
		at = hunk.a_end;
	}
	put_lines(&diff->a, at, diff->a.lines, out);
	for (size_t i = 0; i < n; i++)
		if (chosen[i] == 0 || chosen[i] > number)
			return -ERANGE;
	return out->failed ? -ENOMEM : 0;
}

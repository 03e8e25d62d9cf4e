/*
 * Theory of operation. E. W. Myers, "An O(ND) Difference Algorithm and Its Variations", 1986, in its linear-space form: searches from both ends
 * meet in the middle of a shortest script, and the halves are searched the same way. Lines are numbers by then. A search that has not met after
 * DIFF_EFFORT rounds splits where it got farthest.
 */
#include "workspace/diff.h"

#include "base/own.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool diff_is_binary(const char *bytes, size_t n)
{
	return n > 0 && memchr(bytes, '\0', n < 8000 ? n : 8000) != NULL;
}

static size_t line_end(const char *bytes, size_t n, size_t at)
{
	const char *newline = memchr(bytes + at, '\n', n - at);

	return newline ? (size_t)(newline - bytes) + 1 : n;
}

static int split(const char *bytes, size_t n, struct diff_side *side)
{
	size_t lines = 0;

	for (size_t at = 0; at < n; at = line_end(bytes, n, at))
		lines++;
	side->bytes = bytes;
	side->lines = lines;
	side->start = calloc(lines + 1, sizeof(*side->start));
	side->id = calloc(lines + 1, sizeof(*side->id));
	side->changed = calloc(lines + 1, sizeof(*side->changed));
	if (!side->start || !side->id || !side->changed)
		return -ENOMEM;
	for (size_t at = 0, i = 0; at < n; i++) {
		at = line_end(bytes, n, at);
		side->start[i + 1] = at;
	}
	return 0;
}

/* Lines that have been seen, by hash; open addressing in a table that is never more than half full. */
struct slot {
	const char *text;
	size_t n;
	uint32_t id;
};
struct numbers {
	struct slot *slot;
	size_t mask;
	uint32_t next;
};

static uint32_t number(struct numbers *numbers, const char *text, size_t n)
{
	uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3;
	for (size_t i = (hash ^ hash >> 32) & numbers->mask;; i = (i + 1) & numbers->mask) {
		struct slot *slot = &numbers->slot[i];

		if (!slot->text)
			*slot = (struct slot){ .text = text, .n = n, .id = ++numbers->next };
		if (slot->n == n && memcmp(slot->text, text, n) == 0)
			return slot->id;
	}
}

static int number_lines(struct diff *diff)
{
	size_t room = 16, lines = diff->a.lines + diff->b.lines;

	while (room < 2 * lines)
		room *= 2;
	autofree struct slot *slots = calloc(room, sizeof(*slots));
	struct numbers numbers = { .slot = slots, .mask = room - 1 };

	if (!slots)
		return -ENOMEM;
	for (struct diff_side *side = &diff->a; side; side = side == &diff->a ? &diff->b : NULL)
		for (size_t i = 0; i < side->lines; i++)
			side->id[i] = number(&numbers, side->bytes + side->start[i], side->start[i + 1] - side->start[i]);
	return 0;
}

/* A part of both texts. */
struct box {
	size_t a, a_end, b, b_end;
};

/* How far each diagonal has been followed, from the front and from the back. Index 0 is the main diagonal. */
struct search {
	const uint32_t *a, *b; /* of the box */
	long n, m;
	long *reach[2];
};

struct step {
	long x, y, u, v; /* the run of equal lines at its end; from (x, y) to (u, v) */
	long k;
};

static bool equal_at(const struct search *search, bool back, long x, long y)
{
	return back ? search->a[search->n - 1 - x] == search->b[search->m - 1 - y] : search->a[x] == search->b[y];
}

/* One more difference on diagonal k. */
static struct step follow(const struct search *search, bool back, long h, long k)
{
	long *reach = search->reach[back];
	long x = k == -h || (k != h && reach[k - 1] < reach[k + 1]) ? reach[k + 1] : reach[k - 1] + 1;
	struct step step = { .x = x, .y = x - k, .k = k };

	while (x < search->n && x - k < search->m && equal_at(search, back, x, x - k))
		x++;
	step.u = x;
	step.v = x - k;
	reach[k] = x;
	return step;
}

/* Has this step met the other search? */
static bool meets(const struct search *search, bool back, long h, const struct step *step)
{
	long z = search->n - search->m - step->k, bound = back ? h : h - 1;

	return ((search->n + search->m) & 1) == !back && z >= -bound && z <= bound &&
	       search->reach[back][step->k] + search->reach[!back][z] >= search->n;
}

/* The diagonals that one more difference can reach. */
struct range {
	long low, high;
};

static struct range reachable(const struct search *search, long h)
{
	return (struct range){ .low = -(h - 2 * (h > search->m ? h - search->m : 0)), .high = h - 2 * (h > search->n ? h - search->n : 0) };
}

/* Where the search from the front got farthest. */
static struct step farthest(const struct search *search, struct range range)
{
	struct step best = { 0 };

	for (long k = range.low; k <= range.high; k += 2) {
		long x = search->reach[0][k];

		if (x <= search->n && x - k <= search->m && 2 * x - k > best.u + best.v)
			best = (struct step){ .x = x, .y = x - k, .u = x, .v = x - k };
	}
	return best;
}

/* One more difference on all of them; true when the other search has been met. */
static bool advance(const struct search *search, bool back, long h, struct step *ret_step)
{
	struct range range = reachable(search, h);

	for (long k = range.low; k <= range.high; k += 2) {
		*ret_step = follow(search, back, h, k);
		if (meets(search, back, h, ret_step))
			return true;
	}
	return false;
}

/* The middle of a shortest script of the box. */
static struct step find_middle(const struct search *search)
{
	struct step step;

	search->reach[0][1] = search->reach[1][1] = 0;
	for (long h = 0;; h++) {
		if (advance(search, false, h, &step))
			return step;
		if (advance(search, true, h, &step))
			return (struct step){
				.x = search->n - step.u, .y = search->m - step.v, .u = search->n - step.x, .v = search->m - step.y
			};
		if (h > DIFF_EFFORT)
			return farthest(search, reachable(search, h));
	}
}

static void trim(const struct diff *diff, struct box *box)
{
	while (box->a < box->a_end && box->b < box->b_end && diff->a.id[box->a] == diff->b.id[box->b]) {
		box->a++;
		box->b++;
	}
	while (box->a < box->a_end && box->b < box->b_end && diff->a.id[box->a_end - 1] == diff->b.id[box->b_end - 1]) {
		box->a_end--;
		box->b_end--;
	}
}

/* The first half by recursion, whose depth is the logarithm of DIFF_EFFORT; the second in the loop. */
static void compare(struct diff *diff, struct box box, long *room)
{
	for (;;) {
		trim(diff, &box);
		if (box.a == box.a_end || box.b == box.b_end)
			break;
		struct search search = {
			.a = diff->a.id + box.a, .b = diff->b.id + box.b, .n = (long)(box.a_end - box.a), .m = (long)(box.b_end - box.b)
		};

		search.reach[0] = room + search.m + 1;
		search.reach[1] = search.reach[0] + search.n + search.m + 3;
		struct step middle = find_middle(&search);

		compare(diff, (struct box){ box.a, box.a + (size_t)middle.x, box.b, box.b + (size_t)middle.y }, room);
		box.a += (size_t)middle.u;
		box.b += (size_t)middle.v;
	}
	for (size_t i = box.a; i < box.a_end; i++)
		diff->a.changed[i] = true;
	for (size_t i = box.b; i < box.b_end; i++)
		diff->b.changed[i] = true;
	diff->removed += box.a_end - box.a;
	diff->added += box.b_end - box.b;
}

int diff_make(const char *a, size_t a_n, const char *b, size_t b_n, struct diff *ret_diff)
{
	struct diff diff = { 0 };
	int r = split(a, a_n, &diff.a);

	if (r == 0)
		r = split(b, b_n, &diff.b);
	if (r == 0)
		r = number_lines(&diff);
	autofree long *room = calloc(2 * (diff.a.lines + diff.b.lines + 3), sizeof(*room));

	if (r < 0 || !room) {
		diff_done(&diff);
		return -ENOMEM;
	}
	compare(&diff, (struct box){ 0, diff.a.lines, 0, diff.b.lines }, room);
	*ret_diff = diff;
	return 0;
}

void diff_done(struct diff *diff)
{
	for (struct diff_side *side = &diff->a; side; side = side == &diff->a ? &diff->b : NULL) {
		free(side->start);
		free(side->id);
		free(side->changed);
		*side = (struct diff_side){ 0 };
	}
}

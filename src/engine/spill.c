#include "engine/spill.h"

#include "base/own.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MARK_MAX = 8192 };

int spill_init(struct spill *spill, const struct spill_wish *wish, int stream)
{
	*spill = (struct spill){ .wish = wish, .stream = stream, .fd = -1, .tail = wish->most / 2, .held = malloc((size_t)wish->most) };
	spill->head = wish->most - spill->tail;
	return spill->held ? 0 : -ENOMEM;
}

void spill_done(struct spill *spill)
{
	own_close(&spill->fd);
	own_free(&spill->held);
	spill->held = NULL;
}

/* ---- the file ---- */

/* A full disk, or a ceiling, ends the file and nothing else. */
static void write_file(struct spill *spill, const char *bytes, uint64_t n)
{
	uint64_t room = spill->wish->file_bytes - spill->in_file;

	if (n > room)
		n = room;
	while (spill->fd >= 0 && n > 0) {
		ssize_t done = write(spill->fd, bytes, (size_t)n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0) {
			spill->errnum = done < 0 ? errno : ENOSPC;
			own_close(&spill->fd);
			return;
		}
		bytes += done;
		n -= (uint64_t)done;
		spill->in_file += (uint64_t)done;
	}
}

/* All that has come so far is still held. */
static void open_file(struct spill *spill)
{
	const struct spill_wish *wish = spill->wish;

	spill->opened = true;
	if (!wish->file_bytes)
		return;
	if (wish->dir >= 0)
		spill->fd = openat(wish->dir, wish->name[spill->stream], O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (spill->fd < 0)
		spill->errnum = wish->dir < 0 ? -wish->dir : errno;
	write_file(spill, spill->held, spill->total);
}

/* ---- the two halves ---- */

static void hold_tail(struct spill *spill, const char *bytes, size_t n)
{
	uint64_t at = spill->total - spill->head;

	if (n > spill->tail) {
		at += n - spill->tail;
		bytes += n - spill->tail;
		n = (size_t)spill->tail;
	}
	while (n > 0) {
		uint64_t place = at % spill->tail, until_end = spill->tail - place;
		size_t piece = n < until_end ? n : (size_t)until_end;

		memcpy(spill->held + spill->head + place, bytes, piece);
		bytes += piece;
		at += piece;
		n -= piece;
	}
}

size_t spill_take(struct spill *spill, const char *bytes, size_t n)
{
	uint64_t left = spill->total < spill->head ? spill->head - spill->total : 0;
	size_t first = n < left ? n : (size_t)left;

	if (!spill->opened && spill->total + n > spill->wish->most)
		open_file(spill);
	if (spill->opened)
		write_file(spill, bytes, n);
	memcpy(spill->held + (left ? spill->total : 0), bytes, first);
	spill->total += first;
	if (n > first)
		hold_tail(spill, bytes + first, n - first);
	spill->total += n - first;
	return first;
}

static size_t print_mark(const struct spill *spill, char mark[MARK_MAX])
{
	const char *where = spill->wish->mark[spill->stream];
	unsigned long long missing = spill->total - spill->wish->most;
	const char *colon = spill->errnum ? ": " : "", *why = spill->errnum ? strerror(spill->errnum) : "";
	int n = 0;

	if (!where || !missing)
		return 0;
	if (!spill->in_file)
		n = snprintf(mark, MARK_MAX, "\n[coffer: %llu bytes are left out here, and kept in no file%s%s]\n", missing, colon, why);
	else
		n = snprintf(mark, MARK_MAX, "\n[coffer: %llu bytes are left out here; %s is in %s%s%s]\n", missing,
		             spill->in_file == spill->total ? "all of it" : "its beginning", where, colon, why);
	return n > 0 && n < MARK_MAX ? (size_t)n : 0;
}

size_t spill_rest(const struct spill *spill, char **ret_bytes)
{
	uint64_t n = spill->total > spill->head ? spill->total - spill->head : 0, most = n < spill->tail ? n : spill->tail;
	uint64_t first = spill->tail && n > spill->tail ? n % spill->tail : 0; /* the oldest byte's place */
	char mark[MARK_MAX], *bytes;
	size_t mark_n = n > spill->tail ? print_mark(spill, mark) : 0;

	*ret_bytes = NULL;
	bytes = most || mark_n ? malloc(mark_n + (size_t)most) : NULL;
	if (!bytes)
		return 0;
	memcpy(bytes, mark, mark_n);
	memcpy(bytes + mark_n, spill->held + spill->head + first, (size_t)(most - first));
	memcpy(bytes + mark_n + (most - first), spill->held + spill->head, (size_t)first);
	*ret_bytes = bytes;
	return mark_n + (size_t)most;
}

struct outcome_spill spill_outcome(const struct spill *spill)
{
	return (struct outcome_spill){ .is_spilled = spill->opened,
		                       .written = spill->total,
		                       .head = spill->head,
		                       .in_file = spill->in_file,
		                       .has_file = spill->in_file > 0,
		                       .errnum = spill->errnum };
}

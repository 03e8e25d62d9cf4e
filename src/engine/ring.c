#include "engine/ring.h"

#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

struct head {
	uint64_t magic, room, total;
};
static const uint64_t magic = 0x676e6972726566ull;

static int write_head(const struct ring *ring)
{
	const struct head head = { .magic = magic, .room = ring->room, .total = ring->total };

	return pwrite(ring->fd, &head, sizeof(head), 0) == (ssize_t)sizeof(head) ? 0 : -EIO;
}

int ring_make(int dir, const char *name, uint64_t room, struct ring *ret_ring)
{
	struct ring ring = { .fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600), .room = room };
	int r = ring.fd < 0 ? -errno : write_head(&ring);

	if (r < 0)
		own_close(&ring.fd);
	else
		*ret_ring = ring;
	return r;
}

/* The count goes up before the bytes are there: who reads meanwhile takes what was overwritten for lost, never for what it was. */
void ring_add(struct ring *ring, const void *bytes, size_t n)
{
	const char *from = bytes;
	uint64_t skipped = n > ring->room ? n - ring->room : 0, at = ring->total + skipped;

	ring->total += n;
	(void)write_head(ring);
	from += skipped;
	n -= skipped;
	while (n > 0) {
		uint64_t place = at % ring->room, until_end = ring->room - place;
		size_t piece = n < until_end ? n : (size_t)until_end;

		(void)!pwrite(ring->fd, from, piece, (off_t)(sizeof(struct head) + place));
		from += piece;
		at += piece;
		n -= piece;
	}
}

static int read_head(int fd, struct head *head)
{
	if (pread(fd, head, sizeof(*head), 0) != (ssize_t)sizeof(*head) || head->magic != magic || head->room == 0)
		return -EBADMSG;
	return 0;
}

static int read_at(int fd, const struct head *head, uint64_t at, char *bytes, size_t n)
{
	while (n > 0) {
		uint64_t place = at % head->room, until_end = head->room - place;
		size_t piece = n < until_end ? n : (size_t)until_end;
		ssize_t got = pread(fd, bytes, piece, (off_t)(sizeof(*head) + place));

		if (got <= 0)
			return got < 0 ? -errno : -EBADMSG;
		at += (uint64_t)got;
		bytes += got;
		n -= (size_t)got;
	}
	return 0;
}

static uint64_t first_of(const struct head *head)
{
	return head->total > head->room ? head->total - head->room : 0;
}

uint64_t ring_first(const struct ring *ring)
{
	return first_of(&(struct head){ .room = ring->room, .total = ring->total });
}

size_t ring_copy(const struct ring *ring, uint64_t at, void *bytes, size_t n)
{
	const struct head head = { .room = ring->room, .total = ring->total };
	uint64_t there = at < ring->total ? ring->total - at : 0;

	if (n > there)
		n = (size_t)there;
	return at >= ring_first(ring) && read_at(ring->fd, &head, at, bytes, n) == 0 ? n : 0;
}

int ring_read(int dir, const char *name, struct str *bytes, uint64_t *ret_total)
{
	autofd int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct head before, after;
	int r = fd < 0 ? -errno : read_head(fd, &before);

	if (r < 0)
		return r;

	uint64_t first = first_of(&before), most = bytes->ceiling - bytes->len;

	if (before.total - first > most)
		first = before.total - most;

	size_t n = (size_t)(before.total - first), lost = 0;
	autofree char *copy = malloc(n + 1);

	r = copy ? read_at(fd, &before, first, copy, n) : -ENOMEM;
	if (r == 0)
		r = read_head(fd, &after);
	if (r < 0)
		return r;
	if (first_of(&after) > first)
		lost = first_of(&after) - first < n ? (size_t)(first_of(&after) - first) : n;
	str_add_n(bytes, copy + lost, n - lost);
	*ret_total = before.total;
	return bytes->failed ? -ENOMEM : 0;
}

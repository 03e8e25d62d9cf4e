#include "workspace/content.h"

#include "base/own.h"
#include "sys/fd.h"

#include <errno.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 64 << 10, COPY_MAX = 1 << 30 };

void content_done(struct content *content)
{
	free(content->bytes);
	content->bytes = NULL;
}

/* As much as there is, up to room; short only at the end. What would be read behind `end` is taken to be nothing: that saves asking. */
static ssize_t read_to(int fd, char *bytes, size_t room, off_t at, off_t end)
{
	size_t n = 0;

	while (n < room) {
		ssize_t got = pread(fd, bytes + n, room - n, at + (off_t)n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		n += (size_t)got;
		if (got == 0 || at + (off_t)n == end)
			break;
	}
	return (ssize_t)n;
}

static ssize_t read_at(int fd, char *bytes, size_t room, off_t at)
{
	return read_to(fd, bytes, room, at, -1);
}

int content_compare(int a, int b, uint64_t size, bool *ret_same)
{
	char x[PIECE / 4], y[PIECE / 4];
	off_t at = 0;
	ssize_t n, m;

	do {
		n = read_to(a, x, sizeof(x), at, (off_t)size);
		m = n < 0 ? n : read_to(b, y, sizeof(y), at, (off_t)size);
		if (n < 0 || m < 0)
			return (int)(n < 0 ? n : m);
		if (n != m || memcmp(x, y, (size_t)n) != 0) {
			*ret_same = false;
			return 0;
		}
		at += n;
	} while (n == (ssize_t)sizeof(x) && at < (off_t)size);
	*ret_same = true;
	return 0;
}

void content_hash_text(const char *text, size_t n, uint8_t ret_hash[SHA256_BYTES])
{
	struct sha256 h;

	sha256_init(&h);
	sha256_add(&h, text, n);
	sha256_done(&h, ret_hash);
}

int content_hash(int fd, uint64_t size, uint8_t ret_hash[SHA256_BYTES])
{
	char piece[PIECE / 2];
	struct sha256 h;
	off_t at = 0;
	ssize_t n = 0;

	sha256_init(&h);
	while (at < (off_t)size && (n = read_to(fd, piece, sizeof(piece), at, (off_t)size)) > 0) {
		sha256_add(&h, piece, (size_t)n);
		at += n;
	}
	if (n < 0)
		return (int)n;
	sha256_done(&h, ret_hash);
	return 0;
}

int content_load(int fd, size_t max, struct content *ret_content)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size < 0 || (uint64_t)st.st_size > max)
		return -EFBIG;

	/* One byte more than it should have tells whether it has grown. */
	size_t room = (size_t)st.st_size + 1;
	autofree char *bytes = malloc(room);

	if (!bytes)
		return -ENOMEM;

	ssize_t n = read_at(fd, bytes, room, 0);

	if (n < 0)
		return (int)n;
	ret_content->n = (size_t)n < room ? (size_t)n : room - 1;
	ret_content->bytes = TAKE_PTR(bytes);
	return 0;
}

/* Bytes from `at` to `end` by reading and writing. */
static int copy_by_hand(int from, int to, off_t at, off_t end)
{
	char piece[PIECE / 2];

	while (at < end) {
		size_t want = (size_t)(end - at) < sizeof(piece) ? (size_t)(end - at) : sizeof(piece);
		ssize_t n = read_at(from, piece, want, at);
		ssize_t written = n <= 0 ? n : pwrite(to, piece, (size_t)n, at);

		if (written < 0)
			return n < 0 ? (int)n : -errno;
		if (written == 0) /* shorter by now */
			return 0;
		at += written;
	}
	return 0;
}

static int copy_stretch(int from, int to, off_t at, off_t end)
{
	off_t out = at;

	while (at < end) {
		size_t want = end - at > COPY_MAX ? COPY_MAX : (size_t)(end - at);
		ssize_t n = copy_file_range(from, &at, to, &out, want, 0);

		if (n < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG || errno == EIO))
			return -errno;
		if (n < 0) /* another file system, or one that cannot */
			return copy_by_hand(from, to, at, end);
		if (n == 0)
			return 0;
	}
	return 0;
}

/* The next stretch of data at or behind *at; false when there is only a hole up to the end. */
static bool find_data(int fd, off_t *at, off_t *ret_end, off_t size)
{
	off_t data = *at < size ? lseek(fd, *at, SEEK_DATA) : size, end;

	if (data >= size || (data < 0 && errno == ENXIO))
		return false;
	if (data < 0) { /* a file system that does not know */
		*ret_end = size;
		return true;
	}
	end = lseek(fd, data, SEEK_HOLE);
	*at = data;
	*ret_end = end <= data || end > size ? size : end;
	return true;
}

static int copy_small(int from, int to, off_t size, uint8_t *ret_hash)
{
	char piece[PIECE / 2];
	ssize_t n = read_to(from, piece, (size_t)size, 0, size);
	int r = n < 0 ? (int)n : fd_write_all(to, piece, (size_t)n);

	if (r == 0 && ret_hash)
		content_hash_text(piece, (size_t)n, ret_hash);
	return r;
}

static int copy_large(int from, int to, off_t size)
{
	off_t at = 0, end;

	if (ioctl(to, FICLONE, from) == 0)
		return 0;
	while (find_data(from, &at, &end, size)) {
		int r = copy_stretch(from, to, at, end);

		if (r < 0)
			return r;
		at = end;
	}
	return ftruncate(to, size) < 0 ? -errno : 0;
}

int content_copy(int from, int to, uint64_t size, uint8_t *ret_hash)
{
	int r;

	if (size <= PIECE / 2)
		return copy_small(from, to, (off_t)size, ret_hash);
	r = copy_large(from, to, (off_t)size);
	return r < 0 || !ret_hash ? r : content_hash(to, size, ret_hash);
}

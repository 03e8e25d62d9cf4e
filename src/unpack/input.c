/*
 * Theory of operation. A tar is read by two of libarchive's readers: the outer one takes the compression off and knows no format, the inner one
 * knows tar and no compression. So what is between them can be counted, and what comes behind the end mark, which a tar reader does not look at, can be
 * seen: of each stream we remember where its last byte that is not zero stood, and compare that with how far its reader went.
 *
 * A zip has its table of contents at the end. It is copied into a file that has no name, so that there is one way of reading it, whether or not what
 * came could be sought in.
 */
#include "unpack/input.h"

#include "base/own.h"
#include "files/files.h"
#include "files/resolve.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER = 128 << 10, FREE_BYTES = 1 << 20, ENTRY_OVERHEAD = 8 << 10, TAR_BLOCK = 512 };

/* How much went by, and where the zeros at its end begin. */
struct stream {
	uint64_t n, last_nonzero; /* last_nonzero: behind that byte */
};

struct input {
	struct unpack *unpack;
	struct archive *outer, *inner; /* a zip has no outer one */
	struct stream packed, plain;
	uint64_t unpacked;
	int spool;
	size_t ahead; /* bytes of the buffer that were read to see what this is */
	char buffer[BUFFER];
};

static void note(struct stream *stream, const char *bytes, size_t n)
{
	size_t end = n;

	while (end > 0 && bytes[end - 1] == '\0')
		end--;
	if (end > 0)
		stream->last_nonzero = stream->n + end;
	stream->n += n;
}

/* Waits for the other side, but not for ever. Returns the number of bytes, or -1 with the failure noted. */
static ssize_t read_some(struct input *input, char *to, size_t room)
{
	struct pollfd ready = { .fd = input->unpack->input, .events = POLLIN };

	for (;;) {
		uint64_t now = files_now_ms(), end = input->unpack->deadline_ms;
		ssize_t n;

		if (now >= end || poll(&ready, 1, end - now > 60000 ? 60000 : (int)(end - now)) == 0) {
			if (files_now_ms() < end)
				continue;
			unpack_fail(input->unpack, UNPACK_LIMIT, ETIMEDOUT, "the archive took too long to come or to unpack");
			return -1;
		}
		n = read(input->unpack->input, to, room);
		if (n >= 0)
			return n;
		if (errno != EINTR && errno != EAGAIN) {
			unpack_fail(input->unpack, UNPACK_FAILED, errno, "the archive cannot be read");
			return -1;
		}
	}
}

static la_ssize_t read_packed(struct archive *archive, void *self, const void **ret_bytes)
{
	struct input *input = (struct input *)self;
	ssize_t n = (ssize_t)input->ahead;

	(void)archive;
	input->ahead = 0;
	if (n == 0)
		n = read_some(input, input->buffer, sizeof(input->buffer));
	if (n > 0)
		note(&input->packed, input->buffer, (size_t)n);
	*ret_bytes = input->buffer;
	return n;
}

static enum unpack_status count(struct input *input, uint64_t n)
{
	const struct unpack_limits *limits = &input->unpack->limits;
	uint64_t packed = input->packed.n;

	input->unpacked += n;
	if (input->unpacked > FREE_BYTES && input->unpacked / (limits->ratio ? limits->ratio : 1) > packed + FREE_BYTES / 1000)
		return unpack_fail(input->unpack, UNPACK_LIMIT, 0, "%llu packed bytes became more than %llu times as many",
		                   (unsigned long long)packed, (unsigned long long)limits->ratio);
	return UNPACK_DONE;
}

enum unpack_status input_unpacked(struct input *input, uint64_t n)
{
	return input->outer ? UNPACK_DONE : count(input, n); /* a tar's have been counted on the way */
}

static la_ssize_t read_plain(struct archive *archive, void *self, const void **ret_bytes)
{
	struct input *input = (struct input *)self;
	const struct unpack_limits *limits = &input->unpack->limits;
	la_int64_t offset;
	size_t n = 0;
	int r;

	(void)archive;
	do
		r = archive_read_data_block(input->outer, ret_bytes, &n, &offset);
	while (r == ARCHIVE_OK && n == 0);
	if (r == ARCHIVE_EOF)
		return 0;
	if (r < ARCHIVE_WARN) {
		if (input->unpack->status == UNPACK_DONE)
			unpack_fail(input->unpack, UNPACK_MALFORMED, 0, "%s", archive_error_string(input->outer));
		return ARCHIVE_FATAL;
	}
	note(&input->plain, *ret_bytes, n);
	if (count(input, n) != UNPACK_DONE)
		return ARCHIVE_FATAL;
	if (input->plain.n / ENTRY_OVERHEAD > limits->bytes / ENTRY_OVERHEAD + limits->entries + 1) {
		unpack_fail(input->unpack, UNPACK_LIMIT, EFBIG, "more than %llu bytes", (unsigned long long)limits->bytes);
		return ARCHIVE_FATAL;
	}
	return (la_ssize_t)n;
}

enum unpack_status input_failed(struct input *input)
{
	const char *text = archive_error_string(input->inner);

	if (input->unpack->status != UNPACK_DONE)
		return input->unpack->status;
	return unpack_fail(input->unpack, UNPACK_MALFORMED, 0, "%s", text ? text : "not an archive");
}

static enum unpack_status open_tar(struct input *input)
{
	struct archive_entry *entry;

	input->outer = archive_read_new();
	if (!input->outer)
		return unpack_fail(input->unpack, UNPACK_FAILED, ENOMEM, "libarchive");
	archive_read_support_filter_gzip(input->outer);
	archive_read_support_filter_bzip2(input->outer);
	archive_read_support_filter_xz(input->outer);
	archive_read_support_filter_zstd(input->outer);
	archive_read_support_format_raw(input->outer);
	archive_read_support_format_empty(input->outer);
	if (archive_read_open(input->outer, input, NULL, read_packed, NULL) != ARCHIVE_OK ||
	    archive_read_next_header(input->outer, &entry) != ARCHIVE_OK)
		return input->unpack->status ? input->unpack->status : unpack_fail(input->unpack, UNPACK_MALFORMED, 0, "not an archive");
	if (archive_filter_count(input->outer) > 2)
		return unpack_fail(input->unpack, UNPACK_MALFORMED, 0, "compressed more than once");
	archive_read_support_format_tar(input->inner);
	if (archive_read_open(input->inner, input, NULL, read_plain, NULL) != ARCHIVE_OK)
		return input_failed(input);
	return UNPACK_DONE;
}

/* A file below the root whose name is gone. */
static int open_spool(int root)
{
	char name[TEMPORARY_MAX];
	int fd;

	resolve_temporary(name);
	fd = openat(root, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0)
		(void)unlinkat(root, name, 0);
	return fd < 0 ? -errno : fd;
}

static enum unpack_status open_zip(struct input *input)
{
	ssize_t n = (ssize_t)input->ahead;
	int r;

	input->spool = open_spool(input->unpack->root);
	if (input->spool < 0)
		return unpack_fail(input->unpack, UNPACK_FAILED, -input->spool, "a file to keep the zip in");
	do {
		note(&input->packed, input->buffer, (size_t)n);
		if (input->packed.n > input->unpack->limits.bytes)
			return unpack_fail(input->unpack, UNPACK_LIMIT, EFBIG, "more than %llu bytes",
			                   (unsigned long long)input->unpack->limits.bytes);
		r = fd_write_all(input->spool, input->buffer, (size_t)n);
		if (r < 0)
			return unpack_fail(input->unpack, UNPACK_FAILED, -r, "keeping the zip");
		n = read_some(input, input->buffer, sizeof(input->buffer));
	} while (n > 0);
	if (n < 0)
		return input->unpack->status;
	if (lseek(input->spool, 0, SEEK_SET) < 0)
		return unpack_fail(input->unpack, UNPACK_FAILED, errno, "reading the zip");
	archive_read_support_format_zip_seekable(input->inner);
	return archive_read_open_fd(input->inner, input->spool, BUFFER) == ARCHIVE_OK ? UNPACK_DONE : input_failed(input);
}

struct input *input_open(struct unpack *unpack)
{
	struct input *input = calloc(1, sizeof(*input));
	enum unpack_status status;

	if (!input || !(input->inner = archive_read_new())) {
		free(input);
		unpack_fail(unpack, UNPACK_FAILED, ENOMEM, "reading the archive");
		return NULL;
	}
	input->unpack = unpack;
	input->spool = -1;
	while (input->ahead < 4) {
		ssize_t n = read_some(input, input->buffer + input->ahead, sizeof(input->buffer) - input->ahead);

		if (n <= 0)
			break;
		input->ahead += (size_t)n;
	}
	if (input->ahead >= 4 && (memcmp(input->buffer, "PK\3\4", 4) == 0 || memcmp(input->buffer, "PK\5\6", 4) == 0))
		status = open_zip(input);
	else
		status = unpack->status ? unpack->status : open_tar(input);
	if (status != UNPACK_DONE)
		input_close(&input);
	return input;
}

void input_close(struct input **slot)
{
	struct input *input = *slot;

	if (!input)
		return;
	archive_read_free(input->inner);
	archive_read_free(input->outer);
	own_close(&input->spool);
	free(input);
	*slot = NULL;
}

struct archive *input_archive(struct input *input)
{
	return input->inner;
}

/* The inner reader stops at the end mark, where it looked for another header: one block of zeros at least, and nothing but zeros from there on. */
static enum unpack_status finish_tar(struct input *input)
{
	uint64_t end = (uint64_t)archive_read_header_position(input->inner), filtered;
	const void *bytes;
	la_ssize_t n;

	while ((n = read_plain(input->inner, input, &bytes)) > 0)
		;
	if (n < 0)
		return input->unpack->status;
	if (input->plain.last_nonzero > end)
		return unpack_fail(input->unpack, UNPACK_MALFORMED, 0, "there is something behind the end of the archive");
	if (input->plain.n < end + TAR_BLOCK)
		return unpack_fail(input->unpack, UNPACK_MALFORMED, 0, "the archive has no end mark: it was cut off");
	filtered = (uint64_t)archive_filter_bytes(input->outer, -1);
	while ((n = read_packed(input->outer, input, &bytes)) > 0)
		;
	if (n < 0)
		return input->unpack->status;
	if (input->packed.last_nonzero > filtered)
		return unpack_fail(input->unpack, UNPACK_MALFORMED, 0, "there is something behind the compressed archive");
	return UNPACK_DONE;
}

enum unpack_status input_finish(struct input *input)
{
	return input->outer ? finish_tar(input) : UNPACK_DONE;
}

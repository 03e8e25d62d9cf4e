#include "base/own.h"
#include "base/utf8.h"
#include "files/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 64 << 10 };

/* Opens what the path leads to, of no kind but a regular file: the name is looked at first, and then that very file is opened. */
int files_open_file(const struct files *files, const char *path, int *ret_fd, struct err *err)
{
	autofd int place = resolve_path(files, path, O_PATH, err);
	int fd;

	if (place < 0)
		return place;
	fd = resolve_open_regular(place, O_RDONLY);
	if (fd == -EINVAL)
		return err_set(err, ERR_USAGE, EINVAL, "%s: not a regular file, but a fifo, a socket or a device", path);
	if (fd == -EISDIR)
		return err_set(err, ERR_USAGE, EISDIR, "%s: list it instead", path);
	if (fd < 0)
		return resolve_failed(err, -fd, path);
	*ret_fd = fd;
	return 0;
}

static int too_large(struct err *err, const char *path, uint64_t size, uint64_t most)
{
	return err_set(err, ERR_LIMIT, EFBIG, "%s: %llu bytes or more, and %llu are allowed; read a range of it", path,
	               (unsigned long long)size, (unsigned long long)most);
}

static size_t piece_size(uint64_t n, uint64_t done)
{
	return n && n - done < PIECE ? (size_t)(n - done) : PIECE;
}

/* One piece, added to bytes. How many there were, 0 at the end. */
static ssize_t read_piece(int fd, uint64_t offset, size_t want, struct str *bytes)
{
	char piece[PIECE];
	ssize_t n;

	do
		n = pread(fd, piece, want, (off_t)offset);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		str_add_n(bytes, piece, (size_t)n);
	return n < 0 ? -errno : n;
}

static int read_range(const struct files *files, const char *path, int fd, struct files_range range, struct str *bytes, struct err *err)
{
	uint64_t done = 0;

	while (range.n == 0 || done < range.n) {
		ssize_t n = read_piece(fd, range.offset + done, piece_size(range.n, done), bytes);
		int r = resolve_time(files, path, err);

		if (r < 0)
			return r;
		if (n < 0)
			return resolve_failed(err, (int)-n, path);
		if (n == 0)
			return 0;
		done += (uint64_t)n;
		if (done > files->bytes_max || bytes->failed)
			return too_large(err, path, range.offset + done, bytes->failed ? bytes->ceiling : files->bytes_max);
	}
	return 0;
}

int files_read(const struct files *files, const char *path, struct files_range range, struct str *bytes, struct err *err)
{
	autofd int fd = -1;
	struct stat st;
	int r;

	if (range.offset > INT64_MAX || range.n > INT64_MAX - range.offset)
		return err_set(err, ERR_USAGE, EINVAL, "%s: no file has such a range", path);
	r = files_open_file(files, path, &fd, err);
	if (r == 0 && range.n == 0 && fstat(fd, &st) == 0 && (uint64_t)st.st_size > files->bytes_max + range.offset)
		r = too_large(err, path, (uint64_t)st.st_size, files->bytes_max);
	if (r == 0)
		r = read_range(files, path, fd, range, bytes, err);
	if (r < 0)
		str_clear(bytes);
	return r;
}

/* A page in the making. */
struct paging {
	const struct files_page_wish *wish;
	struct str *text;
	uint64_t line;  /* that the next byte belongs to */
	uint64_t lines; /* whole ones in text */
	bool more;      /* there is something behind the last line that was asked for */
};

/* Takes what belongs to the page. Returns false when it has all, and has seen whether there is more. */
static bool take(struct paging *paging, const char *bytes, size_t n)
{
	for (size_t at = 0; at < n;) {
		const char *end = memchr(bytes + at, '\n', n - at);
		size_t len = end ? (size_t)(end - (bytes + at)) + 1 : n - at;

		if (paging->line >= paging->wish->start_line) {
			uint64_t room = paging->wish->max_bytes + 1 - paging->text->len;

			if (paging->lines == paging->wish->line_count) {
				paging->more = true;
				return false;
			}
			str_add_n(paging->text, bytes + at, len < room ? len : (size_t)room);
			if (paging->text->len > paging->wish->max_bytes)
				return false;
			paging->lines += end != NULL;
		}
		paging->line += end != NULL;
		at += len;
	}
	return true;
}

/* Leaves out a character whose end was cut off. */
static void end_at_character(struct str *text)
{
	size_t start = text->len;
	uint32_t code;

	for (unsigned back = 0; back < 3 && start > 0; back++) {
		unsigned char c = (unsigned char)text->text[--start];

		if (c < 0x80 || (c & 0xc0) == 0x80)
			continue;
		if (c >= 0xc2 && c <= 0xf4 && utf8_take(text->text + start, text->len - start, &code) == 0 &&
		    (c >= 0xf0   ? 4u
		     : c >= 0xe0 ? 3u
		                 : 2u) > text->len - start)
			text->len = start;
		break;
	}
	text->text[text->len] = '\0';
}

static uint64_t count_lines(const struct str *text)
{
	uint64_t n = 0;

	for (size_t i = 0; i < text->len; i++)
		n += text->text[i] == '\n';
	return n;
}

/* As createTextFilePage of @anvia/sandbox 0.6.0 counts. */
static struct files_page finish_page(const struct paging *paging)
{
	struct files_page page = { .start_line = paging->wish->start_line };
	struct str *text = paging->text;

	if (text->len > paging->wish->max_bytes) {
		text->len = (size_t)paging->wish->max_bytes;
		end_at_character(text);

		uint64_t lines = count_lines(text);
		bool whole = text->len > 0 && text->text[text->len - 1] == '\n';

		page.end_line = text->len ? page.start_line + lines - whole : 0;
		page.next_line = whole ? page.start_line + lines : 0;
		page.truncated = FILES_BY_BYTES;
		return page;
	}

	uint64_t lines = paging->lines + (text->len > 0 && text->text[text->len - 1] != '\n');

	page.end_line = lines ? page.start_line + lines - 1 : 0;
	page.next_line = paging->more ? page.start_line + lines : 0;
	page.truncated = paging->more ? FILES_BY_LINES : FILES_NOT_TRUNCATED;
	return page;
}

static int page_through(const struct files *files, const char *path, int fd, struct paging *paging, struct err *err)
{
	char piece[PIECE];
	bool wanting = true;

	while (wanting) {
		ssize_t n = read(fd, piece, sizeof(piece));
		int r = resolve_time(files, path, err);

		if (r < 0)
			return r;
		if (n < 0 && errno != EINTR)
			return resolve_failed(err, errno, path);
		if (n == 0)
			return 0;
		wanting = n < 0 || take(paging, piece, (size_t)n);
		if (paging->text->failed)
			return err_set(err, ERR_LIMIT, EFBIG, "%s: a page of more than %zu bytes", path, paging->text->ceiling);
	}
	return 0;
}

int files_read_page(const struct files *files, const char *path, const struct files_page_wish *wish, struct str *text,
                    struct files_page *ret_page, struct err *err)
{
	struct paging paging = { .wish = wish, .text = text, .line = 1 };
	autofd int fd = -1;
	int r;

	if (wish->start_line == 0 || wish->line_count == 0 || wish->max_bytes == 0)
		return err_set(err, ERR_USAGE, EINVAL, "%s: lines and bytes of a page count from 1", path);
	if (wish->max_bytes > files->bytes_max)
		return err_set(err, ERR_LIMIT, EFBIG, "%s: a page of %llu bytes, and %llu are allowed", path,
		               (unsigned long long)wish->max_bytes, (unsigned long long)files->bytes_max);
	str_clear(text);
	r = files_open_file(files, path, &fd, err);
	if (r == 0)
		r = page_through(files, path, fd, &paging, err);
	if (r < 0) {
		str_clear(text);
		return r;
	}
	*ret_page = finish_page(&paging);
	return 0;
}

#include "channel/work.h"

#include "base/own.h"
#include "channel/params.h"
#include "files/files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MODE_DIRECTORY = 0755, MODE_MAX = 07777, PERMISSIONS = 0777 };

/* Enters the session, with one path read before. */
static int begin(const struct work *work, const char *name, char ret_path[PATH_BYTES_MAX + 1], struct files *ret_files, struct err *err)
{
	int r = work_path(work, name, ret_path, err);

	return r < 0 ? r : work_enter(work, ret_files, err);
}

/* ---- contents ---- */

static int tell_file(struct work *work, int fd, uint64_t offset, uint64_t most, uint64_t *ret_n, struct err *err)
{
	static char bytes[WORK_DATA_MAX];
	uint64_t done = 0;

	while (done < most) {
		size_t piece = most - done < sizeof(bytes) ? (size_t)(most - done) : sizeof(bytes);
		ssize_t n = pread(fd, bytes, piece, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, ERR_SETUP, errno, "read: %s", strerror(errno));
		if (n == 0)
			break;
		if (work_tell_data(work, bytes, (size_t)n, err) < 0)
			return -EPIPE;
		done += (uint64_t)n;
	}
	*ret_n = done;
	return 0;
}

static int open_file(struct work *work, const char *path, int *ret_fd, struct err *err)
{
	struct coffer_session *session = NULL; /* as long as the process */
	struct coffer_error error;
	int r = work_session(work, &session, err);

	if (r < 0)
		return r;
	r = coffer_session_open_file(session, path, ret_fd, &error);
	return r < 0 ? work_failed(err, &error) : 0;
}

int do_file_read(struct work *work, struct str *result, struct err *err)
{
	char path[PATH_BYTES_MAX + 1];
	struct stat st;
	uint64_t offset = params_count(work->params, "offset", 0), max = params_count(work->params, "max_bytes", WORK_FILE_MAX);
	uint64_t most = params_count(work->params, "length", UINT64_MAX), left, n = 0;
	int r = work_path(work, "path", path, err);
	autofd int fd = -1;

	if (r == 0)
		r = open_file(work, path, &fd, err);
	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return err_set(err, ERR_SETUP, errno, "%s: %s", path, strerror(errno));
	left = (uint64_t)st.st_size > offset ? (uint64_t)st.st_size - offset : 0;
	most = most < left ? most : left;
	if (most > max)
		return err_set(err, ERR_LIMIT, EFBIG, "%s: %llu bytes, which is more than the %llu of max_bytes", path,
		               (unsigned long long)most, (unsigned long long)max);
	r = tell_file(work, fd, offset, most, &n, err);
	str_printf(result, "{\"bytes\":%llu,\"size\":%llu}", (unsigned long long)n, (unsigned long long)st.st_size);
	return r;
}

/* What is to be written is there as a whole before the first byte of it is. */
static int put(struct work *work, struct coffer_file_write *what, struct str *result, struct err *err)
{
	char path[PATH_BYTES_MAX + 1];
	struct coffer_session *session = NULL; /* as long as the process */
	struct coffer_error error;
	uint64_t n = 0;
	autofd int fd = -1;
	int r = work_path(work, "path", path, err);

	what->size = sizeof(*what);
	what->bytes_max = params_count(work->params, "max_bytes", WORK_FILE_MAX);
	if (r == 0)
		r = work_session(work, &session, err);
	if (r == 0)
		r = work_take_input(work, "data", what->bytes_max, &fd, &n, err);
	if (r < 0)
		return r;
	what->input = fd;
	str_printf(result, "{\"bytes\":%llu}", (unsigned long long)n);
	r = coffer_session_write_file(session, path, what, &error);
	return r < 0 ? work_failed(err, &error) : 0;
}

int do_file_write(struct work *work, struct str *result, struct err *err)
{
	uint64_t mode = params_count(work->params, "mode", 0);
	struct coffer_file_write what = { .sets_mode = params_get(work->params, "mode") != NULL,
		                          .mode = (unsigned)mode & PERMISSIONS,
		                          .exclusive = params_flag(work->params, "exclusive", false),
		                          .sync = params_flag(work->params, "sync", false) };

	if (mode > MODE_MAX)
		return err_set(err, ERR_USAGE, ERANGE, "mode: permission bits are at most %d", MODE_MAX);
	return put(work, &what, result, err);
}

int do_file_append(struct work *work, struct str *result, struct err *err)
{
	struct coffer_file_write what = { .append = true };

	return put(work, &what, result, err);
}

static void add_line(struct str *result, const char *name, uint64_t line)
{
	str_printf(result, ",\"%s\":", name);
	if (line)
		str_printf(result, "%llu", (unsigned long long)line);
	else
		str_add(result, "null");
}

int do_file_page(struct work *work, struct str *result, struct err *err)
{
	static const char *const cut[] = { [FILES_NOT_TRUNCATED] = "null", [FILES_BY_LINES] = "\"lines\"", [FILES_BY_BYTES] = "\"bytes\"" };
	char path[PATH_BYTES_MAX + 1];
	struct files files;
	struct files_page page;
	autostr struct str text = { 0 };
	const struct files_page_wish defaults = FILES_PAGE_DEFAULT;
	const struct files_page_wish wish = { .start_line = params_count(work->params, "start_line", defaults.start_line),
		                              .line_count = params_count(work->params, "line_count", defaults.line_count),
		                              .max_bytes = params_count(work->params, "max_bytes", defaults.max_bytes) };
	int r = begin(work, "path", path, &files, err);

	str_init(&text, WORK_RESULT_MAX);
	if (r == 0 && (wish.start_line == 0 || wish.line_count == 0))
		r = err_set(err, ERR_USAGE, EINVAL, "start_line and line_count are at least 1");
	if (r == 0)
		r = files_read_page(&files, path, &wish, &text, &page, err);
	if (r < 0)
		return r;
	str_add(result, "{\"text\":");
	str_add_json(result, text.text, text.len);
	add_line(result, "start_line", page.start_line);
	add_line(result, "end_line", page.end_line);
	add_line(result, "next_line", page.next_line);
	str_printf(result, ",\"truncated\":%s}", cut[page.truncated]);
	return 0;
}

/* ---- names ---- */

int do_file_mkdir(struct work *work, struct str *result, struct err *err)
{
	char path[PATH_BYTES_MAX + 1];
	struct files files;
	uint64_t mode = params_count(work->params, "mode", MODE_DIRECTORY);
	int r = begin(work, "path", path, &files, err);

	str_add(result, "{}");
	if (r == 0 && mode > MODE_MAX)
		r = err_set(err, ERR_USAGE, ERANGE, "mode: permission bits are at most %d", MODE_MAX);
	return r < 0 ? r : files_mkdir(&files, path, (uint32_t)mode, params_flag(work->params, "parents", true), err);
}

/* Enters the session, with both paths read before. */
static int begin_two(const struct work *work, char ret_from[PATH_BYTES_MAX + 1], char ret_to[PATH_BYTES_MAX + 1], struct files *ret_files,
                     struct err *err)
{
	int r = work_path(work, "to", ret_to, err);

	return r < 0 ? r : begin(work, "from", ret_from, ret_files, err);
}

int do_file_move(struct work *work, struct str *result, struct err *err)
{
	char from[PATH_BYTES_MAX + 1], to[PATH_BYTES_MAX + 1];
	struct files files;
	int r = begin_two(work, from, to, &files, err);

	str_add(result, "{}");
	return r < 0 ? r : files_move(&files, from, to, params_flag(work->params, "replace", true), err);
}

int do_file_copy(struct work *work, struct str *result, struct err *err)
{
	char from[PATH_BYTES_MAX + 1], to[PATH_BYTES_MAX + 1];
	struct files files;
	int r = begin_two(work, from, to, &files, err);

	str_add(result, "{}");
	return r < 0 ? r : files_copy(&files, from, to, err);
}

int do_file_remove(struct work *work, struct str *result, struct err *err)
{
	char path[PATH_BYTES_MAX + 1];
	struct files files;
	int r = begin(work, "path", path, &files, err);

	str_add(result, "{}");
	return r < 0 ? r : files_remove(&files, path, params_flag(work->params, "recursive", false), err);
}

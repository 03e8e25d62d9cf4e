/*
 * Theory of operation. Archives are coffer-unpack's business, which is started as the sandbox's user, below one directory. It is opened before this process has become that
 * user, who need not be able to get to it by name. An upload that only streams goes straight from the channel's pipe into it: an archive that breaks off is malformed, so
 * no end has to be told from a breakdown.
 */
#include "channel/work.h"

#include "base/json.h"
#include "base/own.h"
#include "channel/params.h"
#include "files/resolve.h"
#include "sys/beside.h"
#include "sys/fd.h"
#include "sys/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REPORT_MAX = 64 << 10, STATUS_MALFORMED = 3, STATUS_REFUSED, STATUS_LIMIT, STATUS_FAILED, STATUS_INCOMPLETE };
enum { WORDS_MAX = 8, NUMBER_ROOM = 24 };

/* ---- the program ---- */

static int open_unpack(struct err *err)
{
	char path[PATH_BYTES_MAX + 1];
	int fd = beside_find("coffer-unpack", path, sizeof(path)) < 0 ? -1 : open(path, O_PATH | O_CLOEXEC);

	if (fd >= 0 && fd_raise(&fd) == 0)
		return fd;
	return err_set(err, ERR_UNSUPPORTED, ENOENT,
	               "coffer-unpack is neither beside this program nor in %s: archives are beyond this build", COFFER_LIBEXEC);
}

/* One that was given a pipe's end or a file of ours, above the places that the child's go to. */
struct transfer {
	int program, root, input, output, list;
	char *words[WORDS_MAX + 1];
	size_t words_n;
};

static void add_word(struct transfer *transfer, const char *word)
{
	if (transfer->words_n < WORDS_MAX)
		transfer->words[transfer->words_n++] = (char *)(uintptr_t)word;
}

static int start(const struct transfer *transfer, int report, struct process *process, struct err *err)
{
	char path[64];
	autofd int null = fd_open_null();
	const int fds[] = { transfer->input >= 0 ? transfer->input : null, transfer->output >= 0 ? transfer->output : null, report,
		            transfer->root, transfer->list };
	int r;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", transfer->program);
	r = null < 0 ? null : process_spawn(path, transfer->words, fds, transfer->list >= 0 ? 5 : 4, process);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "coffer-unpack: %s", strerror(-r)) : 0;
}

static enum err_code code_of(int status)
{
	switch (status) {
	case STATUS_MALFORMED:
		return ERR_USAGE;
	case STATUS_REFUSED:
		return ERR_POLICY;
	case STATUS_LIMIT:
		return ERR_LIMIT;
	default:
		return ERR_SETUP;
	}
}

static int fail(int status, const json_t *report, struct err *err)
{
	const char *entry = json_string_value(json_object_get(report, "entry"));
	const char *reason = json_string_value(json_object_get(report, "reason"));
	const char *error = json_string_value(json_object_get(report, "error"));

	return err_set(err, code_of(status), status == STATUS_LIMIT ? EFBIG : EINVAL, "archive%s%s: %s%s%s", entry && *entry ? ": " : "",
	               entry && *entry ? entry : "", reason ? reason : "coffer-unpack ended without a word", error ? ": " : "",
	               error ? error : "");
}

static int add_report(const json_t *report, int status, struct str *result)
{
	static const char *const names[] = { "files", "directories", "links", "bytes", "skipped" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		str_printf(result, "%c\"%s\":%lld", i ? ',' : '{', names[i],
		           (long long)json_integer_value(json_object_get(report, names[i])));
	str_printf(result, ",\"incomplete\":%s}", status == STATUS_INCOMPLETE ? "true" : "false");
	return 0;
}

static int finish(int report_end, struct process *process, struct str *result, struct err *err)
{
	static char text[REPORT_MAX];
	size_t n = 0;
	ssize_t got;
	autojson json_t *report = NULL;

	while (n < sizeof(text) && (got = read(report_end, text + n, sizeof(text) - n)) != 0) {
		if (got < 0 && errno != EINTR)
			break;
		n += got > 0 ? (size_t)got : 0;
	}

	const struct process_end end = process_reap(process);
	int status = end.known && WIFEXITED(end.status) ? WEXITSTATUS(end.status) : STATUS_FAILED;
	int r = json_read(text, n, "report", &report, NULL);

	if (r < 0 || (status != 0 && status != STATUS_INCOMPLETE))
		return fail(status, report, err);
	return add_report(report, status, result);
}

/* ---- up ---- */

static int open_target(struct work *work, struct files *files, struct transfer *transfer, struct err *err)
{
	char path[PATH_BYTES_MAX + 1], normal[PATH_BYTES_MAX + 1];
	int r = params_path(params_get(work->params, "path"), path, err);

	if (r == 0)
		r = work_enter(work, files, err);
	if (r == 0)
		r = files_normalize(path, normal, err);
	if (r == 0 && work->request->params && strcmp(work->request->method->name, "file.upload") == 0 && strcmp(normal, ".") != 0)
		r = files_mkdir(files, normal, 0755, true, err);
	if (r == 0)
		r = transfer->root = resolve_path(files, path, O_RDONLY | O_DIRECTORY, err);
	if (r >= 0)
		r = fd_raise(&transfer->root);
	return r < 0 ? r : 0;
}

static int find_input(struct work *work, struct transfer *transfer, struct err *err)
{
	uint64_t n;

	if (work->input >= 0 && !params_get(work->params, "data")) {
		transfer->input = fcntl(work->input, F_DUPFD_CLOEXEC, FD_LOWEST);
		return transfer->input < 0 ? -errno : 0;
	}
	return work_take_input(work, "data", WORK_FILE_MAX, &transfer->input, &n, err);
}

/* `room` is where the number stands as long as the word is needed. */
static void add_limit(const struct work *work, struct transfer *transfer, const char *name, const char *word, char room[NUMBER_ROOM])
{
	if (!params_get(work->params, name))
		return;
	(void)snprintf(room, NUMBER_ROOM, "%llu", (unsigned long long)params_count(work->params, name, 0));
	add_word(transfer, word);
	add_word(transfer, room);
}

int do_file_upload(struct work *work, struct str *result, struct err *err)
{
	char bytes[NUMBER_ROOM], entries[NUMBER_ROOM];
	struct transfer transfer = { .program = open_unpack(err), .root = -1, .input = -1, .output = -1, .list = -1 };
	struct process process;
	struct files files;
	int report[2], r = transfer.program < 0 ? transfer.program : open_target(work, &files, &transfer, err);

	if (r == 0)
		r = find_input(work, &transfer, err);
	if (r == 0)
		r = fd_raise(&transfer.input) < 0 || fd_pipe(report) < 0 ? work_no_memory(err) : 0;
	if (r < 0)
		return r;
	add_word(&transfer, "coffer-unpack");
	add_word(&transfer, "extract");
	add_limit(work, &transfer, "max_bytes", "--bytes", bytes);
	add_limit(work, &transfer, "max_entries", "--entries", entries);
	r = start(&transfer, report[1], &process, err);
	own_close(&report[1]);
	return r < 0 ? r : finish(report[0], &process, result, err);
}

/* ---- down ---- */

static int list_paths(struct work *work, struct transfer *transfer, struct err *err)
{
	const json_t *paths = params_get(work->params, "paths"), *one;
	char path[PATH_BYTES_MAX + 1], normal[PATH_BYTES_MAX + 1];
	autostr struct str list = { 0 };
	size_t i;
	int r = 0;

	str_init(&list, REQUEST_LINE_MAX);
	if (!paths)
		return 0;
	json_array_foreach (paths, i, one) {
		if (r == 0)
			r = params_path(one, path, err);
		if (r == 0)
			r = files_normalize(path, normal, err);
		if (r == 0)
			str_add_n(&list, normal, strlen(normal) + 1);
	}
	if (r < 0)
		return r;
	transfer->list = list.failed ? -ENOMEM : fd_sealed("coffer-paths", list.text, list.len);
	if (transfer->list < 0)
		return work_no_memory(err);
	(void)lseek(transfer->list, 0, SEEK_SET);
	add_word(transfer, "--paths");
	return 0;
}

static int tell_archive(struct work *work, int from, struct err *err)
{
	static char bytes[WORK_DATA_MAX];
	ssize_t n;

	while ((n = read(from, bytes, sizeof(bytes))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || work_tell_data(work, bytes, (size_t)n, err) < 0)
			return -EPIPE;
	}
	return 0;
}

int do_file_download(struct work *work, struct str *result, struct err *err)
{
	struct transfer transfer = { .program = open_unpack(err), .root = -1, .input = -1, .output = -1, .list = -1 };
	struct process process;
	struct files files;
	int report[2], archive[2], r = transfer.program < 0 ? transfer.program : open_target(work, &files, &transfer, err);

	add_word(&transfer, "coffer-unpack");
	add_word(&transfer, "create");
	if (r == 0)
		r = list_paths(work, &transfer, err);
	if (r == 0 && (fd_pipe(report) < 0 || fd_pipe(archive) < 0))
		r = work_no_memory(err);
	if (r < 0)
		return r;
	if (params_flag(work->params, "zstd", false))
		add_word(&transfer, "--zstd");
	transfer.output = archive[1];
	r = start(&transfer, report[1], &process, err);
	own_close(&archive[1]);
	own_close(&report[1]);
	if (r == 0)
		r = tell_archive(work, archive[0], err);
	return r < 0 ? r : finish(report[0], &process, result, err);
}

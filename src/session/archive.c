#include "session/archive.h"

#include "base/json.h"
#include "base/own.h"
#include "engine/spawn.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REPORT_MAX = 64 << 10, STATUS_MALFORMED = 3, STATUS_REFUSED, STATUS_LIMIT, STATUS_FAILED, STATUS_INCOMPLETE };
#define RATIO_ANY "1000000000"
enum { WORDS_MAX = 20, ROOM = 24 };

/* ---- its words ---- */

struct words {
	const char *at[WORDS_MAX + 1];
	size_t n;
	char bytes[ROOM], entries[ROOM], user[2 * ROOM];
};

static void add(struct words *words, const char *word)
{
	if (words->n < WORDS_MAX)
		words->at[words->n++] = word;
}

static void add_flag(struct words *words, bool flag, const char *word)
{
	if (flag)
		add(words, word);
}

static void add_limit(struct words *words, const char *word, uint64_t number, char room[ROOM])
{
	if (!number)
		return;
	(void)snprintf(room, ROOM, "%llu", (unsigned long long)number);
	add(words, word);
	add(words, room);
}

static void choose_words(const struct archive_wish *wish, struct words *words)
{
	words->n = 0;
	add(words, "coffer-unpack");
	add(words, wish->extract ? "extract" : "create");
	add_flag(words, wish->snapshot, "--snapshot");
	add_flag(words, wish->zstd, "--zstd");
	add_flag(words, wish->paths, "--paths");
	add_flag(words, wish->links_inside, "--links-inside");
	add_flag(words, wish->trusted, "--ratio");
	add_flag(words, wish->trusted, RATIO_ANY);
	add_limit(words, "--bytes", wish->bytes, words->bytes);
	add_limit(words, "--entries", wish->entries, words->entries);
	if (wish->as_other) {
		(void)snprintf(words->user, sizeof(words->user), "%u:%u", wish->uid, wish->gid);
		add(words, "--user");
		add(words, words->user);
	}
	words->at[words->n] = NULL;
}

/* ---- the program ---- */

static int spawn(const struct archive_wish *wish, int report, int list, struct process *process)
{
	char path[PATH_BYTES_MAX + 1];
	struct words words;
	struct err unknown = { 0 };
	autofd int null = fd_open_null();
	const int fds[] = { wish->extract ? wish->stream : null, wish->extract ? null : wish->stream, report, wish->root, list };
	int r = null < 0 ? null : spawn_find("coffer-unpack", path, &unknown);

	choose_words(wish, &words);
	return r < 0 ? r : process_spawn(path, (char *const *)(uintptr_t)words.at, fds, list >= 0 ? 5 : 4, process);
}

/* What the program gets of ours, where it cannot be overwritten. */
static int start(const struct archive_wish *wish, int stream, struct archive_work *work)
{
	const struct str *paths = wish->paths;
	struct archive_wish raised = *wish;
	autofd int root = fcntl(wish->root, F_DUPFD_CLOEXEC, FD_LOWEST), raised_stream = fcntl(stream, F_DUPFD_CLOEXEC, FD_LOWEST);
	autofd int list = paths ? fd_sealed("coffer-paths", paths->text, paths->len) : -1;
	int ends[2], r = root < 0 || raised_stream < 0 || (paths && (paths->failed || list < 0 || lseek(list, 0, SEEK_SET) < 0))
	                     ? -EMFILE
	                     : fd_pipe(ends);

	if (r < 0)
		return r;

	autofd int theirs = ends[1];
	autofd int ours = ends[0];

	raised.root = root;
	raised.stream = raised_stream;
	r = spawn(&raised, theirs, list, &work->process);
	if (r == 0)
		work->report = TAKE_FD(ours);
	return r;
}

int archive_start(const struct archive_wish *wish, struct archive_work *ret_work, struct err *err)
{
	int ends[2] = { -1, -1 }, r = wish->stream < 0 ? fd_pipe(ends) : 0;
	autofd int theirs = wish->extract ? ends[0] : ends[1];
	autofd int ours = wish->extract ? ends[1] : ends[0];
	struct archive_work work = { .report = -1, .pipe = -1 };

	if (r == 0)
		r = start(wish, wish->stream < 0 ? theirs : wish->stream, &work);
	if (r == -ENOENT)
		return err_set(err, ERR_UNSUPPORTED, ENOENT,
		               "coffer-unpack is neither beside this program nor in %s: archives are beyond this build", COFFER_LIBEXEC);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "coffer-unpack: %s", strerror(-r));
	work.pipe = TAKE_FD(ours);
	*ret_work = work;
	return 0;
}

/* ---- its report ---- */

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

static uint64_t count(const json_t *report, const char *name)
{
	json_int_t n = json_integer_value(json_object_get(report, name));

	return n > 0 ? (uint64_t)n : 0;
}

static void take_report(const json_t *report, bool incomplete, struct archive_report *to)
{
	const char *entry = json_string_value(json_object_get(report, "entry"));

	*to = (struct archive_report){ .files = count(report, "files"),
		                       .directories = count(report, "directories"),
		                       .links = count(report, "links"),
		                       .bytes = count(report, "bytes"),
		                       .skipped = count(report, "skipped"),
		                       .incomplete = incomplete };
	(void)snprintf(to->entry, sizeof(to->entry), "%s", incomplete && entry ? entry : "");
}

static size_t read_report(int from, char *text, size_t room)
{
	size_t n = 0;
	ssize_t got;

	while (n < room && (got = read(from, text + n, room - n)) != 0) {
		if (got < 0 && errno != EINTR)
			break;
		n += got > 0 ? (size_t)got : 0;
	}
	return n;
}

int archive_finish(struct archive_work *work, struct archive_report *ret_report, struct err *err)
{
	autofree char *text = malloc(REPORT_MAX);
	autojson json_t *report = NULL;
	size_t n;

	own_close(&work->pipe);
	n = text ? read_report(work->report, text, REPORT_MAX) : 0;
	own_close(&work->report);

	const struct process_end end = process_reap(&work->process);
	int status = end.known && WIFEXITED(end.status) ? WEXITSTATUS(end.status) : STATUS_FAILED;
	int r = json_read(text ? text : "", n, "report", &report, NULL);

	if (r < 0 || (status != 0 && status != STATUS_INCOMPLETE))
		return fail(status, report, err);
	take_report(report, status == STATUS_INCOMPLETE, ret_report);
	return 0;
}

/*
 * Theory of operation. An upload that only streams goes straight from the channel's pipe into coffer-unpack: an archive that breaks off is malformed, so no end has to be
 * told from a breakdown.
 */
#include "channel/work.h"

#include "base/own.h"
#include "channel/params.h"
#include "files/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* The session and the path of the request; both as long as the process. */
static int begin(struct work *work, struct coffer_session **ret_session, char path[PATH_BYTES_MAX + 1], struct err *err)
{
	int r = work_path(work, "path", path, err);

	return r < 0 ? r : work_session(work, ret_session, err);
}

static int finish(struct coffer_archive *archive, struct str *result, struct err *err)
{
	struct coffer_archive_report report;
	struct coffer_error error;

	if (coffer_archive_finish(archive, &report, &error) < 0)
		return work_failed(err, &error);
	str_printf(result, "{\"files\":%llu,\"directories\":%llu,\"links\":%llu,\"bytes\":%llu,\"skipped\":%llu,\"incomplete\":%s}",
	           (unsigned long long)report.files, (unsigned long long)report.directories, (unsigned long long)report.links,
	           (unsigned long long)report.bytes, (unsigned long long)report.skipped, report.incomplete ? "true" : "false");
	return 0;
}

/* ---- up ---- */

static int find_input(struct work *work, int *ret_fd, struct err *err)
{
	uint64_t n;

	if (work->input < 0 || params_get(work->params, "data"))
		return work_take_input(work, "data", WORK_FILE_MAX, ret_fd, &n, err);
	*ret_fd = fcntl(work->input, F_DUPFD_CLOEXEC, 0);
	return *ret_fd < 0 ? work_no_memory(err) : 0;
}

int do_file_upload(struct work *work, struct str *result, struct err *err)
{
	char path[PATH_BYTES_MAX + 1];
	struct coffer_archive_options options = { .size = sizeof(options),
		                                  .descriptor = -1,
		                                  .bytes_max = params_count(work->params, "max_bytes", 0),
		                                  .entries_max = params_count(work->params, "max_entries", 0) };
	struct coffer_session *session = NULL;
	struct coffer_archive *archive = NULL;
	struct coffer_error error;
	int r = begin(work, &session, path, err);
	autofd int input = -1;

	if (r == 0)
		r = find_input(work, &input, err);
	if (r < 0)
		return r;
	options.descriptor = input;
	if (coffer_session_unpack(session, path, &options, &archive, &error) < 0)
		return work_failed(err, &error);
	return finish(archive, result, err);
}

/* ---- down ---- */

static int list_paths(const struct work *work, const char **ret_paths, size_t n, struct err *err)
{
	const json_t *paths = params_get(work->params, "paths");
	char path[PATH_BYTES_MAX + 1], normal[PATH_BYTES_MAX + 1];

	for (size_t i = 0; i < n; i++) {
		int r = params_path(json_array_get(paths, i), path, err);

		if (r == 0)
			r = files_normalize(path, normal, err);
		if (r < 0)
			return r;
		ret_paths[i] = strdup(normal); /* as long as the process */
		if (!ret_paths[i])
			return work_no_memory(err);
	}
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
	char path[PATH_BYTES_MAX + 1];
	const json_t *wanted = params_get(work->params, "paths");
	size_t n = json_array_size(wanted);
	autofree const char **paths = calloc(n + 1, sizeof(*paths));
	const struct coffer_archive_options options = {
		.size = sizeof(options), .descriptor = -1, .paths = wanted ? paths : NULL, .zstd = params_flag(work->params, "zstd", false)
	};
	struct coffer_session *session = NULL;
	struct coffer_archive *archive = NULL;
	struct coffer_error error;
	int r;

	if (!paths)
		return work_no_memory(err);
	r = begin(work, &session, path, err);
	if (r == 0)
		r = list_paths(work, paths, n, err);
	if (r < 0)
		return r;
	if (coffer_session_pack(session, path, &options, &archive, &error) < 0)
		return work_failed(err, &error);

	autofd int from = coffer_archive_descriptor(archive);

	r = tell_archive(work, from, err);
	return r < 0 ? r : finish(archive, result, err);
}

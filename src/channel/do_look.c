#include "channel/work.h"

#include "base/own.h"
#include "channel/params.h"
#include "files/files.h"
#include "files/watch.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { LOOK_ARENA_MAX = 256 << 20, ENTRIES_DEFAULT = 10000, ENTRIES_MAX = 100000, MATCHES_DEFAULT = 1000 };

static int begin(const struct work *work, char ret_path[PATH_BYTES_MAX + 1], struct files *ret_files, struct err *err)
{
	uint64_t most = params_count(work->params, "max_entries", ENTRIES_DEFAULT);
	int r = params_path(params_get(work->params, "path"), ret_path, err);

	if (r == 0 && (most == 0 || most > ENTRIES_MAX))
		r = err_set(err, ERR_USAGE, ERANGE, "max_entries: 1 to %d", ENTRIES_MAX);
	if (r == 0)
		r = work_enter(work, ret_files, err);
	if (r == 0 && params_get(work->params, "max_entries"))
		ret_files->entries_max = most;
	return r;
}

/* ---- entries ---- */

static void add_cut(struct str *out, enum files_cut cut)
{
	str_add(out, ",\"cut\":");
	str_add_json_text(out, files_cut_name(cut));
}

static void add_list(struct str *out, const struct files_list *list)
{
	str_add(out, "{\"entries\":[");
	for (size_t i = 0; i < list->entries.n; i++) {
		str_add(out, i ? ",{" : "{");
		files_stat_print(&list->entries.at[i].stat, list->entries.at[i].path, out);
		str_add_char(out, '}');
	}
	str_add_char(out, ']');
	add_cut(out, list->cut);
	str_add_char(out, '}');
}

int do_file_stat(struct work *work, struct str *result, struct err *err)
{
	char path[PATH_BYTES_MAX + 1], normal[PATH_BYTES_MAX + 1], target[PATH_BYTES_MAX + 1];
	struct files files;
	struct files_stat stat;
	struct err absent = { 0 };
	int r = begin(work, path, &files, err);

	if (r == 0)
		r = files_normalize(path, normal, err);
	if (r == 0)
		r = files_stat(&files, path, params_flag(work->params, "follow", true), &stat, err);
	if (r < 0)
		return r;
	str_add_char(result, '{');
	files_stat_print(&stat, strcmp(normal, ".") == 0 ? "" : normal, result);
	if (stat.kind == FILES_SYMLINK && files_readlink(&files, path, target, &absent) == 0) {
		str_add(result, ",\"target\":");
		str_add_json_path(result, target);
	}
	str_add_char(result, '}');
	return 0;
}

int do_file_list(struct work *work, struct str *result, struct err *err)
{
	char path[PATH_BYTES_MAX + 1];
	struct files files;
	struct files_list list;
	struct arena arena;
	uint64_t depth = params_count(work->params, "depth", 1);
	int r = begin(work, path, &files, err);

	arena_init(&arena, LOOK_ARENA_MAX);
	if (r == 0 && (depth == 0 || depth > FILES_DEPTH_MAX))
		r = err_set(err, ERR_USAGE, ERANGE, "depth: 1 to %d", FILES_DEPTH_MAX);
	if (r == 0)
		r = files_list(&files, path, (unsigned)depth, &arena, &list, err);
	if (r == 0)
		add_list(result, &list);
	arena_done(&arena);
	return r;
}

int do_file_glob(struct work *work, struct str *result, struct err *err)
{
	char path[PATH_BYTES_MAX + 1];
	struct files files;
	struct files_list list;
	struct arena arena;
	int r = begin(work, path, &files, err);

	arena_init(&arena, LOOK_ARENA_MAX);
	if (r == 0)
		r = files_glob(&files, params_text(work->params, "pattern"), &arena, &list, err);
	if (r == 0)
		add_list(result, &list);
	arena_done(&arena);
	return r;
}

/* ---- lines ---- */

static void add_match(struct str *out, const struct files_match *match)
{
	str_add(out, "{\"path\":");
	str_add_json_path(out, match->path);
	str_printf(out, ",\"line\":%llu,\"column\":%llu,\"text\":", (unsigned long long)match->line, (unsigned long long)match->column);
	str_add_json(out, match->text, match->text_len);
	str_printf(out, ",\"line_cut\":%s}", match->line_cut ? "true" : "false");
}

int do_file_grep(struct work *work, struct str *result, struct err *err)
{
	char path[PATH_BYTES_MAX + 1];
	struct files files;
	struct files_matches found;
	struct arena arena;
	const struct files_grep wish = { .path = path,
		                         .pattern = params_text(work->params, "pattern"),
		                         .plain = params_flag(work->params, "plain", false),
		                         .only = params_text(work->params, "only"),
		                         .matches_max = (size_t)params_count(work->params, "max_matches", MATCHES_DEFAULT) };
	int r = begin(work, path, &files, err);

	arena_init(&arena, LOOK_ARENA_MAX);
	if (r == 0)
		r = files_grep(&files, &wish, &arena, &found, err);
	if (r < 0)
		return r;
	str_add(result, "{\"matches\":[");
	for (size_t i = 0; i < found.matches.n; i++) {
		str_add(result, i ? "," : "");
		add_match(result, &found.matches.at[i]);
	}
	str_printf(result, "],\"files\":%llu,\"binary\":%llu", (unsigned long long)found.files, (unsigned long long)found.binary);
	add_cut(result, found.cut);
	str_add_char(result, '}');
	arena_done(&arena);
	return 0;
}

/* ---- changes ---- */

static int tell_change(struct work *work, const struct files_event *event, struct err *err)
{
	autostr struct str members = { 0 };

	str_init(&members, 16 * PATH_BYTES_MAX);
	str_printf(&members, "\"change\":\"%s\",\"directory\":%s,\"path\":", files_change_name(event->change),
	           event->directory ? "true" : "false");
	str_add_json_path(&members, event->path);
	if (event->change == FILES_MOVED) {
		str_add(&members, ",\"from\":");
		str_add_json_path(&members, event->from);
	}
	return members.failed ? work_no_memory(err) : work_tell(work, WORK_EVENT, "change", members.text, err);
}

int do_file_watch(struct work *work, struct str *result, struct err *err)
{
	char path[PATH_BYTES_MAX + 1];
	struct files files;
	struct files_watch *watch = NULL;
	struct files_event event = { 0 };
	int r = begin(work, path, &files, err);

	if (r == 0)
		r = files_watch_open(&files, path, params_flag(work->params, "recursive", true), &watch, err);
	if (r == 0)
		r = work_tell(work, WORK_EVENT, "watching", "", err);
	while (r == 0 && event.change != FILES_GONE) {
		r = files_watch_next(watch, -1, &event, err);
		if (r == 1)
			r = tell_change(work, &event, err);
	}
	files_watch_close(&watch);
	str_add(result, "{}");
	return r;
}

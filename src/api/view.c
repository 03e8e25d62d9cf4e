#include "api/api.h"

#include "base/own.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PERMISSIONS = 0777, PATHS_MAX = 64 << 20 };

int coffer_session_text(struct coffer_session *session, char **ret_text, struct coffer_error *error)
{
	struct err err = { 0 };
	struct arena arena;
	struct session_entry entry;
	autostr struct str text = { 0 };
	arena_init(&arena, API_ARENA_MAX);
	str_init(&text, API_ARENA_MAX);
	int r = api_fail(sessions_look(&session->coffer->session, session->name, &arena, &entry, &err), &err, error);
	if (r == 0) {
		sessions_print_one_json(&entry, &text);
		r = api_give_text(&text, ret_text, error);
	}
	arena_done(&arena);
	return r;
}

static int open_view(struct coffer_session *session, struct session_view *view, struct err *err)
{
	return view_open(&session->coffer->session, session->name, (const char *const *)environ, view, err);
}

int coffer_session_room(struct coffer_session *session, uint64_t *ret_bytes, uint64_t *ret_files, struct coffer_error *error)
{
	struct err err = { 0 };
	struct quota_use room;
	struct live live;
	int r = sessions_connect(&session->coffer->session, session->name, (const char *const *)environ, true, &live, &err);
	if (r < 0)
		return api_fail(r, &err, error);
	room = quota_room(&live.template);
	live_close(&live);
	*ret_bytes = room.bytes;
	*ret_files = room.files;
	return 0;
}

int coffer_session_view_open(struct coffer_session *session, struct coffer_session_view *ret_view, struct coffer_error *error)
{
	struct err err = { 0 };
	struct session_view view;
	int r = open_view(session, &view, &err);
	if (r < 0)
		return api_fail(r, &err, error);
	*ret_view = (struct coffer_session_view){ .root = TAKE_FD(view.live.root),
		                                  .directory = TAKE_FD(view.directory),
		                                  .uid = view.live.hello.owner_uid,
		                                  .gid = view.live.hello.owner_gid,
		                                  .connection = TAKE_FD(view.live.socket) };
	view_close(&view);
	return 0;
}

void coffer_session_view_close(struct coffer_session_view *view)
{
	own_close(&view->root);
	own_close(&view->directory);
	own_close(&view->connection);
}

/* ---- files ---- */

int coffer_session_open_file(struct coffer_session *session, const char *path, int *ret_fd, struct coffer_error *error)
{
	struct err err = { 0 };
	struct session_view view;
	int r = open_view(session, &view, &err);
	if (r < 0)
		return api_fail(r, &err, error);
	r = view_open_file(&view, path, ret_fd, &err);
	view_close(&view);
	return api_fail(r, &err, error);
}

int coffer_session_write_file(struct coffer_session *session, const char *path, const struct coffer_file_write *what,
                              struct coffer_error *error)
{
	const struct view_write how = { .from = what->input,
		                        .mode = what->sets_mode ? (int)what->mode : VIEW_KEEP_MODE,
		                        .append = what->append,
		                        .exclusive = what->exclusive,
		                        .sync = what->sync,
		                        .bytes_max = what->bytes_max };
	struct err err = { 0 };
	struct session_view view;
	if (what->size != sizeof(*what) || (what->sets_mode && what->mode > PERMISSIONS))
		return api_fail(err_set(&err, ERR_USAGE, EINVAL, "mode: permissions are at most 0777"), &err, error);
	int r = open_view(session, &view, &err);
	if (r < 0)
		return api_fail(r, &err, error);
	r = view_write(&view, path, &how, &err);
	view_close(&view);
	return api_fail(r, &err, error);
}

int coffer_session_files_text(struct coffer_session *session, const char *path, enum coffer_format format, char **ret_text,
                              struct coffer_error *error)
{
	struct err err = { 0 };
	struct session_view view;
	autostr struct str text = { 0 };
	int r = open_view(session, &view, &err);
	if (r < 0)
		return api_fail(r, &err, error);
	str_init(&text, API_ARENA_MAX);
	r = view_list(&view, path, format == COFFER_JSON, &text, &err);
	view_close(&view);
	return r < 0 ? api_fail(r, &err, error) : api_give_text(&text, ret_text, error);
}

/* ---- trees ---- */

static void give_report(const struct archive_report *from, struct coffer_archive_report *to)
{
	*to = (struct coffer_archive_report){ .files = from->files,
		                              .directories = from->directories,
		                              .links = from->links,
		                              .bytes = from->bytes,
		                              .skipped = from->skipped,
		                              .incomplete = from->incomplete };
	memcpy(to->entry, from->entry, sizeof(to->entry));
}

/* From one path to the other. */
typedef int copy_way(const struct session_view *view, const char *from, const char *to, struct archive_report *ret_report, struct err *err);

static int copy(struct coffer_session *session, copy_way *way, const char *const paths[2], struct coffer_archive_report *ret_report,
                struct err *err)
{
	struct session_view view;
	struct archive_report report;
	int r = open_view(session, &view, err);
	if (r < 0)
		return r;
	r = way(&view, paths[0], paths[1], &report, err);
	view_close(&view);
	if (r == 0)
		give_report(&report, ret_report);
	return r;
}

int coffer_session_copy_in(struct coffer_session *session, const char *outer, const char *path, struct coffer_archive_report *ret_report,
                           struct coffer_error *error)
{
	struct err err = { 0 };
	return api_fail(copy(session, view_copy_in, (const char *[]){ outer, path }, ret_report, &err), &err, error);
}

int coffer_session_copy_out(struct coffer_session *session, const char *path, const char *outer, struct coffer_archive_report *ret_report,
                            struct coffer_error *error)
{
	struct err err = { 0 };
	return api_fail(copy(session, view_copy_out, (const char *[]){ path, outer }, ret_report, &err), &err, error);
}

/* ---- archives ---- */

struct coffer_archive {
	struct session_view view; /* as long as it takes: the session is in use */
	struct archive_work work;
};

static void list_paths(const char *const *paths, struct str *list)
{
	str_init(list, PATHS_MAX);
	for (; *paths; paths++)
		str_add_n(list, *paths, strlen(*paths) + 1);
}

static int start(struct coffer_archive *archive, const char *path, const struct coffer_archive_options *options, bool extract,
                 struct err *err)
{
	autostr struct str list = { 0 };
	struct archive_wish wish = { .extract = extract,
		                     .stream = options->descriptor,
		                     .bytes = options->bytes_max,
		                     .entries = options->entries_max,
		                     .zstd = options->zstd };
	if (options->paths && !extract) {
		list_paths(options->paths, &list);
		wish.paths = &list;
	}
	return view_archive(&archive->view, path, wish, &archive->work, err);
}

static void drop_archive(struct coffer_archive *archive)
{
	view_close(&archive->view);
	free(archive);
}

static int begin(struct coffer_session *session, const char *path, const struct coffer_archive_options *options, bool extract,
                 struct coffer_archive **ret_archive, struct err *err)
{
	struct coffer_archive *archive = calloc(1, sizeof(*archive));
	if (!archive || options->size != sizeof(*options)) {
		free(archive);
		return err_set(err, ERR_USAGE, EINVAL, "archive options of another size: compile with this library's header");
	}
	int r = open_view(session, &archive->view, err);
	if (r < 0) {
		free(archive);
		return r;
	}
	r = start(archive, path, options, extract, err);
	if (r < 0)
		drop_archive(archive);
	else
		*ret_archive = archive;
	return r;
}

int coffer_session_pack(struct coffer_session *session, const char *path, const struct coffer_archive_options *options,
                        struct coffer_archive **ret_archive, struct coffer_error *error)
{
	struct err err = { 0 };
	return api_fail(begin(session, path, options, false, ret_archive, &err), &err, error);
}

int coffer_session_unpack(struct coffer_session *session, const char *path, const struct coffer_archive_options *options,
                          struct coffer_archive **ret_archive, struct coffer_error *error)
{
	struct err err = { 0 };
	return api_fail(begin(session, path, options, true, ret_archive, &err), &err, error);
}

int coffer_archive_descriptor(struct coffer_archive *archive)
{
	return TAKE_FD(archive->work.pipe);
}

int coffer_archive_finish(struct coffer_archive *archive, struct coffer_archive_report *ret_report, struct coffer_error *error)
{
	struct err err = { 0 };
	struct archive_report report;
	int r = archive_finish(&archive->work, &report, &err);
	if (r == 0)
		give_report(&report, ret_report);
	drop_archive(archive);
	return api_fail(r, &err, error);
}

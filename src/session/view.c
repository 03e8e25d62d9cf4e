/*
 * Theory of operation. Root's sessions have users of their own. Their files are worked on as that user by this thread alone (caps_files_as): a library may not change what
 * its caller's process is. Archives are made by a program that becomes the user before it reads anything.
 */
#include "session/view.h"

#include "base/own.h"
#include "engine/quota.h"
#include "files/files.h"
#include "files/resolve.h"
#include "sys/caps.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert((int)VIEW_KEEP_MODE == (int)FILES_KEEP_MODE, "a mode goes through as it is");

#define ARCHIVE_BYTES ((uint64_t)4 << 30)
enum { ARCHIVE_ENTRIES = 1000000 };
enum { VIEW_ARENA_MAX = 64 << 20, PIECE = 64 << 10, MODE_DIRECTORY = 0755, TIME_ROOM = 32 };

/* ---- opening ---- */

/* The sandbox may have put links there. */
static int open_inside(int root, const char *path)
{
	struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	long fd = syscall(SYS_openat2, root, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

static int open_directory(const struct session *session, const char *id, struct session_view *view, struct err *err)
{
	struct session_entry entry;
	struct arena arena;
	int r;

	arena_init(&arena, VIEW_ARENA_MAX);
	r = sessions_look(session, id, &arena, &entry, err);
	if (r == 0)
		(void)snprintf(view->workdir, sizeof(view->workdir), "%s", sessions_workdir(&entry));
	arena_done(&arena);
	if (r < 0)
		return r;
	view->directory = open_inside(view->live.root, view->workdir);
	if (view->directory < 0)
		return err_set(err, ERR_NOTFOUND, -view->directory, "session %s: its directory %s: %s", id, view->workdir,
		               strerror(-view->directory));
	return 0;
}

int view_open(const struct session *session, const char *id, const char *const *env, struct session_view *ret_view, struct err *err)
{
	struct session_view view = { .directory = -1 };
	int r = sessions_connect(session, id, env, true, &view.live, err);

	if (r < 0)
		return r;
	r = open_directory(session, id, &view, err);
	if (r < 0)
		view_close(&view);
	else
		*ret_view = view;
	return r;
}

void view_close(struct session_view *view)
{
	own_close(&view->directory);
	live_close(&view->live);
}

/* ---- paths, and whose they are ---- */

/* Made relative to the session's directory. */
static int take_path(const struct session_view *view, const char *path, const char **ret_path, struct err *err)
{
	size_t n = strlen(view->workdir);

	if (*path != '/') {
		*ret_path = path;
		return 0;
	}
	n -= view->workdir[n - 1] == '/';
	if (strncmp(path, view->workdir, n) != 0 || (path[n] && path[n] != '/'))
		return err_set(err, ERR_POLICY, EINVAL, "path \"%s\": the session's files are those below %s", path, view->workdir);
	*ret_path = path + n + strspn(path + n, "/");
	return 0;
}

/* From here to caps_files_back this thread is the session's user, as far as files go. */
static int begin(const struct session_view *view, const char **path, struct files *files, struct caps_files *before, struct err *err)
{
	int r = take_path(view, *path, path, err);

	if (r < 0)
		return r;
	files_init(files, view->directory);
	r = caps_files_as(view->live.hello.owner_uid, view->live.hello.owner_gid, before);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "working as the session's user: %s", strerror(-r)) : 0;
}

/* The same, for what adds to the workspace: what there is room for is found out as whoever may see all of it. */
static int begin_adding(const struct session_view *view, const char **path, struct files *files, struct caps_files *before, struct err *err)
{
	struct quota_use room = quota_room(&view->live.template);
	int r = begin(view, path, files, before, err);

	if (r == 0) {
		files->room_bytes = room.bytes;
		files->room_files = room.files;
	}
	return r;
}

/* ---- files ---- */

int view_open_file(const struct session_view *view, const char *path, int *ret_fd, struct err *err)
{
	struct caps_files before;
	struct files files;
	int r = begin(view, &path, &files, &before, err);

	if (r < 0)
		return r;
	r = files_open_file(&files, path, ret_fd, err);
	caps_files_back(&before);
	return r;
}

static int read_all(int from, uint64_t most, struct str *bytes, struct err *err)
{
	char piece[PIECE];
	ssize_t n;

	while ((n = read(from, piece, sizeof(piece))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, ERR_SETUP, errno, "what is to be appended cannot be read: %s", strerror(errno));
		str_add_n(bytes, piece, (size_t)n);
		if (bytes->failed)
			return err_set(err, ERR_LIMIT, EFBIG, "more than %llu bytes to append: write the file anew, or append in pieces",
			               (unsigned long long)most);
	}
	return 0;
}

static int append(const struct files *files, const char *path, const struct str *bytes, struct err *err)
{
	return files_append(files, path, bytes->text, bytes->len, err);
}

/* What is appended is there as a whole before the first byte of it is. */
static int append_all(const struct session_view *view, const char *path, const struct view_write *what, struct err *err)
{
	uint64_t most = what->bytes_max && what->bytes_max < VIEW_APPEND_MAX ? what->bytes_max : VIEW_APPEND_MAX;
	autostr struct str bytes = { 0 };
	struct caps_files before;
	struct files files;
	int r;

	str_init(&bytes, (size_t)most + 1);
	r = read_all(what->from, most, &bytes, err);
	if (r == 0)
		r = begin_adding(view, &path, &files, &before, err);
	if (r < 0)
		return r;
	files.bytes_max = what->bytes_max ? what->bytes_max : UINT64_MAX;
	r = append(&files, path, &bytes, err);
	caps_files_back(&before);
	return r;
}

int view_write(const struct session_view *view, const char *path, const struct view_write *what, struct err *err)
{
	const struct files_write how = { .from = what->from, .mode = what->mode, .exclusive = what->exclusive, .sync = what->sync };
	struct caps_files before;
	struct files files;
	int r;

	if (what->append)
		return append_all(view, path, what, err);
	r = begin_adding(view, &path, &files, &before, err);
	if (r < 0)
		return r;
	files.bytes_max = what->bytes_max ? what->bytes_max : UINT64_MAX;
	r = files_write(&files, path, &how, err);
	caps_files_back(&before);
	return r;
}

/* ---- names ---- */

static void add_permissions(struct str *out, const struct files_stat *stat)
{
	static const char letters[] = "rwxrwxrwx",
			  kinds[] = { [FILES_FILE] = '-', [FILES_DIRECTORY] = 'd', [FILES_SYMLINK] = 'l', [FILES_OTHER] = '?' };

	str_add_char(out, kinds[stat->kind]);
	for (unsigned i = 0; i < 9; i++)
		str_add_n(out, stat->mode & (0400u >> i) ? letters + i : "-", 1);
}

static void add_line(const struct files *files, const struct files_entry *entry, struct str *out)
{
	char when[TIME_ROOM] = "", target[PATH_BYTES_MAX + 1];
	struct err absent = { 0 };
	struct tm tm;

	if (localtime_r(&entry->stat.mtime.tv_sec, &tm))
		(void)strftime(when, sizeof(when), "%Y-%m-%d %H:%M", &tm);
	add_permissions(out, &entry->stat);
	str_printf(out, " %12llu %s ", (unsigned long long)entry->stat.size, when);
	str_add_escaped(out, entry->path, strlen(entry->path));
	if (entry->stat.kind == FILES_SYMLINK && files_readlink(files, entry->path, target, &absent) == 0) {
		str_add(out, " -> ");
		str_add_escaped(out, target, strlen(target));
	}
	str_add_char(out, '\n');
}

static void print_list(const struct files *files, const struct files_list *list, bool json, struct str *out)
{
	str_add(out, json ? "[" : "");
	for (size_t i = 0; i < list->entries.n; i++) {
		if (!json) {
			add_line(files, &list->entries.at[i], out);
			continue;
		}
		str_add(out, i ? ",\n {" : "{");
		files_stat_print(&list->entries.at[i].stat, list->entries.at[i].path, out);
		str_add_char(out, '}');
	}
	str_add(out, json ? "]\n" : "");
}

static int find_all(const struct files *files, const char *path, struct arena *arena, struct files_list *list, struct err *err)
{
	char normal[PATH_BYTES_MAX + 1];
	struct files_stat stat;
	struct files_entry *only;
	int r = files_normalize(path, normal, err);

	if (r == 0)
		r = files_stat(files, path, true, &stat, err);
	if (r < 0)
		return r;
	if (stat.kind == FILES_DIRECTORY)
		return files_list(files, path, 1, arena, list, err);
	*list = (struct files_list){ .cut = FILES_WHOLE };
	only = files_entry_vec_add(&list->entries, arena);
	if (!only || !(only->path = arena_dup(arena, normal)))
		return err_set(err, ERR_LIMIT, ENOMEM, "no memory for a list");
	only->stat = stat;
	return 0;
}

int view_list(const struct session_view *view, const char *path, bool json, struct str *out, struct err *err)
{
	struct caps_files before;
	struct files files;
	struct files_list list;
	struct arena arena;
	int r = begin(view, &path, &files, &before, err);

	if (r < 0)
		return r;
	arena_init(&arena, VIEW_ARENA_MAX);
	r = find_all(&files, path, &arena, &list, err);
	if (r == 0)
		print_list(&files, &list, json, out);
	caps_files_back(&before);
	if (r == 0 && list.cut != FILES_WHOLE)
		r = err_set(err, ERR_LIMIT, EFBIG, "%s: not all of it can be listed: %s", path, files_cut_name(list.cut));
	arena_done(&arena);
	return r;
}

int view_is_directory(const struct session_view *view, const char *path, bool *ret_is, struct err *err)
{
	struct caps_files before;
	struct files files;
	struct files_stat stat;
	struct err why = { 0 };
	int r = begin(view, &path, &files, &before, err);

	if (r < 0)
		return r;
	r = files_stat(&files, path, true, &stat, &why);
	caps_files_back(&before);
	if (r < 0)
		return why.code == ERR_NOTFOUND ? -ENOENT : err_set(err, why.code, why.errnum, "%s", why.text);
	*ret_is = stat.kind == FILES_DIRECTORY;
	return 0;
}

/* ---- archives ---- */

static int open_tree(const struct session_view *view, const char *path, bool make, struct err *err)
{
	char normal[PATH_BYTES_MAX + 1];
	struct caps_files before;
	struct files files;
	int r = make ? begin_adding(view, &path, &files, &before, err) : begin(view, &path, &files, &before, err);

	if (r < 0)
		return r;
	r = files_normalize(path, normal, err);
	if (r == 0 && make && strcmp(normal, ".") != 0)
		r = files_mkdir(&files, normal, MODE_DIRECTORY, true, err);
	if (r == 0)
		r = resolve_path(&files, path, O_RDONLY | O_DIRECTORY, err);
	caps_files_back(&before);
	return r;
}

/* What coffer-unpack allows where it is told nothing is less than any room but a small one. */
static int limit_to_room(const struct session_view *view, const char *path, struct archive_wish *wish, struct err *err)
{
	struct quota_use room = quota_room(&view->live.template);

	if (room.bytes == 0 || room.files == 0)
		return err_set(err, ERR_LIMIT, EDQUOT,
		               "%s: the workspace holds as much as limits.workspaceSize and limits.workspaceFiles let it", path);
	if (room.bytes < (wish->bytes ? wish->bytes : ARCHIVE_BYTES))
		wish->bytes = room.bytes;
	if (room.files < (wish->entries ? wish->entries : ARCHIVE_ENTRIES))
		wish->entries = room.files;
	return 0;
}

int view_archive(const struct session_view *view, const char *path, struct archive_wish wish, struct archive_work *ret_work,
                 struct err *err)
{
	int r = wish.extract ? limit_to_room(view, path, &wish, err) : 0;

	if (r < 0)
		return r;

	autofd int root = open_tree(view, path, wish.extract, err);

	if (root < 0)
		return root;
	wish.root = root;
	wish.uid = view->live.hello.owner_uid;
	wish.gid = view->live.hello.owner_gid;
	wish.as_other = wish.uid != geteuid() || wish.gid != getegid();
	return archive_start(&wish, ret_work, err);
}

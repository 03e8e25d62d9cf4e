/*
 * Theory of operation. What is kept is never what came in: a session's tree is copied while it is paused, an archive is unpacked within its limits, and both are packed anew. So a
 * snapshot is whole and well-formed, or not there.
 */
#include "session/snapshots.h"

#include "base/json.h"
#include "base/own.h"
#include "base/path.h"
#include "session/archive.h"
#include "session/registry.h"
#include "session/state.h"
#include "sys/fd.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { RECORD_MAX = 32 << 10, PIECE = 256 << 10, HOLD_ARENA_MAX = 16 << 20, FRESH_MAX = STATE_RUN_ID_MAX + 8 };
static const char tree_name[] = "tree.tar.zst", flat_name[] = "flat", record_name[] = "record";

/* ---- places ---- */

static int failed(const char *name, int r, struct err *err)
{
	return err_set(err, r == -ENOSPC || r == -EDQUOT ? ERR_LIMIT : ERR_SETUP, -r, "snapshot %s: %s", name, strerror(-r));
}

static int check_name(const char *name, struct err *err)
{
	if (registry_is_id(name))
		return 0;
	return err_set(
	    err, ERR_USAGE, EINVAL,
	    "\"%s\" is no name for a snapshot: lower-case letters, digits, \"_\", \".\" and \"-\", at most 63, the first a letter or a "
	    "digit",
	    name);
}

/* DATA_DIR/snapshots. -ENOENT without `make` where there is none. */
static int open_all(const struct session *session, bool make, struct err *err)
{
	int r = make ? state_dir_make(session->data_dir, err) : 0;
	autofd int data = r < 0 ? -1 : open(session->data_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int all;

	if (r < 0)
		return r;
	if (data >= 0 && make)
		(void)mkdirat(data, "snapshots", 0700);
	all = data < 0 ? -1 : openat(data, "snapshots", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return all < 0
	           ? err_set(err, errno == ENOENT ? ERR_NOTFOUND : ERR_SETUP, errno, "%s/snapshots: %s", session->data_dir, strerror(errno))
	           : all;
}

static int no_such(const char *name, struct err *err)
{
	return err_set(err, ERR_NOTFOUND, ENOENT, "snapshot %s: there is none; `coffer session snapshot ls` shows those that there are",
	               name);
}

static int open_one(const struct session *session, const char *name, int *ret_all, struct err *err)
{
	struct err absent = { 0 };
	int r = check_name(name, err);
	autofd int all = r < 0 ? r : open_all(session, false, &absent);
	int one;

	if (r < 0)
		return r;
	one = all < 0 ? -1 : openat(all, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (one < 0)
		return no_such(name, err);
	if (ret_all)
		*ret_all = TAKE_FD(all);
	return one;
}

/* ---- its record ---- */

static bool take(const json_t *record, const char *name, struct arena *arena, struct snapshot *snapshot)
{
	const char *tree = json_string_value(json_object_get(record, "tree")), *its = json_text_of(record, "name", arena);

	*snapshot = (struct snapshot){ .name = its,
		                       .session = json_text_of(record, "session", arena),
		                       .path = json_text_of(record, "path", arena),
		                       .base = json_text_of(record, "base", arena),
		                       .created_s = json_number_of(record, "created"),
		                       .bytes = json_number_of(record, "bytes"),
		                       .files = json_number_of(record, "files") };
	snapshot->tree = tree && strcmp(tree, "copy") == 0 ? SESSION_TREE_COPY : SESSION_TREE_EMPTY;
	return json_number_of(record, "version") == SNAPSHOT_VERSION && tree && its && strcmp(its, name) == 0 &&
	       (!snapshot->path || path_is_normal(snapshot->path)) && (snapshot->tree == SESSION_TREE_EMPTY || snapshot->base);
}

static int read_record(int one, const char *name, struct arena *arena, struct snapshot *ret_snapshot, struct err *err)
{
	char text[RECORD_MAX];
	ssize_t n = file_read_at(one, record_name, text, sizeof(text));
	autojson json_t *record = NULL;

	if (n >= 0 && json_read(text, (size_t)n, "record", &record, NULL) == 0 && take(record, name, arena, ret_snapshot))
		return 0;
	return err_set(err, ERR_SETUP, EBADMSG, "snapshot %s: its record is damaged; `coffer session snapshot rm %s` removes it", name,
	               name);
}

int snapshots_find(const struct session *session, const char *name, struct arena *arena, struct snapshot *ret_snapshot, struct err *err)
{
	autofd int one = open_one(session, name, NULL, err);

	return one < 0 ? one : read_record(one, name, arena, ret_snapshot, err);
}

/* ---- making one ---- */

/* A snapshot on its way. */
struct fresh {
	int all, dir, lock, flat;
	char name[FRESH_MAX]; /* "": it has its own by now */
	struct snapshot snapshot;
};

static void fresh_done(struct fresh *fresh)
{
	own_close(&fresh->flat);
	if (fresh->name[0])
		(void)file_remove_tree(fresh->all, fresh->name);
	own_close(&fresh->lock);
	own_close(&fresh->dir);
	own_close(&fresh->all);
}
#define autofresh __attribute__((cleanup(fresh_done)))

static int make_dirs(struct fresh *fresh)
{
	if (mkdirat(fresh->all, fresh->name, 0700) < 0) {
		fresh->name[0] = '\0';
		return -errno;
	}
	fresh->dir = openat(fresh->all, fresh->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	fresh->lock = fresh->dir < 0 ? -errno : registry_lock(fresh->dir);
	if (fresh->lock < 0)
		return fresh->lock;
	if (mkdirat(fresh->dir, flat_name, 0700) < 0)
		return -errno;
	fresh->flat = openat(fresh->dir, flat_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fresh->flat < 0 ? -errno : 0;
}

static int begin(const struct session *session, const char *name, struct fresh *fresh, struct err *err)
{
	char id[STATE_RUN_ID_MAX];
	struct stat st;
	int r = check_name(name, err);

	if (r == 0)
		r = state_run_id(id, err);
	if (r == 0)
		r = fresh->all = open_all(session, true, err);
	if (r < 0)
		return r;
	if (fstatat(fresh->all, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(err, ERR_BUSY, EEXIST, "snapshot %s: there is one of this name already", name);
	(void)snprintf(fresh->name, sizeof(fresh->name), ".new-%s", id);
	fresh->snapshot.name = name;
	r = make_dirs(fresh);
	return r < 0 ? failed(name, r, err) : 0;
}

static int pack(struct fresh *fresh, struct err *err)
{
	autofd int tree = openat(fresh->dir, tree_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	const struct archive_wish wish = { .root = fresh->flat, .stream = tree, .snapshot = true, .zstd = true };
	struct archive_report report;
	struct archive_work work;
	struct stat st;
	int r = tree < 0 ? failed(fresh->snapshot.name, -errno, err) : archive_start(&wish, &work, err);

	if (r == 0)
		r = archive_finish(&work, &report, err);
	if (r < 0)
		return r;
	if (report.incomplete)
		return err_set(err, ERR_DENIED, EACCES, "snapshot %s: %s cannot be read: chmod it in the session first",
		               fresh->snapshot.name, report.entry);
	if (fsync(tree) < 0 || fstat(tree, &st) < 0)
		return failed(fresh->snapshot.name, -errno, err);
	fresh->snapshot.bytes = (uint64_t)st.st_size;
	fresh->snapshot.files = report.files;
	return 0;
}

/* From here on it is there. */
static int give_name(struct fresh *fresh, struct err *err)
{
	const char *name = fresh->snapshot.name;

	if (fsync(fresh->dir) < 0)
		return failed(name, -errno, err);
	if (syscall(SYS_renameat2, fresh->all, fresh->name, fresh->all, name, RENAME_NOREPLACE) < 0)
		return errno == EEXIST ? err_set(err, ERR_BUSY, EEXIST, "snapshot %s: there is one of this name already", name)
		                       : failed(name, -errno, err);
	fresh->name[0] = '\0';
	(void)unlinkat(fresh->dir, "lock", 0);
	return fsync(fresh->all) < 0 ? failed(name, -errno, err) : 0;
}

static int keep(struct fresh *fresh, struct err *err)
{
	autostr struct str record = { 0 };
	int r = pack(fresh, err);

	if (r < 0)
		return r;
	own_close(&fresh->flat);
	(void)file_remove_tree(fresh->dir, flat_name);
	fresh->snapshot.created_s = (uint64_t)time(NULL);
	str_init(&record, RECORD_MAX);
	snapshots_print_one_json(&fresh->snapshot, &record);
	r = record.failed ? -ENOMEM : file_replace_at(fresh->dir, record_name, record.text, record.len, true);
	return r < 0 ? failed(fresh->snapshot.name, r, err) : give_name(fresh, err);
}

static int copy_tree(const struct session *session, const char *id, struct fresh *fresh, struct err *err)
{
	struct session_held held;
	int r = sessions_hold(session, id, &held, err);

	if (r < 0)
		return r;
	r = workspace_flatten(held.workspace, fresh->flat, err);
	sessions_let_go(&held);
	return r;
}

int snapshots_create(const struct session *session, const char *id, const char *name, struct err *err)
{
	autofresh struct fresh fresh = { .all = -1, .dir = -1, .lock = -1, .flat = -1 };
	struct session_entry entry;
	struct arena arena;
	int r;

	arena_init(&arena, HOLD_ARENA_MAX);
	r = sessions_look(session, id, &arena, &entry, err);
	if (r == 0)
		r = begin(session, name, &fresh, err);
	if (r == 0)
		r = copy_tree(session, id, &fresh, err);
	if (r == 0) {
		fresh.snapshot.session = entry.id;
		fresh.snapshot.tree = entry.tree;
		fresh.snapshot.path = entry.path;
		fresh.snapshot.base = entry.tree == SESSION_TREE_COPY ? entry.path : NULL;
		r = keep(&fresh, err);
	}
	arena_done(&arena);
	return r;
}

int snapshots_import(const struct session *session, int from, const char *name, struct err *err)
{
	autofresh struct fresh fresh = { .all = -1, .dir = -1, .lock = -1, .flat = -1 };
	struct archive_wish wish = { .extract = true, .stream = from, .snapshot = true };
	struct archive_report report;
	struct archive_work work;
	int r = begin(session, name, &fresh, err);

	wish.root = fresh.flat;
	if (r == 0)
		r = archive_start(&wish, &work, err);
	if (r == 0)
		r = archive_finish(&work, &report, err);
	fresh.snapshot.tree = SESSION_TREE_EMPTY;
	return r < 0 ? r : keep(&fresh, err);
}

/* ---- using one ---- */

static int open_tree(const struct session *session, const char *name, struct err *err)
{
	autofd int one = open_one(session, name, NULL, err);
	int tree = one < 0 ? -1 : openat(one, tree_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (one < 0)
		return one;
	return tree < 0 ? failed(name, -errno, err) : tree;
}

int snapshots_export(const struct session *session, const char *name, int to, struct err *err)
{
	autofd int tree = open_tree(session, name, err);
	autofree char *piece = malloc(PIECE);
	ssize_t n;
	int r = tree < 0 ? tree : piece ? 0 : failed(name, -ENOMEM, err);

	while (r == 0 && (n = read(tree, piece, PIECE)) != 0) {
		if (n < 0 && errno != EINTR)
			return failed(name, -errno, err);
		if (n > 0 && (r = fd_write_all(to, piece, (size_t)n)) < 0)
			return failed(name, r, err);
	}
	return r;
}

static int unpack(void *data, int layer, struct err *err)
{
	const struct archive_wish wish = { .extract = true, .root = layer, .stream = *(int *)data, .snapshot = true, .trusted = true };
	struct archive_report report;
	struct archive_work work;
	int r = archive_start(&wish, &work, err);

	return r < 0 ? r : archive_finish(&work, &report, err);
}

int snapshots_fill(const struct session *session, const char *name, struct workspace *workspace, struct err *err)
{
	autofd int tree = open_tree(session, name, err);

	return tree < 0 ? tree : workspace_adopt(workspace, unpack, &tree, name, err);
}

int snapshots_remove(const struct session *session, const char *name, struct err *err)
{
	autofd int all = -1;
	autofd int one = open_one(session, name, &all, err);
	char aside[FRESH_MAX], id[STATE_RUN_ID_MAX];
	int r = one < 0 ? one : state_run_id(id, err);

	if (r < 0)
		return r;
	(void)snprintf(aside, sizeof(aside), ".new-%s", id); /* cut short, it is for gc */
	if (renameat(all, name, all, aside) < 0)
		return failed(name, -errno, err);
	r = file_remove_tree(all, aside);
	return r < 0 && r != -ENOENT ? failed(name, r, err) : 0;
}

/* ---- all of them ---- */

/* Calls `each` with every name. */
static int walk(int all, int (*each)(void *data, int all, const char *name), void *data)
{
	struct file_dir dir;
	const char *name;
	unsigned char type;
	int r;

	file_dir_init(&dir, all);
	while ((r = file_dir_next(&dir, &name, &type)) > 0)
		if ((r = each(data, all, name)) < 0)
			return r;
	return r;
}

struct listing {
	struct arena *arena;
	struct snapshot_vec *list;
};

static int add_to_list(void *data, int all, const char *name)
{
	struct listing *listing = data;
	struct err why = { 0 };
	struct snapshot *snapshot;

	if (!registry_is_id(name))
		return 0;

	autofd int one = openat(all, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	snapshot = one < 0 ? NULL : snapshot_vec_add(listing->list, listing->arena);
	if (!snapshot)
		return one < 0 ? 0 : -ENOMEM;
	if (read_record(one, name, listing->arena, snapshot, &why) < 0)
		*snapshot = (struct snapshot){ .name = arena_dup(listing->arena, name), .fault = arena_dup(listing->arena, why.text) };
	return snapshot->name ? 0 : -ENOMEM;
}

static int compare(const void *a, const void *b)
{
	const struct snapshot *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int snapshots_list(const struct session *session, struct arena *arena, struct snapshot_vec *ret_list, struct err *err)
{
	struct listing listing = { .arena = arena, .list = ret_list };
	struct err absent = { 0 };
	autofd int all = open_all(session, false, &absent);
	int r;

	*ret_list = (struct snapshot_vec){ 0 };
	if (all < 0)
		return all == -ENOENT ? 0 : err_set(err, absent.code, absent.errnum, "%s", absent.text);
	r = walk(all, add_to_list, &listing);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s/snapshots: %s", session->data_dir, strerror(-r));
	if (ret_list->n)
		qsort(ret_list->at, ret_list->n, sizeof(*ret_list->at), compare);
	return 0;
}

/* What nobody holds any more. */
static int drop_if_left(void *data, int all, const char *name)
{
	int *n = data;

	if (strncmp(name, ".new-", 5) != 0)
		return 0;

	autofd int dir = openat(all, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	autofd int lock = dir < 0 ? -1 : registry_lock(dir);

	if (lock >= 0 && file_remove_tree(all, name) == 0)
		(*n)++;
	return 0;
}

int snapshots_gc(const struct session *session, struct err *err)
{
	struct err absent = { 0 };
	autofd int all = open_all(session, false, &absent);
	int n = 0, r;

	if (all < 0)
		return all == -ENOENT ? 0 : err_set(err, absent.code, absent.errnum, "%s", absent.text);
	r = walk(all, drop_if_left, &n);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s/snapshots: %s", session->data_dir, strerror(-r)) : n;
}

/*
 * Theory of operation. The tree is walked by descriptors, and each file is looked at after it was opened: what goes into the archive is what was read.
 * A file that shrinks meanwhile is filled up with zeros to the size that its header says, one that grows is cut there.
 */
#include "base/own.h"
#include "files/resolve.h"
#include "files/walk.h"
#include "sys/fd.h"
#include "unpack/made.h"
#include "unpack/name.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { BUFFER = 256 << 10, PERMISSIONS = 0777, HOLES_MAX = 4096, LIST_MAX = 64 << 20 };
#define OPAQUE "user.overlay.opaque"

struct create {
	struct unpack *unpack;
	struct archive *archive;
	struct archive_entry *entry;
	struct made_files written; /* those with several names */
	const char *prefix;        /* of what is walked, "" for the root */
	char buffer[BUFFER];
	char path[2 * PATH_BYTES_MAX];
};

static void about(struct create *create, const char *path)
{
	size_t n = strnlen(path, PATH_BYTES_MAX);

	memcpy(create->unpack->entry, path, n);
	create->unpack->entry[n] = '\0';
}

static int failed(struct create *create, enum unpack_status status, int errnum, const char *what)
{
	about(create, create->path);
	unpack_fail(create->unpack, status, errnum, "%s", what);
	return WALK_STOP;
}

static int libarchive_failed(struct create *create)
{
	const char *text = archive_error_string(create->archive);

	return failed(create, UNPACK_FAILED, 0, text ? text : "libarchive");
}

/* The archive goes on without this one; the first one is told. */
static int left_out(struct create *create, int errnum)
{
	struct unpack *unpack = create->unpack;

	if (errnum == ENOENT) /* it is no longer there */
		return WALK_GO;
	if (unpack->status == UNPACK_DONE) {
		about(create, create->path);
		(void)unpack_fail(unpack, UNPACK_INCOMPLETE, errnum, "could not be read");
	}
	return WALK_GO;
}

static la_ssize_t write_some(struct archive *archive, void *self, const void *bytes, size_t n)
{
	struct create *create = (struct create *)self;
	int r = fd_write_all(create->unpack->output, bytes, n);

	(void)archive;
	if (r == 0)
		return (la_ssize_t)n;
	unpack_fail(create->unpack, UNPACK_FAILED, -r, "writing the archive");
	return -1;
}

static int write_header(struct create *create)
{
	int r = archive_write_header(create->archive, create->entry);

	return r == ARCHIVE_OK || r == ARCHIVE_WARN ? WALK_GO
	                                            : libarchive_failed(create); /* a warning: a name that is no text, kept as bytes */
}

static void begin(struct create *create, const struct stat *st, unsigned type)
{
	struct archive_entry *entry = create->entry;

	archive_entry_clear(entry);
	archive_entry_copy_pathname(entry, create->path);
	archive_entry_set_filetype(entry, type);
	archive_entry_set_perm(entry, st->st_mode & PERMISSIONS);
	archive_entry_set_mtime(entry, st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
	archive_entry_set_size(entry, 0);
}

/* Tells libarchive where the data is; the rest is zeros, which it leaves out. */
static void map_holes(struct create *create, int fd, const struct stat *st)
{
	off_t at = 0, data;

	if ((uint64_t)st->st_blocks * 512 >= (uint64_t)st->st_size)
		return;
	for (unsigned i = 0; i < HOLES_MAX && (data = lseek(fd, at, SEEK_DATA)) >= 0 && data < st->st_size; i++) {
		at = i == HOLES_MAX - 1 ? st->st_size : lseek(fd, data, SEEK_HOLE);
		if (at <= data || at > st->st_size)
			at = st->st_size;
		archive_entry_sparse_add_entry(create->entry, data, at - data);
	}
}

static int write_data(struct create *create, int fd, uint64_t size)
{
	for (uint64_t at = 0; at < size;) {
		size_t want = size - at < BUFFER ? (size_t)(size - at) : BUFFER;
		ssize_t n = pread(fd, create->buffer, want, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) { /* shorter by now, or unreadable: the header has promised */
			memset(create->buffer, 0, want);
			if (n < 0)
				(void)left_out(create, errno);
			n = (ssize_t)want;
		}
		if (archive_write_data(create->archive, create->buffer, (size_t)n) != n)
			return libarchive_failed(create);
		at += (uint64_t)n;
		if (unpack_out_of_time(create->unpack))
			return failed(create, UNPACK_LIMIT, ETIMEDOUT, "packing");
	}
	return WALK_GO;
}

/* WALK_SKIP: it has been written under another name, as a hard link to that. */
static int link_to_first(struct create *create, const struct stat *st)
{
	struct made_file *file = st->st_nlink > 1 ? made_files_put(&create->written, st) : NULL;

	if (st->st_nlink > 1 && !file)
		return failed(create, UNPACK_FAILED, ENOMEM, "remembering hard links");
	if (!file)
		return WALK_GO;
	if (!file->path) {
		file->path = strdup(create->path);
		return WALK_GO;
	}
	begin(create, st, AE_IFREG);
	archive_entry_set_hardlink(create->entry, file->path);
	create->unpack->links++;

	int r = write_header(create);

	return r == WALK_GO ? WALK_SKIP : r;
}

static int add_file(struct create *create, int dir, const char *name)
{
	struct unpack *unpack = create->unpack;
	autofd int place = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	autofd int fd = place < 0 ? -errno : resolve_open_regular(place, O_RDONLY);
	struct stat st;
	int r;

	if (fd == -EINVAL || fd == -EISDIR || fd == -ELOOP) /* of another kind by now */
		return WALK_GO;
	if (fd < 0 || fstat(fd, &st) < 0)
		return left_out(create, fd < 0 ? -fd : errno);
	r = link_to_first(create, &st);
	if (r != WALK_GO)
		return r == WALK_SKIP ? WALK_GO : r;
	if ((uint64_t)st.st_size > unpack->limits.bytes - unpack->bytes)
		return failed(create, UNPACK_LIMIT, EFBIG, "more bytes than are allowed");
	begin(create, &st, AE_IFREG);
	archive_entry_set_size(create->entry, st.st_size);
	map_holes(create, fd, &st);
	r = write_header(create);
	if (r == WALK_GO)
		r = write_data(create, fd, (uint64_t)st.st_size);
	unpack->bytes += (uint64_t)st.st_size;
	unpack->files++;
	return r;
}

static int add_link(struct create *create, int dir, const char *name, const struct stat *st)
{
	char target[PATH_BYTES_MAX + 1];
	ssize_t n = readlinkat(dir, name, target, sizeof(target));

	if (n < 0 || n > PATH_BYTES_MAX)
		return left_out(create, n < 0 ? errno : ENAMETOOLONG);
	target[n] = '\0';
	begin(create, st, AE_IFLNK);
	archive_entry_copy_symlink(create->entry, target);
	create->unpack->links++;
	return write_header(create);
}

static int add_directory(struct create *create, int dir, const char *name, const struct stat *st)
{
	begin(create, st, AE_IFDIR);
	if (create->unpack->snapshot) {
		autofd int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		char value[4];

		if (fd >= 0 && fgetxattr(fd, OPAQUE, value, sizeof(value)) == 1 && value[0] == 'y')
			archive_entry_xattr_add_entry(create->entry, OPAQUE, value, 1);
	}
	create->unpack->directories++;
	return write_header(create);
}

static int add_special(struct create *create, const struct stat *st)
{
	if (!create->unpack->snapshot || !S_ISCHR(st->st_mode) || st->st_rdev != 0) {
		create->unpack->skipped++;
		return WALK_GO;
	}
	begin(create, st, AE_IFCHR);
	archive_entry_set_rdev(create->entry, 0);
	create->unpack->files++;
	return write_header(create);
}

static int add(void *self, const struct walk_visit *visit)
{
	struct create *create = (struct create *)self;
	mode_t kind = visit->st.st_mode & S_IFMT;
	int n =
	    snprintf(create->path, sizeof(create->path), "%s%s%s", create->prefix, *create->prefix && *visit->path ? "/" : "", visit->path);

	if (n > PATH_BYTES_MAX)
		return failed(create, UNPACK_LIMIT, ENAMETOOLONG, "a path that no program could open");
	if (name_count(create->unpack) != UNPACK_DONE) {
		about(create, create->path);
		return WALK_STOP;
	}
	if (kind == S_IFDIR)
		return add_directory(create, visit->dir, visit->name, &visit->st);
	if (kind == S_IFREG)
		return add_file(create, visit->dir, visit->name);
	if (kind == S_IFLNK)
		return add_link(create, visit->dir, visit->name, &visit->st);
	return add_special(create, &visit->st);
}

static int unreadable(void *self, const struct walk_visit *visit, int errnum)
{
	(void)visit;
	return left_out((struct create *)self, errnum);
}

static bool may_go_on(const struct create *create)
{
	return create->unpack->status == UNPACK_DONE || create->unpack->status == UNPACK_INCOMPLETE;
}

static void add_below(struct create *create, int fd)
{
	const struct unpack_limits *limits = &create->unpack->limits;
	struct walk walk = { .entries_max = limits->entries,
		             .deadline_ms = create->unpack->deadline_ms,
		             .depth_max = limits->depth,
		             .visit = add,
		             .unreadable = unreadable,
		             .self = create };
	int r = walk_tree(&walk, fd);

	if (!may_go_on(create))
		return;
	if (r < 0)
		(void)failed(create, UNPACK_FAILED, -r, "walking the tree");
	else if (walk.cut != FILES_WHOLE)
		unpack_fail(create->unpack, UNPACK_LIMIT, 0, "the tree has more %s than are allowed", files_cut_name(walk.cut));
}

/* What is below a listed directory; the root was not added itself. */
static void add_below_listed(struct create *create, const char *path)
{
	autofd int fd = resolve_open(create->unpack->root, *path ? path : ".", O_RDONLY | O_DIRECTORY, RESOLVE_NO_SYMLINKS);

	if (fd >= 0)
		add_below(create, fd);
	else
		(void)left_out(create, -fd);
}

/* One path of the list: what it names, and all below it unless `flat`. */
static void add_listed(struct create *create, struct where *where, const char *text)
{
	struct walk_visit visit = { .path = "", .st = { .st_mode = S_IFDIR } };
	char path[PATH_BYTES_MAX + 1];

	snprintf(create->path, sizeof(create->path), "%s", text);
	if (name_take(create->unpack, text, path) != UNPACK_DONE ||
	    (*path && name_parent(create->unpack, where, path, false, &visit.name) != UNPACK_DONE)) {
		about(create, text);
		return;
	}
	create->prefix = path;
	visit.dir = where->dir;
	if (*path && fstatat(visit.dir, visit.name, &visit.st, AT_SYMLINK_NOFOLLOW) < 0) {
		(void)left_out(create, errno == ENOENT ? ESTALE : errno); /* it was listed */
		return;
	}
	if (*path && add(create, &visit) != WALK_GO)
		return;
	if (S_ISDIR(visit.st.st_mode) && !create->unpack->flat)
		add_below_listed(create, path);
}

static void add_all_listed(struct create *create)
{
	struct where where = { .dir = -1 };
	autostr struct str list;
	ssize_t n;

	str_init(&list, LIST_MAX);
	while ((n = read(create->unpack->input, create->buffer, sizeof(create->buffer))) > 0)
		str_add_n(&list, create->buffer, (size_t)n);
	if (n < 0 || list.failed) {
		(void)failed(create, UNPACK_USAGE, n < 0 ? errno : EFBIG, "the list of paths");
		return;
	}
	for (size_t at = 0; at < list.len && may_go_on(create); at += strlen(list.text + at) + 1)
		add_listed(create, &where, list.text + at);
	where_done(&where);
}

static bool open_archive(struct create *create)
{
	create->archive = archive_write_new();
	create->entry = archive_entry_new();
	if (!create->archive || !create->entry)
		return failed(create, UNPACK_FAILED, ENOMEM, "libarchive") == WALK_GO;
	/* names as bytes: libarchive's reader composes the Unicode of others, and two files may become one */
	if (archive_write_set_format_pax(create->archive) != ARCHIVE_OK ||
	    archive_write_set_format_option(create->archive, "pax", "hdrcharset", "BINARY") != ARCHIVE_OK ||
	    (create->unpack->zstd && archive_write_add_filter_zstd(create->archive) != ARCHIVE_OK) ||
	    archive_write_set_bytes_in_last_block(create->archive, 1) != ARCHIVE_OK ||
	    archive_write_open(create->archive, create, NULL, write_some, NULL) != ARCHIVE_OK)
		return libarchive_failed(create) == WALK_GO;
	return true;
}

enum unpack_status unpack_create(struct unpack *unpack)
{
	autofree struct create *create = calloc(1, sizeof(*create));

	if (!create)
		return unpack_fail(unpack, UNPACK_FAILED, ENOMEM, "packing");
	create->unpack = unpack;
	create->prefix = "";
	unpack->deadline_ms = files_now_ms() + unpack->limits.time_ms;
	if (open_archive(create)) {
		if (unpack->input >= 0)
			add_all_listed(create);
		else
			add_below(create, unpack->root);
		if (may_go_on(create) && archive_write_close(create->archive) != ARCHIVE_OK)
			(void)libarchive_failed(create);
	}
	archive_write_fail(create->archive);
	archive_write_free(create->archive);
	archive_entry_free(create->entry);
	made_files_done(&create->written);
	return unpack->status;
}

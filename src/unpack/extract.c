/*
 * Theory of operation. Entries come one by one; each is made below a directory that was opened through no link, and under a name that is
 * free, because what was there has been unlinked: so nothing is ever opened that was there before, and nothing written through a link. Permissions
 * and times go on by descriptor. Those of directories come last, the deepest first, so that none of them keeps later entries out.
 */
#include "base/own.h"
#include "files/files.h"
#include "files/resolve.h"
#include "unpack/input.h"
#include "unpack/made.h"
#include "unpack/name.h"

#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { PERMISSIONS = 0777 };
#define OPAQUE "user.overlay.opaque"

struct extract {
	struct unpack *unpack;
	struct input *input;
	struct where where;
	struct made_files made;
	struct made_directories directories;
};

struct block {
	const void *bytes;
	size_t n;
	la_int64_t offset;
};

static enum unpack_status failed(struct extract *extract, int errnum, const char *what)
{
	return unpack_fail(extract->unpack, UNPACK_FAILED, errnum, "%s", what);
}

static struct timespec time_of(struct archive_entry *entry)
{
	if (!archive_entry_mtime_is_set(entry))
		return (struct timespec){ .tv_nsec = UTIME_OMIT };
	return (struct timespec){ archive_entry_mtime(entry), archive_entry_mtime_nsec(entry) };
}

/* Frees the name: a file or a link that is there goes. A directory stays, and is in the way. */
static enum unpack_status clear_name(struct extract *extract, const char *name)
{
	if (unlinkat(extract->where.dir, name, 0) == 0 || errno == ENOENT)
		return UNPACK_DONE;
	if (errno == EISDIR || errno == EPERM)
		return unpack_fail(extract->unpack, UNPACK_REFUSED, EISDIR, "something of another kind is there");
	return failed(extract, errno, "what is there");
}

/* Takes n bytes at `at` into account; most is the file's end so far. */
static enum unpack_status judge_size(struct extract *extract, uint64_t end)
{
	struct unpack *unpack = extract->unpack;

	if (end > unpack->limits.bytes || unpack->bytes > unpack->limits.bytes - end)
		return unpack_fail(unpack, UNPACK_LIMIT, EFBIG, "more than %llu bytes", (unsigned long long)unpack->limits.bytes);
	return UNPACK_DONE;
}

static int write_at(int fd, const char *bytes, size_t n, uint64_t offset)
{
	while (n > 0) {
		ssize_t done = pwrite(fd, bytes, n, (off_t)offset);

		if (done < 0 && errno != EINTR)
			return -errno;
		done = done < 0 ? 0 : done;
		bytes += done;
		n -= (size_t)done;
		offset += (uint64_t)done;
	}
	return 0;
}

/* Writes one block of data. *end is the file's end so far. */
static enum unpack_status write_block(struct extract *extract, int fd, const struct block *block, uint64_t *end)
{
	uint64_t to = (uint64_t)block->offset + block->n;
	enum unpack_status status;
	int r;

	if (block->offset < 0 || to < block->n)
		return unpack_fail(extract->unpack, UNPACK_MALFORMED, 0, "data at no place that a file has");
	*end = to > *end ? to : *end;
	status = judge_size(extract, *end);
	if (status == UNPACK_DONE)
		status = input_unpacked(extract->input, block->n);
	if (status == UNPACK_DONE && unpack_out_of_time(extract->unpack))
		status = unpack_fail(extract->unpack, UNPACK_LIMIT, ETIMEDOUT, "unpacking");
	if (status != UNPACK_DONE)
		return status;
	r = write_at(fd, block->bytes, block->n, (uint64_t)block->offset);
	return r < 0 ? failed(extract, -r, "writing") : UNPACK_DONE;
}

/* Writes the data of the entry. */
static enum unpack_status write_data(struct extract *extract, struct archive_entry *entry, int fd)
{
	struct archive *archive = input_archive(extract->input);
	uint64_t end = 0, size = archive_entry_size_is_set(entry) ? (uint64_t)archive_entry_size(entry) : 0;
	enum unpack_status status = judge_size(extract, size);
	struct block block;
	int r = ARCHIVE_OK;

	while (status == UNPACK_DONE && (r = archive_read_data_block(archive, &block.bytes, &block.n, &block.offset)) == ARCHIVE_OK)
		status = write_block(extract, fd, &block, &end);
	if (status != UNPACK_DONE)
		return status;
	if (r != ARCHIVE_EOF)
		return input_failed(extract->input);
	if (size > end && ftruncate(fd, (off_t)size) < 0) /* a hole at the end */
		return failed(extract, errno, "writing");
	extract->unpack->bytes += size > end ? size : end;
	return UNPACK_DONE;
}

/* Nothing is left of a file that could not be finished. */
static enum unpack_status make_file(struct extract *extract, struct archive_entry *entry, const char *name)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, time_of(entry) };
	enum unpack_status status = clear_name(extract, name);
	struct made_file *made;
	struct stat st;

	if (status != UNPACK_DONE)
		return status;

	autofd int fd = openat(extract->where.dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 || fstat(fd, &st) < 0)
		return failed(extract, errno, "making the file");
	status = write_data(extract, entry, fd);
	if (status == UNPACK_DONE && (fchmod(fd, archive_entry_perm(entry) & PERMISSIONS) < 0 || futimens(fd, times) < 0))
		status = failed(extract, errno, "permissions and times");
	made = status == UNPACK_DONE ? made_files_put(&extract->made, &st) : NULL;
	if (made) {
		extract->unpack->files++;
		return UNPACK_DONE;
	}
	(void)unlinkat(extract->where.dir, name, 0);
	return status ? status : failed(extract, ENOMEM, "remembering the file");
}

static bool is_opaque(struct archive_entry *entry)
{
	const char *name;
	const void *value;
	size_t n;

	archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, &name, &value, &n) == ARCHIVE_OK)
		if (name && strcmp(name, OPAQUE) == 0 && n == 1 && *(const char *)value == 'y')
			return true;
	return false;
}

static enum unpack_status make_directory(struct extract *extract, struct archive_entry *entry, const char *path, const char *name)
{
	const struct made_directory what = { .mode = archive_entry_perm(entry) & PERMISSIONS,
		                             .opaque = extract->unpack->snapshot && is_opaque(entry),
		                             .mtime = time_of(entry) };
	bool made = mkdirat(extract->where.dir, name, 0700) == 0;
	struct stat st;

	if (!made && errno != EEXIST)
		return failed(extract, errno, "making the directory");
	if (!made && fstatat(extract->where.dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return failed(extract, errno, "what is there");
	if (!made && !S_ISDIR(st.st_mode)) {
		enum unpack_status status = clear_name(extract, name);

		if (status != UNPACK_DONE)
			return status;
		if (mkdirat(extract->where.dir, name, 0700) < 0)
			return failed(extract, errno, "making the directory");
	}
	if (!made_directories_add(&extract->directories, path, &what))
		return failed(extract, ENOMEM, "remembering the directory");
	extract->unpack->directories++;
	return UNPACK_DONE;
}

static enum unpack_status make_symlink(struct extract *extract, struct archive_entry *entry, const char *path, const char *name)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, time_of(entry) };
	const char *target = archive_entry_symlink(entry);
	enum unpack_status status;

	if (!target || !*target)
		return unpack_fail(extract->unpack, UNPACK_REFUSED, 0, "a symbolic link to nowhere");
	if (extract->unpack->links_inside && !name_keeps_inside(path, target)) {
		extract->unpack->skipped++;
		return UNPACK_DONE;
	}
	status = clear_name(extract, name);
	if (status != UNPACK_DONE)
		return status;
	if (symlinkat(target, extract->where.dir, name) < 0)
		return failed(extract, errno, "making the link");
	(void)utimensat(extract->where.dir, name, times, AT_SYMLINK_NOFOLLOW);
	extract->unpack->links++;
	return UNPACK_DONE;
}

/* Is it a file that this run has made? */
static enum unpack_status judge_ours(struct extract *extract, int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) && made_files_has(&extract->made, &st))
		return UNPACK_DONE;
	return unpack_fail(extract->unpack, UNPACK_REFUSED, 0, "a hard link to something that is no file of this archive");
}

/* From `source` in a directory. Looked at again when the link is there: whoever works in the directory may have swapped it. */
static enum unpack_status link_from(struct extract *extract, int dir, const char *source, const char *path)
{
	const char *name;
	enum unpack_status status = name_parent(extract->unpack, &extract->where, path, true, &name);

	if (status == UNPACK_DONE)
		status = judge_ours(extract, dir, source);
	if (status == UNPACK_DONE)
		status = clear_name(extract, name);
	if (status != UNPACK_DONE)
		return status;
	if (linkat(dir, source, extract->where.dir, name, 0) < 0)
		return failed(extract, errno, errno == EXDEV ? "hard links between directories want Linux 5.19" : "making the hard link");
	status = judge_ours(extract, extract->where.dir, name);
	if (status != UNPACK_DONE)
		(void)unlinkat(extract->where.dir, name, 0);
	else
		extract->unpack->links++;
	return status;
}

static enum unpack_status make_hard_link(struct extract *extract, const char *target, const char *path)
{
	char normal[PATH_BYTES_MAX + 1];
	struct where from = { .dir = -1 };
	const char *source;
	enum unpack_status status = name_take(extract->unpack, target, normal);

	if (status == UNPACK_DONE && !*normal)
		return unpack_fail(extract->unpack, UNPACK_REFUSED, 0, "a hard link to the directory itself");
	if (status != UNPACK_DONE || strcmp(normal, path) == 0) /* to itself, as some writers do */
		return status;
	status = name_parent(extract->unpack, &from, normal, false, &source);
	if (status == UNPACK_DONE)
		status = link_from(extract, from.dir, source, path);
	where_done(&from);
	return status;
}

/* Overlayfs's "here is nothing": a character device 0:0, which anybody may make (Linux 5.8). */
static enum unpack_status make_whiteout(struct extract *extract, const char *name)
{
	enum unpack_status status = clear_name(extract, name);

	if (status != UNPACK_DONE)
		return status;
	if (mknodat(extract->where.dir, name, S_IFCHR, 0) < 0)
		return failed(extract, errno, "making the whiteout");
	extract->unpack->files++;
	return UNPACK_DONE;
}

static enum unpack_status make_special(struct extract *extract, struct archive_entry *entry, const char *name)
{
	if (extract->unpack->snapshot && archive_entry_filetype(entry) == AE_IFCHR && archive_entry_rdev(entry) == 0)
		return make_whiteout(extract, name);
	if (!extract->unpack->skip_special)
		return unpack_fail(extract->unpack, UNPACK_REFUSED, 0, "a device, a fifo or a socket");
	extract->unpack->skipped++;
	return UNPACK_DONE;
}

static enum unpack_status make_entry(struct extract *extract, struct archive_entry *entry, const char *path)
{
	const char *hard = archive_entry_hardlink(entry), *name;
	enum unpack_status status;

	if (archive_entry_is_encrypted(entry))
		return unpack_fail(extract->unpack, UNPACK_REFUSED, 0, "encrypted");
	if (hard)
		return make_hard_link(extract, hard, path);
	status = name_parent(extract->unpack, &extract->where, path, true, &name);
	if (status != UNPACK_DONE)
		return status;
	switch (archive_entry_filetype(entry)) {
	case AE_IFREG:
		return make_file(extract, entry, name);
	case AE_IFDIR:
		return make_directory(extract, entry, path, name);
	case AE_IFLNK:
		return make_symlink(extract, entry, path, name);
	default:
		return make_special(extract, entry, name);
	}
}

static void note_entry(struct unpack *unpack, const char *name)
{
	size_t n = name ? strnlen(name, PATH_BYTES_MAX) : 0;

	memcpy(unpack->entry, name ? name : "", n);
	unpack->entry[n] = '\0';
}

static enum unpack_status take_entry(struct extract *extract, struct archive_entry *entry)
{
	char path[PATH_BYTES_MAX + 1];
	enum unpack_status status;

	note_entry(extract->unpack, archive_entry_pathname(entry));
	status = name_count(extract->unpack);
	if (status == UNPACK_DONE)
		status = name_take(extract->unpack, archive_entry_pathname(entry), path);
	if (status == UNPACK_DONE && unpack_out_of_time(extract->unpack))
		status = unpack_fail(extract->unpack, UNPACK_LIMIT, ETIMEDOUT, "unpacking");
	if (status != UNPACK_DONE)
		return status;
	if (*path)
		return make_entry(extract, entry, path);
	if (archive_entry_filetype(entry) != AE_IFDIR) /* the directory itself stays as it is */
		return unpack_fail(extract->unpack, UNPACK_REFUSED, 0, "an entry without a name");
	return UNPACK_DONE;
}

static enum unpack_status set_directory(struct extract *extract, const struct made_directory *directory)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, directory->mtime };
	autofd int fd = resolve_open(extract->unpack->root, directory->path, O_RDONLY | O_DIRECTORY, RESOLVE_NO_SYMLINKS);

	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP) /* something later in the archive, or somebody, has replaced it */
		return UNPACK_DONE;
	if (fd >= 0 && directory->opaque && fsetxattr(fd, OPAQUE, "y", 1, 0) < 0)
		return failed(extract, errno, "marking the directory opaque");
	if (fd < 0 || fchmod(fd, directory->mode) < 0 || futimens(fd, times) < 0)
		return failed(extract, fd < 0 ? -fd : errno, "permissions and times of the directory");
	return UNPACK_DONE;
}

/* Also after a failure: what stands there is as the archive wants it. */
static void set_directories(struct extract *extract)
{
	const char *last = "";

	made_directories_sort(&extract->directories);
	for (size_t i = 0; i < extract->directories.n; i++) {
		const struct made_directory *directory = &extract->directories.at[i];

		if (strcmp(directory->path, last) == 0)
			continue;
		last = directory->path;
		if (extract->unpack->status == UNPACK_DONE)
			note_entry(extract->unpack, directory->path);
		(void)set_directory(extract, directory);
	}
}

static enum unpack_status take_all(struct extract *extract)
{
	struct archive *archive = input_archive(extract->input);
	struct archive_entry *entry;
	enum unpack_status status = UNPACK_DONE;
	int r;

	/* A warning is about a name that is no text, or a header that was odd: what there is of it is judged here. */
	while ((r = archive_read_next_header(archive, &entry)) == ARCHIVE_OK || r == ARCHIVE_WARN) {
		status = take_entry(extract, entry);
		if (status != UNPACK_DONE)
			return status;
	}
	extract->unpack->entry[0] = '\0';
	return r == ARCHIVE_EOF && extract->unpack->status == UNPACK_DONE ? input_finish(extract->input) : input_failed(extract->input);
}

enum unpack_status unpack_extract(struct unpack *unpack)
{
	struct extract extract = { .unpack = unpack, .where = { .dir = -1 } };

	unpack->deadline_ms = files_now_ms() + unpack->limits.time_ms;
	extract.input = input_open(unpack);
	if (!extract.input)
		return unpack->status;
	(void)take_all(&extract);
	set_directories(&extract);
	if (unpack->status == UNPACK_DONE)
		unpack->entry[0] = '\0';
	where_done(&extract.where);
	made_files_done(&extract.made);
	made_directories_done(&extract.directories);
	input_close(&extract.input);
	return unpack->status;
}

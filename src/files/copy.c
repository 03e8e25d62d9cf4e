/*
 * Theory of operation. The copy is made under a name of its own beside the place where it goes, and renamed when it is whole; renaming never
 * replaces anything. On failure what was made is removed. Modes and times of directories are set when a directory is done, by descriptor.
 */
#include "base/own.h"
#include "files/resolve.h"
#include "files/walk.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 1 << 20, PERMISSIONS = 0777 };

struct copy {
	const struct files *files;
	const char *path; /* for messages */
	int top;          /* of what is made */
	struct stat made; /* the same: not to be copied into itself */
	int chain[FILES_DEPTH_MAX + 1];
	unsigned depth; /* directories that are open in chain; chain[0] is top */
	uint64_t bytes;
	struct err *err;
};

static int failed(struct copy *copy, int errnum, const char *below)
{
	(void)resolve_failed(copy->err, errnum, below[0] ? below : copy->path);
	if (below[0])
		(void)err_wrap(copy->err, "%s", copy->path);
	return -errnum;
}

static int spent(struct copy *copy, uint64_t n)
{
	if (copy->bytes + n > copy->files->bytes_max)
		return -EFBIG;
	if (copy->bytes + n > copy->files->room_bytes)
		return -EDQUOT;
	copy->bytes += n;
	return copy->files->deadline_ms && files_now_ms() >= copy->files->deadline_ms ? -ETIMEDOUT : 0;
}

static int copy_bytes_by_hand(struct copy *copy, int from, int to)
{
	char piece[64 << 10];
	ssize_t n;

	while ((n = read(from, piece, sizeof(piece))) > 0) {
		int r = spent(copy, (uint64_t)n);

		if (r < 0)
			return r;
		for (ssize_t at = 0; at < n;) {
			ssize_t wrote = write(to, piece + at, (size_t)(n - at));

			if (wrote < 0)
				return -errno;
			at += wrote;
		}
	}
	return n < 0 ? -errno : 0;
}

static int copy_bytes(struct copy *copy, int from, int to)
{
	bool any = false;

	for (;;) {
		ssize_t n = copy_file_range(from, NULL, to, NULL, PIECE, 0);
		int r = n > 0 ? spent(copy, (uint64_t)n) : 0;

		if (r < 0)
			return r;
		if (n < 0 && !any) /* another file system, or none that can */
			return copy_bytes_by_hand(copy, from, to);
		if (n <= 0)
			return n < 0 ? -errno : 0;
		any = true;
	}
}

static int set_times(int fd, const struct stat *st)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };

	return futimens(fd, times) < 0 ? -errno : 0;
}

static int copy_file(struct copy *copy, int dir, const char *name, int to_dir, const char *to_name)
{
	autofd int place = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	autofd int from = place < 0 ? -errno : resolve_open_regular(place, O_RDONLY);
	struct stat st;
	int r;

	if (from < 0 || fstat(from, &st) < 0)
		return from < 0 ? from : -errno;

	autofd int to = openat(to_dir, to_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (to < 0)
		return -errno;
	r = copy_bytes(copy, from, to);
	if (r == 0 && fchmod(to, st.st_mode & PERMISSIONS) < 0)
		r = -errno;
	return r == 0 ? set_times(to, &st) : r;
}

static int copy_link(int dir, const char *name, int to_dir, const char *to_name)
{
	char target[PATH_BYTES_MAX + 1];
	ssize_t n = readlinkat(dir, name, target, sizeof(target));

	if (n < 0 || n > PATH_BYTES_MAX)
		return n < 0 ? -errno : -ENAMETOOLONG;
	target[n] = '\0';
	return symlinkat(target, to_dir, to_name) < 0 ? -errno : 0;
}

static int make_directory(int dir, const char *name)
{
	if (mkdirat(dir, name, 0700) < 0)
		return -errno;
	return file_open_dir(dir, name);
}

/* Anything but a directory. */
static int copy_thing(struct copy *copy, const struct walk_visit *visit, int to_dir, const char *to_name)
{
	if (S_ISLNK(visit->st.st_mode))
		return copy_link(visit->dir, visit->name, to_dir, to_name);
	if (!S_ISREG(visit->st.st_mode))
		return -EINVAL;
	return copy_file(copy, visit->dir, visit->name, to_dir, to_name);
}

static int visit_one(void *self, const struct walk_visit *visit)
{
	struct copy *copy = (struct copy *)self;
	int dir = copy->chain[copy->depth], r;

	if (S_ISDIR(visit->st.st_mode)) {
		if (visit->st.st_ino == copy->made.st_ino && visit->st.st_dev == copy->made.st_dev)
			return err_set(copy->err, ERR_USAGE, EINVAL, "%s: cannot be copied into itself", copy->path);
		if (copy->depth == copy->files->depth_max || copy->depth == FILES_DEPTH_MAX)
			return WALK_GO; /* the walk does not enter it either, and says so */
		r = make_directory(dir, visit->name);
		if (r >= 0)
			copy->chain[++copy->depth] = r;
	} else {
		r = copy_thing(copy, visit, dir, visit->name);
	}
	if (r == -EINVAL && !S_ISDIR(visit->st.st_mode))
		return err_set(copy->err, ERR_USAGE, EINVAL, "%s/%s: a fifo, a socket or a device cannot be copied", copy->path,
		               visit->path);
	return r < 0 ? failed(copy, -r, visit->path) : WALK_GO;
}

static int leave_one(void *self, const struct walk_visit *visit, int fd)
{
	struct copy *copy = (struct copy *)self;
	int to = copy->chain[copy->depth], r = 0;
	struct stat st;

	if (fstat(fd, &st) < 0 || fchmod(to, st.st_mode & PERMISSIONS) < 0)
		r = -errno;
	if (r == 0)
		r = set_times(to, &st);
	if (copy->depth > 0)
		own_close(&copy->chain[copy->depth--]);
	return r < 0 ? failed(copy, -r, visit->path) : WALK_GO;
}

static int refuse_unreadable(void *self, const struct walk_visit *visit, int errnum)
{
	return failed((struct copy *)self, errnum, visit->path);
}

/* The part of the tree that a ceiling left out is an error here. */
static int judge_cut(struct copy *copy, enum files_cut cut)
{
	if (cut == FILES_WHOLE)
		return 0;
	if (cut == FILES_CUT_TIME)
		return resolve_failed(copy->err, ETIMEDOUT, copy->path);
	return err_set(copy->err, ERR_LIMIT, E2BIG, "%s: more than %s", copy->path,
	               cut == FILES_CUT_DEPTH ? "the allowed directories below each other" : "the allowed entries");
}

static int copy_tree(struct copy *copy, const struct place_below *source)
{
	autofd int from = file_open_dir(source->dir, source->name);
	struct walk walk = { .entries_max = copy->files->entries_max,
		             .deadline_ms = copy->files->deadline_ms,
		             .depth_max = copy->files->depth_max,
		             .visit = visit_one,
		             .leave = leave_one,
		             .unreadable = refuse_unreadable,
		             .self = copy };
	int r;

	if (from < 0)
		return failed(copy, -from, "");
	if (fstat(copy->top, &copy->made) < 0)
		return failed(copy, errno, "");
	copy->chain[0] = copy->top;
	r = walk_tree(&walk, from);
	while (copy->depth > 0)
		own_close(&copy->chain[copy->depth--]);
	return r < 0 ? r : judge_cut(copy, walk.cut);
}

static int copy_to(struct copy *copy, const struct place_below *source, const struct place_below *target, const char *fresh)
{
	struct walk_visit top = { .dir = source->dir, .name = source->name };
	int r;

	if (fstatat(source->dir, source->name, &top.st, AT_SYMLINK_NOFOLLOW) < 0)
		return failed(copy, errno, "");
	if (S_ISDIR(top.st.st_mode)) {
		autofd int made = make_directory(target->dir, fresh);

		copy->top = made;
		return made < 0 ? failed(copy, -made, "") : copy_tree(copy, source);
	}
	r = copy_thing(copy, &top, target->dir, fresh);
	if (r == -EINVAL)
		return err_set(copy->err, ERR_USAGE, EINVAL, "%s: a fifo, a socket or a device cannot be copied", copy->path);
	return r < 0 ? failed(copy, -r, "") : 0;
}

int files_copy(const struct files *files, const char *from, const char *to, struct err *err)
{
	autoplace struct place_below source, target = { .dir = -1 };
	struct copy copy = { .files = files, .path = from, .err = err };
	char fresh[TEMPORARY_MAX];
	int r = resolve_parent(files, from, RESOLVE_PARENTS_EXIST, &source, err);
	struct stat st;

	if (r == 0)
		r = resolve_parent(files, to, RESOLVE_PARENTS_MADE, &target, err);
	if (r < 0 || !target.name)
		return r;
	if (fstatat(target.dir, target.name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return resolve_failed(err, EEXIST, to);
	resolve_temporary(fresh);
	r = copy_to(&copy, &source, &target, fresh);
	if (r == 0) {
		r = resolve_rename(target.dir, fresh, &target, false);
		if (r < 0)
			(void)resolve_failed(err, -r, to);
	}
	if (r < 0)
		(void)file_remove_tree(target.dir, fresh);
	return r;
}

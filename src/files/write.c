#include "base/own.h"
#include "files/resolve.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 64 << 10, PERMISSIONS = 0777 };

/* A file beside the one that it will replace; gone again unless it was renamed. */
struct fresh {
	int dir, fd;
	char name[TEMPORARY_MAX];
};

static void fresh_done(struct fresh *fresh)
{
	if (fresh->name[0])
		(void)unlinkat(fresh->dir, fresh->name, 0);
	own_close(&fresh->fd);
}

static int fresh_make(struct fresh *fresh, int dir)
{
	fresh->dir = dir;
	resolve_temporary(fresh->name);
	fresh->fd = openat(dir, fresh->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fresh->fd >= 0)
		return 0;
	fresh->name[0] = '\0';
	return -errno;
}

static int too_large(const struct files *files, const char *path, uint64_t n, struct err *err)
{
	return err_set(err, ERR_LIMIT, EFBIG, "%s: %llu bytes or more, and %llu are allowed", path, (unsigned long long)n,
	               (unsigned long long)files->bytes_max);
}

static int fill_from(const struct files *files, const char *path, int from, int to, struct err *err)
{
	char piece[PIECE];
	uint64_t done = 0;
	ssize_t n;

	while ((n = read(from, piece, sizeof(piece))) != 0) {
		int r = resolve_time(files, path, err);

		if (r < 0)
			return r;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, ERR_SETUP, errno, "%s: what is to be written cannot be read", path);
		done += (uint64_t)n;
		if (done > files->bytes_max)
			return too_large(files, path, done, err);
		r = resolve_room(files, path, done, err);
		if (r < 0)
			return r;
		r = fd_write_all(to, piece, (size_t)n);
		if (r < 0)
			return resolve_failed(err, -r, path);
	}
	return 0;
}

static int fill(const struct files *files, const char *path, const struct files_write *what, int to, struct err *err)
{
	int r = resolve_room(files, path, what->n, err);

	if (r < 0)
		return r;
	if (!what->bytes && what->n == 0 && what->from >= 0)
		return fill_from(files, path, what->from, to, err);
	if (what->n > files->bytes_max)
		return too_large(files, path, what->n, err);
	r = what->n ? fd_write_all(to, what->bytes, what->n) : 0;
	return r < 0 ? resolve_failed(err, -r, path) : 0;
}

/* The permissions that the file will have. -EISDIR and -EEXIST say that it must not be replaced. */
static int mode_for(const struct place_below *place, const struct files_write *what)
{
	struct stat st;
	int mode = what->mode == FILES_KEEP_MODE ? 0644 : what->mode & PERMISSIONS;

	if (fstatat(place->dir, place->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? mode : -errno;
	if (what->exclusive)
		return -EEXIST;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return what->mode == FILES_KEEP_MODE && S_ISREG(st.st_mode) ? (int)(st.st_mode & PERMISSIONS) : mode;
}

static int finish(struct fresh *fresh, const struct place_below *place, const struct files_write *what, int mode)
{
	if (fchmod(fresh->fd, (mode_t)mode) < 0 || (what->sync && fsync(fresh->fd) < 0))
		return -errno;

	int r = resolve_rename(fresh->dir, fresh->name, place, !what->exclusive);

	if (r < 0)
		return r;
	fresh->name[0] = '\0';
	if (!what->sync)
		return 0;

	autofd int dir = openat(place->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return dir < 0 || fsync(dir) < 0 ? -errno : 0;
}

int files_write(const struct files *files, const char *path, const struct files_write *what, struct err *err)
{
	autoplace struct place_below place;
	__attribute__((cleanup(fresh_done))) struct fresh fresh = { .dir = -1, .fd = -1 };
	int r = resolve_parent(files, path, RESOLVE_PARENTS_MADE, &place, err), mode;

	if (r < 0)
		return r;
	mode = mode_for(&place, what);
	if (mode < 0)
		return resolve_failed(err, -mode, path);
	r = fresh_make(&fresh, place.dir);
	if (r < 0)
		return resolve_failed(err, -r, path);
	r = fill(files, path, what, fresh.fd, err);
	if (r < 0)
		return r;
	r = finish(&fresh, &place, what, mode);
	return r < 0 ? resolve_failed(err, -r, path) : 0;
}

static int open_for_append(const struct place_below *place)
{
	int fd = openat(place->dir, place->name, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd >= 0)
		return fd;
	if (errno != EEXIST)
		return -errno;

	autofd int there = openat(place->dir, place->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	return there < 0 ? -errno : resolve_open_regular(there, O_WRONLY | O_APPEND);
}

int files_append(const struct files *files, const char *path, const void *bytes, size_t n, struct err *err)
{
	autoplace struct place_below place;
	int r = resolve_parent(files, path, RESOLVE_PARENTS_MADE, &place, err);
	struct stat st;

	if (r < 0)
		return r;

	autofd int fd = open_for_append(&place);

	if (fd < 0 || fstat(fd, &st) < 0)
		return resolve_failed(err, fd < 0 ? -fd : errno, path);
	if ((uint64_t)st.st_size > files->bytes_max || n > files->bytes_max - (uint64_t)st.st_size)
		return too_large(files, path, (uint64_t)st.st_size + n, err);
	r = resolve_room(files, path, n, err);
	if (r < 0)
		return r;
	r = n ? fd_write_all(fd, bytes, n) : 0;
	return r < 0 ? resolve_failed(err, -r, path) : 0;
}

static int is_directory(const struct files *files, const char *path)
{
	autofd int fd = resolve_open(files->root, path, O_PATH | O_DIRECTORY, 0);

	return fd < 0 ? fd : 0;
}

int files_mkdir(const struct files *files, const char *path, uint32_t mode, bool parents, struct err *err)
{
	autoplace struct place_below place = { .dir = -1 };
	char normal[PATH_BYTES_MAX + 1];
	int r = files_normalize(path, normal, err);

	if (r < 0 || (parents && strcmp(normal, ".") == 0))
		return r;
	r = resolve_room(files, path, 0, err);
	if (r < 0)
		return r;
	r = resolve_parent(files, path, parents ? RESOLVE_PARENTS_MADE : RESOLVE_PARENTS_EXIST, &place, err);
	if (r < 0)
		return r;
	if (mkdirat(place.dir, place.name, mode & PERMISSIONS) == 0)
		return 0;
	r = -errno;
	if (r == -EEXIST && parents)
		r = is_directory(files, normal);
	return r < 0 ? resolve_failed(err, r == -ENOTDIR ? EEXIST : -r, path) : 0;
}

int files_move(const struct files *files, const char *from, const char *to, bool replace, struct err *err)
{
	autoplace struct place_below source, target = { .dir = -1 };
	int r = resolve_parent(files, from, RESOLVE_PARENTS_EXIST, &source, err);

	if (r == 0)
		r = resolve_parent(files, to, RESOLVE_PARENTS_MADE, &target, err);
	if (r < 0)
		return r;
	r = resolve_rename(source.dir, source.name, &target, replace);
	if (r == -EXDEV)
		return err_set(err, ERR_USAGE, EXDEV, "%s to %s: these are different mounts; copy, then remove", from, to);
	return r < 0 ? resolve_failed(err, -r, r == -ENOENT ? from : to) : 0;
}

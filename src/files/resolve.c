/*
 * Theory of operation. A path is normal text before the kernel sees it, so that no component is "..". Then one openat2 walks it beneath the
 * root; the kernel answers -EXDEV when a link leads out, and -EAGAIN when a rename somewhere could have led it out, which the hostile side
 * can keep up: we try again, but not for ever.
 */
#include "files/resolve.h"

#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ATTEMPTS = 128 };

void files_init(struct files *files, int root)
{
	*files = (struct files){ .root = root,
		                 .bytes_max = 64 << 20,
		                 .entries_max = 100000,
		                 .depth_max = 128,
		                 .room_bytes = UINT64_MAX,
		                 .room_files = UINT64_MAX };
}

uint64_t files_now_ms(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int resolve_room(const struct files *files, const char *path, uint64_t bytes, struct err *err)
{
	if (files->room_files == 0)
		return err_set(err, ERR_LIMIT, EDQUOT, "%s: the workspace holds as many files as limits.workspaceFiles lets it", path);
	if (bytes > files->room_bytes)
		return err_set(err, ERR_LIMIT, EDQUOT, "%s: %llu bytes or more, and limits.workspaceSize leaves %llu", path,
		               (unsigned long long)bytes, (unsigned long long)files->room_bytes);
	return 0;
}

static int bad_path(struct err *err, const char *path, const char *what)
{
	return err_set(err, ERR_POLICY, EINVAL, "path \"%s\": %s", path, what);
}

/* Adds one component. Returns the new length, or 0 when it leads above the root. */
static size_t add_component(char *to, size_t len, const char *name, size_t n)
{
	if (n == 0 || (n == 1 && name[0] == '.'))
		return len;
	if (n == 2 && name[0] == '.' && name[1] == '.') {
		if (len == 0)
			return SIZE_MAX;
		while (len > 0 && to[--len] != '/')
			;
		return len;
	}
	if (len > 0)
		to[len++] = '/';
	memcpy(to + len, name, n);
	return len + n;
}

int files_normalize(const char *path, char ret_path[PATH_BYTES_MAX + 1], struct err *err)
{
	char made[PATH_BYTES_MAX + 1];
	size_t len = 0;

	if (path[0] == '/')
		return bad_path(err, path, "must be relative to the workspace");
	if (strlen(path) > PATH_BYTES_MAX)
		return err_set(err, ERR_POLICY, ENAMETOOLONG, "path \"%.64s…\": it is too long", path);
	for (const char *at = path; *at; at += *at == '/') {
		size_t n = strcspn(at, "/");

		if (n > PATH_NAME_MAX)
			return err_set(err, ERR_POLICY, ENAMETOOLONG, "path \"%.64s…\": a name in it is too long", path);
		len = add_component(made, len, at, n);
		if (len == SIZE_MAX)
			return bad_path(err, path, "leaves the workspace");
		at += n;
	}
	if (len == 0)
		made[len++] = '.';
	made[len] = '\0';
	memcpy(ret_path, made, len + 1);
	return 0;
}

int resolve_failed(struct err *err, int errnum, const char *path)
{
	enum err_code code = ERR_SETUP;

	switch (errnum) {
	case EXDEV:
		return err_set(err, ERR_DENIED, 0, "%s: leads out of the workspace", path), -EXDEV;
	case EAGAIN:
		return err_set(err, ERR_BUSY, errnum, "%s: held by a program, or renamed while we looked", path);
	case ENOSYS:
		return err_set(err, ERR_UNSUPPORTED, errnum, "%s: working beside a sandbox wants openat2 (Linux 5.6)", path);
	case ENOENT:
		code = ERR_NOTFOUND;
		break;
	case EACCES:
	case EPERM:
	case EROFS:
		code = ERR_DENIED;
		break;
	case ELOOP:
	case ENOTDIR:
	case EISDIR:
	case ENOTEMPTY:
	case EINVAL:
		code = ERR_USAGE;
		break;
	case EEXIST: /* it is somebody's */
	case EBUSY:
	case ETXTBSY:
		code = ERR_BUSY;
		break;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case ETIMEDOUT:
		code = ERR_LIMIT;
		break;
	default:
		break;
	}
	return err_set(err, code, errnum, "%s: %s", path, strerror(errnum));
}

int resolve_time(const struct files *files, const char *path, struct err *err)
{
	if (!files->deadline_ms || files_now_ms() < files->deadline_ms)
		return 0;
	return err_set(err, ERR_LIMIT, ETIMEDOUT, "%s: %s", path, strerror(ETIMEDOUT));
}

int resolve_open(int dirfd, const char *path, int flags, uint64_t more_resolve)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC | (flags & O_PATH ? 0 : O_NONBLOCK | O_NOCTTY)),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | more_resolve,
	};
	long fd = -1;

	for (unsigned i = 0; i < ATTEMPTS; i++) {
		fd = syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return fd < 0 ? -errno : (int)fd;
}

int resolve_path(const struct files *files, const char *path, int flags, struct err *err)
{
	char normal[PATH_BYTES_MAX + 1];
	int r = files_normalize(path, normal, err);

	if (r == 0)
		r = resolve_time(files, path, err);
	if (r < 0)
		return r;
	r = resolve_open(files->root, normal, flags, 0);
	return r < 0 ? resolve_failed(err, -r, path) : r;
}

int resolve_open_regular(int place, int flags)
{
	char again[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
	struct stat st;
	int fd;

	if (fstat(place, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (S_ISLNK(st.st_mode))
		return -ELOOP;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	snprintf(again, sizeof(again), "/proc/self/fd/%d", place);
	fd = open(again, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

/* Opens a directory, which is made in `above` when it is not there. The path is looked up from the root, so that links on the way mean what they mean to others. */
static int open_or_make(const struct files *files, int above, const char *path, const char *name)
{
	int fd = resolve_open(files->root, path, O_PATH | O_DIRECTORY, 0);

	if (fd != -ENOENT)
		return fd;
	if (mkdirat(above, name, 0755) < 0 && errno != EEXIST)
		return -errno;
	return resolve_open(files->root, path, O_PATH | O_DIRECTORY, 0);
}

/* Makes the directories of a path, from the top on. */
static int make_directories(const struct files *files, char *path)
{
	autofd int above = resolve_open(files->root, ".", O_PATH | O_DIRECTORY, 0);

	for (char *name = path, *slash; name && above >= 0; name = slash ? slash + 1 : NULL) {
		slash = strchr(name, '/');
		if (slash)
			*slash = '\0';

		int fd = open_or_make(files, above, path, name);

		if (slash)
			*slash = '/';
		own_close(&above);
		above = fd;
	}
	return TAKE_FD(above);
}

int resolve_parent(const struct files *files, const char *path, enum resolve_parents parents, struct place_below *ret_place,
                   struct err *err)
{
	int r = files_normalize(path, ret_place->path, err);
	char *slash;

	ret_place->dir = -1;
	if (r == 0)
		r = resolve_time(files, path, err);
	if (r < 0)
		return r;
	if (strcmp(ret_place->path, ".") == 0)
		return bad_path(err, path, "must name something inside the workspace");
	slash = strrchr(ret_place->path, '/');
	ret_place->name = slash ? slash + 1 : ret_place->path;
	if (slash)
		*slash = '\0';
	r = resolve_open(files->root, slash ? ret_place->path : ".", O_PATH | O_DIRECTORY, 0);
	if (r == -ENOENT && slash && parents == RESOLVE_PARENTS_MADE)
		r = make_directories(files, ret_place->path);
	if (slash)
		*slash = '/';
	if (r < 0)
		return resolve_failed(err, -r, path);
	ret_place->dir = r;
	return 0;
}

void place_below_done(struct place_below *place)
{
	own_close(&place->dir);
}

int resolve_rename(int from_dir, const char *from, const struct place_below *to, bool replace)
{
	return syscall(SYS_renameat2, from_dir, from, to->dir, to->name, replace ? 0 : RENAME_NOREPLACE) < 0 ? -errno : 0;
}

void resolve_temporary(char ret_name[TEMPORARY_MAX])
{
	uint64_t number = 0;

	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) < 0)
		number = files_now_ms() ^ (uint64_t)getpid() << 40;
	snprintf(ret_name, TEMPORARY_MAX, ".coffer-%016llx", (unsigned long long)number);
}

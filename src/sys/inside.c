#include "sys/inside.h"

#include "base/own.h"

#include <errno.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Copies the next component of *path into name and steps over it. False at the end. */
static bool next_name(const char **path, char name[NAME_MAX + 1], int *ret_error)
{
	const char *at = *path + strspn(*path, "/");
	size_t n = strcspn(at, "/");

	*ret_error = n > NAME_MAX ? -ENAMETOOLONG : 0;
	if (n == 0 || n > NAME_MAX)
		return false;
	memcpy(name, at, n);
	name[n] = '\0';
	*path = at + n;
	return true;
}

static int open_top(int root)
{
	int fd = root == INSIDE_SELF ? open("/", O_PATH | O_DIRECTORY | O_CLOEXEC) : openat(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* With O_PATH a link opens as itself, so it has to be looked for. */
static int open_name(int dir, const char *name)
{
	int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && !S_ISLNK(st.st_mode))
		return fd;
	close(fd);
	return -ELOOP;
}

static int walk(int root, const char *path)
{
	char name[NAME_MAX + 1];
	int fd = open_top(root), error = 0;

	while (fd >= 0 && next_name(&path, name, &error)) {
		int next = open_name(fd, name);

		close(fd);
		fd = next;
	}
	if (fd >= 0 && error < 0)
		close(fd);
	return error < 0 ? error : fd;
}

int inside_open(int root, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | (root == INSIDE_SELF ? 0 : RESOLVE_IN_ROOT),
	};
	long fd = syscall(SYS_openat2, root, path, &how, sizeof(how));

	if (fd >= 0)
		return (int)fd;
	return errno == ENOSYS ? walk(root, path) : -errno;
}

int inside_open_same(int root, const char *path, uint64_t dev, uint64_t ino)
{
	int fd = inside_open(root, path), r = 0;
	struct stat st;

	if (fd < 0 || (!dev && !ino))
		return fd;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (st.st_dev != dev || st.st_ino != ino)
		r = -ESTALE;
	if (r < 0)
		close(fd);
	return r < 0 ? r : fd;
}

int inside_open_parent(int root, const char *path, const char **ret_name)
{
	const char *name = strrchr(path, '/') + 1;
	size_t n = (size_t)(name - path);
	char parent[PATH_MAX];

	if (!name[0])
		return -EBUSY;
	if (n >= sizeof(parent))
		return -ENAMETOOLONG;
	memcpy(parent, path, n);
	parent[n > 1 ? n - 1 : n] = '\0';
	*ret_name = name;
	return inside_open(root, parent);
}

struct maker {
	int (*may_make)(int dir, void *context);
	void *context;
};

static int make_name(int dir, const char *name, unsigned mode, const struct maker *maker)
{
	struct stat st;
	int r;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
	if (errno != ENOENT)
		return -errno;
	r = maker->may_make(dir, maker->context);
	if (r < 0)
		return r;
	return mkdirat(dir, name, mode) < 0 ? -errno : 0;
}

/* From the top, for a parent is missing. Takes dir over. */
static int make_path(int dir, const char *path, unsigned mode, const struct maker *maker)
{
	enum { PARENT_MODE = 0755 };
	char name[NAME_MAX + 1];
	int r = 0;

	while (dir >= 0 && r == 0 && next_name(&path, name, &r)) {
		bool last = path[strspn(path, "/")] == '\0';
		int next;

		r = make_name(dir, name, last ? mode : PARENT_MODE, maker);
		next = r < 0 || last ? r : open_name(dir, name);
		close(dir);
		dir = next;
		if (last)
			return r;
	}
	if (dir >= 0)
		close(dir);
	return dir < 0 ? dir : r;
}

int inside_make_dir(int root, const char *path, unsigned mode, int (*may_make)(int dir, void *context), void *context)
{
	const struct maker maker = { may_make, context };
	const char *name;
	int dir = inside_open_parent(root, path, &name), r;

	if (dir == -ENOENT)
		return make_path(open_top(root), path, mode, &maker);
	if (dir < 0)
		return dir;
	r = make_name(dir, name, mode, &maker);
	close(dir);
	return r;
}

int inside_enter(const char *path)
{
	const struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS };
	autofd int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
	char cwd[PATH_MAX];
	int r;

	if (fd < 0 && errno == ENOSYS)
		r = chdir(path);
	else
		r = fd < 0 ? -1 : fchdir(fd);
	if (r < 0)
		return -errno;
	return syscall(SYS_getcwd, cwd, sizeof(cwd)) > 0 && cwd[0] == '/' ? 0 : -EXDEV;
}

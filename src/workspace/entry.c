#include "workspace/entry.h"

#include "base/hash.h"
#include "base/own.h"
#include "base/path.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct entry entry_of(const struct stat *st)
{
	struct entry entry = {
		.kind = ENTRY_OTHER,
		.type = st->st_mode & S_IFMT,
		.mode = st->st_mode & 07777,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.links = (uint32_t)st->st_nlink,
		.size = (uint64_t)st->st_size,
		.dev = st->st_dev,
		.ino = st->st_ino,
		.rdev = st->st_rdev,
		.mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec,
		.ctime_ns = (int64_t)st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec,
	};

	if (S_ISREG(st->st_mode))
		entry.kind = ENTRY_FILE;
	else if (S_ISDIR(st->st_mode))
		entry.kind = ENTRY_DIR;
	else if (S_ISLNK(st->st_mode))
		entry.kind = ENTRY_LINK;
	return entry;
}

const char *entry_kind_name(enum entry_kind kind)
{
	static const char *const name[] = { "nothing", "file", "directory", "link", "special" };

	return name[kind];
}

/* Before Linux 5.6: one component at a time. */
static int open_stepwise(int root, const char *path, int flags)
{
	autofd int at = openat(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char name[PATH_NAME_MAX + 1];

	while (at >= 0) {
		size_t n = strcspn(path, "/");

		if (n > PATH_NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(name, path, n);
		name[n] = '\0';
		if (strcmp(name, "..") == 0)
			return -EXDEV;
		if (!path[n])
			break;

		int next = openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		own_close(&at);
		at = next;
		path += n + 1;
	}

	int fd = at < 0 ? -1 : openat(at, name, flags | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int open_below(int root, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_NOFOLLOW | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};

	if (!*path)
		path = ".";
	/* A link in the last place is to be opened as such, which RESOLVE_NO_SYMLINKS grants to O_PATH with O_NOFOLLOW. */
	long fd = syscall(__NR_openat2, root, path, &how, sizeof(how));

	if (fd < 0 && errno == ENOSYS)
		return open_stepwise(root, path, flags);
	return fd < 0 ? -errno : (int)fd;
}

int entry_open_path(int root, const char *path)
{
	return open_below(root, path, O_PATH);
}

int entry_open_dir(int root, const char *path)
{
	return open_below(root, path, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
}

int entry_open_file(int root, const char *path)
{
	char again[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
	autofd int place = open_below(root, path, O_PATH);
	struct stat st;

	if (place < 0)
		return place;
	if (fstat(place, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	snprintf(again, sizeof(again), "/proc/self/fd/%d", place);

	int fd = open(again, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

int entry_open_seen(int root, const char *path, struct entry *ret_now)
{
	autofd int fd = open_below(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return fd;
	if (ret_now && fstat(fd, &st) < 0)
		return -errno;
	if (ret_now && !S_ISREG(st.st_mode))
		return -EINVAL;
	if (ret_now)
		*ret_now = entry_of(&st);
	return TAKE_FD(fd);
}

int entry_open_parent(int root, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_BYTES_MAX + 1];
	size_t n = slash ? (size_t)(slash - path) : 0;

	if (n > PATH_BYTES_MAX)
		return -ENAMETOOLONG;
	memcpy(dir, path, n);
	dir[n] = '\0';
	*ret_name = slash ? slash + 1 : path;
	return open_below(root, dir, O_PATH | O_DIRECTORY);
}

void entry_parent_done(struct entry_parent *parent)
{
	own_close(&parent->fd);
}

int entry_parent_of(struct entry_parent *parent, int root, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;

	if (n > PATH_BYTES_MAX)
		return -ENAMETOOLONG;
	*ret_name = slash ? slash + 1 : path;
	if (parent->fd >= 0 && parent->root == root && strncmp(parent->path, path, n) == 0 && !parent->path[n])
		return parent->fd;
	own_close(&parent->fd);
	memcpy(parent->path, path, n);
	parent->path[n] = '\0';
	parent->root = root;
	parent->fd = open_below(root, parent->path, O_PATH | O_DIRECTORY);
	return parent->fd;
}

/* Is this how the kernel says that there is nothing at a path? */
static bool is_absence(int r)
{
	return r == -ENOENT || r == -ENOTDIR || r == -ELOOP;
}

/* A single name cannot lead anywhere: no need to open what it names. */
static bool is_name(const char *path)
{
	return *path && !strchr(path, '/') && strcmp(path, ".") != 0 && strcmp(path, "..") != 0;
}

static int look(int root, const char *path, struct stat *ret_st)
{
	if (is_name(path))
		return fstatat(root, path, ret_st, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
	autofd int fd = open_below(root, path, O_PATH);

	if (fd < 0)
		return fd;
	return fstat(fd, ret_st) < 0 ? -errno : 0;
}

int entry_look(int root, const char *path, struct entry *ret_entry)
{
	struct stat st;
	int r = root < 0 ? -ENOENT : look(root, path, &st);

	*ret_entry = (struct entry){ .kind = ENTRY_NONE };
	if (r < 0)
		return is_absence(r) ? 0 : r;
	*ret_entry = entry_of(&st);
	return 0;
}

int entry_read_link(int root, const char *path, struct arena *arena, const char **ret_target)
{
	char target[PATH_BYTES_MAX + 1];
	autofd int fd = open_below(root, path, O_PATH);
	ssize_t n = fd < 0 ? -1 : readlinkat(fd, "", target, sizeof(target));

	if (fd < 0 || n < 0)
		return fd < 0 ? fd : -errno;
	if ((size_t)n == sizeof(target))
		return -ENAMETOOLONG;
	*ret_target = arena_dup_n(arena, target, (size_t)n);
	return *ret_target ? 0 : -ENOMEM;
}

int entry_names(int root, const char *path, struct arena *arena, struct text_vec *names)
{
	autofd int fd = root < 0 ? -ENOENT : entry_open_dir(root, path);
	struct file_dir dir;
	const char *name;
	unsigned char type;
	int r;

	if (fd < 0)
		return is_absence(fd) ? 0 : fd;
	file_dir_init(&dir, fd);
	while ((r = file_dir_next(&dir, &name, &type)) > 0) {
		const char **slot = text_vec_add(names, arena);

		if (!slot || !(*slot = arena_dup(arena, name)))
			return -ENOMEM;
	}
	return r;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void entry_sort_names(struct text_vec *names)
{
	size_t n = 0;

	if (names->n)
		qsort(names->at, names->n, sizeof(*names->at), by_bytes);
	for (size_t i = 0; i < names->n; i++)
		if (n == 0 || strcmp(names->at[n - 1], names->at[i]) != 0)
			names->at[n++] = names->at[i];
	names->n = n;
}

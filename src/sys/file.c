#include "sys/file.h"

#include "sys/fd.h"
#include "sys/text.h"

#include "base/own.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

ssize_t file_read_at(int dirfd, const char *path, char *ret_text, size_t room)
{
	autofd int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t len = 0;
	ssize_t n = 1;

	if (fd < 0)
		return -errno;
	while (len < room && (n = read(fd, ret_text + len, room - len)) > 0)
		len += (size_t)n;
	if (n < 0)
		return -errno;
	if (len == room)
		return -EFBIG;
	ret_text[len] = '\0';
	return (ssize_t)len;
}

int file_read_number_at(int dirfd, const char *path, uint64_t *ret_number)
{
	char text[64], *end;
	ssize_t n = file_read_at(dirfd, path, text, sizeof(text));

	if (n < 0)
		return (int)n;
	if (strcmp(text, "max\n") == 0) {
		*ret_number = UINT64_MAX;
		return 0;
	}
	errno = 0;

	unsigned long long number = strtoull(text, &end, 10);

	if (errno || end == text)
		return -EINVAL;
	*ret_number = number;
	return 0;
}

int file_write_at(int dirfd, const char *path, const char *text)
{
	autofd int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	size_t n = strlen(text);

	if (fd < 0)
		return -errno;

	ssize_t written = write(fd, text, n);

	if (written < 0)
		return -errno;
	return (size_t)written == n ? 0 : -EIO;
}

static int open_resolving(int dirfd, const char *path, int flags, uint64_t resolve)
{
	struct open_how how = { .flags = (uint64_t)(flags | O_CLOEXEC), .resolve = resolve };
	long fd = syscall(__NR_openat2, dirfd, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

int file_open_path(int dirfd, const char *path, enum file_links links)
{
	int fd = open_resolving(dirfd, path, O_PATH, links == FILE_LINKS ? RESOLVE_NO_MAGICLINKS : RESOLVE_NO_SYMLINKS);

	/* Without openat2 nobody can say whether there were links: let the caller go the way that allows for them. */
	if (fd == -ENOSYS && links == FILE_NO_LINKS)
		return -ELOOP;
	if (fd == -ENOSYS) {
		fd = openat(dirfd, path, O_PATH | O_CLOEXEC);
		return fd < 0 ? -errno : fd;
	}
	return fd;
}

int file_real_path(int fd, char *ret_path, size_t room)
{
	char link[sizeof("/proc/self/fd/") + 3 * sizeof(int)];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);

	ssize_t n = readlink(link, ret_path, room);

	if (n < 0)
		return -errno;
	if ((size_t)n >= room)
		return -ENAMETOOLONG;
	ret_path[n] = '\0';
	return 0;
}

int file_open_dir(int dirfd, const char *path)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

int file_open_dir_below(int dirfd, const char *path)
{
	int fd = open_resolving(dirfd, path, O_RDONLY | O_DIRECTORY | O_NONBLOCK, RESOLVE_NO_SYMLINKS);

	return fd == -ENOSYS ? file_open_dir(dirfd, path) : fd;
}

void file_dir_init(struct file_dir *dir, int fd)
{
	dir->fd = fd;
	dir->at = dir->n = 0;
}

/* What getdents64(2) fills in; the C library's struct dirent need not be the same. */
struct kernel_dirent {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

static bool is_dots(const char *name)
{
	return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

int file_dir_next(struct file_dir *dir, const char **ret_name, unsigned char *ret_type)
{
	const struct kernel_dirent *entry;

	do {
		if (dir->at == dir->n) {
			long n = syscall(__NR_getdents64, dir->fd, dir->bytes, sizeof(dir->bytes));

			if (n <= 0)
				return n < 0 ? -errno : 0;
			dir->at = 0;
			dir->n = (size_t)n;
		}
		entry = (const struct kernel_dirent *)(const void *)(dir->bytes + dir->at);
		dir->at += entry->reclen;
	} while (is_dots(entry->name));
	*ret_name = entry->name;
	*ret_type = entry->type;
	return 1;
}

static int fill_new(int dirfd, const char *name, const void *bytes, size_t n, bool durable)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : fd_write_all(fd, bytes, n);

	if (r == 0 && durable && fsync(fd) < 0)
		r = -errno;
	if (fd >= 0)
		close(fd);
	return r;
}

int file_replace_at(int dirfd, const char *name, const void *bytes, size_t n, bool durable)
{
	struct text temporary = { 0 };
	int r;

	text_add(&temporary, ".");
	text_add(&temporary, name);
	text_add(&temporary, ".new");
	if (temporary.cut)
		return -ENAMETOOLONG;
	r = fill_new(dirfd, temporary.bytes, bytes, n, durable);
	if (r == 0 && renameat(dirfd, temporary.bytes, dirfd, name) < 0)
		r = -errno;
	if (r == 0 && durable && fsync(dirfd) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(dirfd, temporary.bytes, 0);
	return r;
}

#include "sys/fd.h"

#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Documentation/admin-guide/devices.txt: 1:3 is /dev/null. */
static bool is_null_device(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && major(st->st_rdev) == 1 && minor(st->st_rdev) == 3;
}

static enum fd_kind kind_of(int fd, const struct stat *st)
{
	switch (st->st_mode & S_IFMT) {
	case S_IFREG:
		return FD_FILE;
	case S_IFIFO:
		return FD_PIPE;
	case S_IFSOCK:
		return FD_SOCKET;
	case S_IFCHR:
		if (is_null_device(st))
			return FD_NULL;
		return isatty(fd) ? FD_TERMINAL : FD_OTHER;
	default:
		return FD_OTHER;
	}
}

struct fd_facts fd_look(int fd)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return (struct fd_facts){ .kind = FD_CLOSED };
	return (struct fd_facts){ .kind = kind_of(fd, &st), .dev = st.st_dev, .ino = st.st_ino };
}

int fd_raise(int *fd)
{
	if (*fd >= FD_LOWEST)
		return 0;

	int low = *fd;
	int high = fcntl(low, F_DUPFD_CLOEXEC, FD_LOWEST);
	int r = high < 0 ? -errno : 0;

	close(low);
	*fd = high;
	return r;
}

void fd_close_from(int first)
{
	enum { NUMBERS = 1 << 20 };

	if (syscall(SYS_close_range, first, ~0U, 0) == 0)
		return;
	for (int fd = first; fd < NUMBERS; fd++)
		close(fd);
}

int fd_mark_from(int first, int end)
{
	if (syscall(SYS_close_range, first, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
		return 0;
	for (int fd = first; fd < end; fd++)
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 && errno != EBADF)
			return -errno;
	return 0;
}

int fd_pipe(int ret_ends[2])
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;

	autofd int read_end = ends[0];
	autofd int write_end = ends[1];
	int r = fd_raise(&read_end);

	if (r == 0)
		r = fd_raise(&write_end);
	if (r < 0)
		return r;
	ret_ends[0] = TAKE_FD(read_end);
	ret_ends[1] = TAKE_FD(write_end);
	return 0;
}

int fd_set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	return 0;
}

int fd_open_again(int fd, int access)
{
	char path[sizeof("/proc/self/fd/") + 3 * sizeof(int)];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);

	int again = open(path, access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (again < 0)
		return -errno;

	int r = fd_raise(&again);

	return r < 0 ? r : again;
}

int fd_write_all(int fd, const void *bytes, size_t n)
{
	for (const char *at = bytes; n > 0;) {
		ssize_t written = write(fd, at, n);

		if (written < 0 && errno != EINTR)
			return -errno;
		if (written > 0) {
			at += written;
			n -= (size_t)written;
		}
	}
	return 0;
}

static int make_memfd(const char *name)
{
	enum { NOEXEC_SEAL = 8 /* MFD_NOEXEC_SEAL of linux/memfd.h: Linux 6.3 */ };
	long fd = syscall(__NR_memfd_create, name, MFD_CLOEXEC | MFD_ALLOW_SEALING | NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = syscall(__NR_memfd_create, name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd < 0 ? -errno : (int)fd;
}

int fd_sealed(const char *name, const void *bytes, size_t n)
{
	autofd int fd = make_memfd(name);
	int r = fd < 0 ? fd : fd_raise(&fd);

	if (r == 0)
		r = fd_write_all(fd, bytes, n);
	if (r < 0)
		return r;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int fd_open_null(void)
{
	autofd int fd = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);
	int r = fd < 0 ? -errno : fd_raise(&fd);
	struct stat st;

	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return -errno;
	return is_null_device(&st) ? TAKE_FD(fd) : -ENODEV;
}

int fd_fill_standard(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;

		autofd int null = open("/dev/null", O_RDWR | O_NOCTTY | O_CLOEXEC); /* the lowest number that is free: fd */

		if (null < 0 || fcntl(null, F_SETFD, 0) < 0)
			return -errno;
		(void)TAKE_FD(null);
	}
	return 0;
}

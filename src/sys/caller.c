#include "sys/caller.h"

#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static struct text entry(pid_t pid, const char *name)
{
	struct text path = { 0 };

	text_number(&path, (unsigned)pid, 10);
	text_add(&path, name);
	return path;
}

static int stat_entry(const struct caller_view *view, pid_t pid, const char *name, struct stat *ret)
{
	const struct text path = entry(pid, name);

	return fstatat(view->proc, path.bytes, ret, 0) < 0 ? -errno : 0;
}

int caller_init(struct caller_view *view)
{
	struct stat proc, root, ns;
	struct text name = { 0 };
	ssize_t n;

	view->self = getpid();
	view->proc = open("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	view->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	view->own_fds = openat(view->proc, "self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (view->proc < 0 || view->root < 0 || view->own_fds < 0 || fstat(view->proc, &proc) < 0 || fstat(view->root, &root) < 0)
		return -errno;
	if (fstatat(view->proc, "self/ns/mnt", &ns, 0) < 0)
		return -errno;
	text_add(&name, "self/fd/");
	text_number(&name, (unsigned)view->proc, 10);
	n = readlinkat(view->proc, name.bytes, view->proc_path, sizeof(view->proc_path) - 1);
	if (n < 0)
		return -errno;
	view->proc_path[n] = '\0';
	view->proc_dev = proc.st_dev;
	view->root_dev = root.st_dev;
	view->root_ino = root.st_ino;
	view->mount_ns = ns.st_ino;
	view->umask = umask(0);
	(void)umask(view->umask);
	view->umask_varies = false;
	return 0;
}

/* "Tgid:\t12" among the lines of status. */
static bool find_number(const char *status, const char *key, unsigned base, unsigned *ret)
{
	const char *at = strstr(status, key);

	if (!at)
		return false;
	*ret = 0;
	for (at += strlen(key); *at >= '0' && *at <= '9'; at++)
		*ret = *ret * base + (unsigned)(*at - '0');
	return true;
}

bool caller_sees_the_same(const struct caller_view *view, pid_t thread)
{
	struct stat root, ns;

	if (stat_entry(view, thread, "/root", &root) < 0 || stat_entry(view, thread, "/ns/mnt", &ns) < 0)
		return false;
	return root.st_dev == view->root_dev && root.st_ino == view->root_ino && ns.st_ino == view->mount_ns;
}

static int learn(struct caller *caller)
{
	const struct text path = entry(caller->thread, "/status");
	autofd int fd = openat(caller->view->proc, path.bytes, O_RDONLY | O_CLOEXEC);
	unsigned process = 0, mask = 0;
	char status[512]; /* both stand among the first few lines */
	ssize_t n = fd < 0 ? -1 : read(fd, status, sizeof(status) - 1);

	if (n <= 0)
		return -EACCES;
	status[n] = '\0';
	if (!find_number(status, "\nTgid:\t", 10, &process) || !find_number(status, "\nUmask:\t", 8, &mask))
		return -EACCES;
	caller->process = (pid_t)process;
	caller->umask = mask;
	return 0;
}

int caller_process(struct caller *caller, pid_t *ret_process)
{
	int r = caller->process ? 0 : learn(caller);

	if (r == 0)
		*ret_process = caller->process;
	return r;
}

int caller_umask(struct caller *caller, unsigned *ret_umask)
{
	int r = caller->process || !caller->view->umask_varies ? 0 : learn(caller);

	if (r == 0)
		*ret_umask = caller->process ? caller->umask : caller->view->umask;
	return r;
}

static ssize_t copy(pid_t thread, uint64_t address, void *bytes, size_t n)
{
	enum { PAGE = 4096, PIECES = 4 };
	struct iovec here = { bytes, n }, there[PIECES];
	unsigned pieces = 0;

	/* In pieces that end with a page, so that what can be read is, up to where the memory ends. */
	while (n > 0 && pieces < PIECES) {
		size_t piece = PAGE - (size_t)(address % PAGE);

		if (piece > n)
			piece = n;
		there[pieces++] = (struct iovec){ (void *)(uintptr_t)address, piece };
		address += piece;
		n -= piece;
	}

	/* The sixth argument travels on the stack: an int would leave half of it to chance. */
	long r = syscall(SYS_process_vm_readv, thread, &here, 1UL, there, (unsigned long)pieces, 0UL);

	if (r >= 0)
		return r;
	return errno == EPERM ? -EACCES : -errno;
}

int caller_read(pid_t thread, uint64_t address, void *ret_bytes, size_t n)
{
	ssize_t r = copy(thread, address, ret_bytes, n);

	if (r < 0)
		return (int)r;
	return (size_t)r == n ? 0 : -EFAULT;
}

int caller_read_text(pid_t thread, uint64_t address, char *ret_text, size_t room)
{
	enum { SHORT = 256 }; /* most are, and each page more costs */
	ssize_t n = copy(thread, address, ret_text, room < SHORT ? room : SHORT);
	const char *end = n > 0 ? memchr(ret_text, '\0', (size_t)n) : NULL;

	if (n == SHORT && !end) {
		n = copy(thread, address, ret_text, room);
		end = n > 0 ? memchr(ret_text, '\0', (size_t)n) : NULL;
	}
	if (n < 0)
		return (int)n;
	if (end)
		return (int)(end - ret_text);
	return (size_t)n == room ? -ENAMETOOLONG : -EFAULT;
}

void caller_name(const struct caller_view *view, pid_t thread, char ret_name[16])
{
	const struct text path = entry(thread, "/comm");
	autofd int fd = openat(view->proc, path.bytes, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, ret_name, 16);

	ret_name[n > 0 ? n - 1 : 0] = '\0'; /* it ends in a newline */
}

/* Field 7 of stat, as major and minor number. Field 2, the name, may hold anything: counting starts behind its last parenthesis. */
int caller_terminal(struct caller *caller, unsigned *ret_number)
{
	enum { TTY_FIELD = 7, NAME_FIELD = 2, PTY = 136 /* major number */ };
	const struct text path = entry(caller->thread, "/stat"); /* each of a process's threads says the same */
	autofd int fd = openat(caller->view->proc, path.bytes, O_RDONLY | O_CLOEXEC);
	char stat[512];
	ssize_t n = fd < 0 ? 0 : read(fd, stat, sizeof(stat) - 1);
	unsigned device = 0;
	const char *at;

	stat[n > 0 ? n : 0] = '\0';
	at = strrchr(stat, ')');
	for (int field = NAME_FIELD; at && field < TTY_FIELD; field++) {
		at = strchr(at, ' ');
		at += at ? 1 : 0;
	}
	for (; at && *at >= '0' && *at <= '9'; at++)
		device = device * 10 + (unsigned)(*at - '0');
	if ((device >> 8 & 0xfff) != PTY)
		return -ENXIO;
	*ret_number = (device & 0xff) | (device >> 12 & 0xfff00);
	return 0;
}

int caller_open_fd(const struct caller_view *view, pid_t thread, int fd)
{
	struct text path = entry(thread, "/fd/");
	int r;

	if (fd < 0)
		return -EBADF;
	text_number(&path, (unsigned)fd, 10);
	r = openat(view->proc, path.bytes, O_PATH | O_CLOEXEC);
	if (r >= 0)
		return r;
	return errno == ENOENT ? -EBADF : -errno;
}

/* The second line of fdinfo, in octal, and with the close-on-exec bit that belongs to the number rather than to the file. */
int caller_fd_cloexec(const struct caller_view *view, pid_t thread, int fd, bool *ret_cloexec)
{
	struct text path = entry(thread, "/fdinfo/");
	unsigned flags = 0;
	char info[256];
	autofd int file = -1;
	ssize_t n;

	if (fd < 0)
		return -EBADF;
	text_number(&path, (unsigned)fd, 10);
	file = openat(view->proc, path.bytes, O_RDONLY | O_CLOEXEC);
	n = file < 0 ? -1 : read(file, info, sizeof(info) - 1);
	if (n <= 0)
		return file < 0 && errno == ENOENT ? -EBADF : -EACCES;
	info[n] = '\0';
	if (!find_number(info, "\nflags:\t", 8, &flags))
		return -EACCES;
	*ret_cloexec = flags & O_CLOEXEC;
	return 0;
}

int caller_dir_path(const struct caller_view *view, pid_t thread, int dir, char ret_path[PATH_MAX])
{
	struct text path = entry(thread, dir == AT_FDCWD ? "/cwd" : "/fd/");
	ssize_t n;

	if (dir != AT_FDCWD)
		text_number(&path, (unsigned)dir, 10);
	n = readlinkat(view->proc, path.bytes, ret_path, PATH_MAX - 1);
	if (n < 0)
		return -errno;
	ret_path[n] = '\0';
	return 0;
}

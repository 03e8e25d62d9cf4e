#include "sys/ns.h"

#include "base/own.h"
#include "sys/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int clone(int (*)(void *), void *, int, void *, ...); /* sched.h, which does not go together with linux/sched.h */

pid_t ns_fork(uint64_t namespaces)
{
	struct clone_args args = { .flags = namespaces, .exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid < 0 && errno == ENOSYS) {
		if (namespaces & CLONE_NEWTIME) /* clone has no room for it */
			return -EINVAL;
		pid = syscall(SYS_clone, namespaces | SIGCHLD, NULL, NULL, NULL, NULL);
	}
	return pid < 0 ? -errno : (pid_t)pid;
}

static int write_file(int proc, const char *name, const char *text)
{
	autofd int fd = openat(proc, name, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

static int write_map(int proc, const char *name, uint32_t inside, uint32_t outside)
{
	struct text line = { 0 };

	text_number(&line, inside, 10);
	text_add(&line, " ");
	text_number(&line, outside, 10);
	text_add(&line, " 1");
	return write_file(proc, name, line.bytes);
}

static int write_maps(int proc, const struct ns_map *map)
{
	int r = write_file(proc, "setgroups", "deny");

	if (r == 0)
		r = write_map(proc, "uid_map", map->uid_inside, map->uid_outside);
	if (r == 0)
		r = write_map(proc, "gid_map", map->gid_inside, map->gid_outside);
	return r;
}

int ns_map_self(const struct ns_map *map)
{
	autofd int proc = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return proc < 0 ? -errno : write_maps(proc, map);
}

static int wait_for_the_end(void *unused)
{
	(void)unused;
	for (;;)
		(void)pause();
	return 0;
}

static int open_user(pid_t pid, const struct ns_map *map)
{
	struct text path = { 0 };

	text_add(&path, "/proc/");
	text_number(&path, (unsigned)pid, 10);

	autofd int proc = open(path.bytes, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd, r = proc < 0 ? -errno : write_maps(proc, map);

	if (r < 0)
		return r;
	fd = openat(proc, "ns/user", O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int ns_user_open(const struct ns_map *map)
{
	static _Alignas(16) char stack[4096];
	pid_t pid = clone(wait_for_the_end, stack + sizeof(stack), CLONE_NEWUSER | CLONE_VM | SIGCHLD, NULL);
	int fd;

	if (pid < 0)
		return -errno;
	fd = open_user(pid, map);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	return fd;
}

#include "sys/tag.h"

#include "sys/limit.h"
#include "sys/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* In microseconds: a fortnight, and a little. */
#define TAG_FIRST ((uint64_t)1 << 40)

int tag_set(uint32_t tag)
{
	uint64_t hard = 0;
	int r = limit_set(RLIMIT_RTTIME, TAG_FIRST + tag, TAG_FIRST + tag);

	if (r == 0)
		r = limit_hard_of(0, RLIMIT_RTTIME, &hard);
	/* Whoever has less already, or is only told that it was set (a session in a session), could not be found again. */
	return r < 0 ? r : hard == TAG_FIRST + tag ? 0 : -EPERM;
}

static bool has_tag(pid_t pid, uint32_t tag)
{
	uint64_t hard;

	return limit_hard_of(pid, RLIMIT_RTTIME, &hard) == 0 && hard == TAG_FIRST + tag;
}

/* "12 (name) Z 1 …"; the name may hold anything. */
static bool is_zombie(int proc, pid_t pid)
{
	struct text name = { 0 };
	char stat[512];
	int fd, error;
	ssize_t n;

	text_number(&name, (unsigned)pid, 10);
	text_add(&name, "/stat");
	fd = openat(proc, name.bytes, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, stat, sizeof(stat));
	error = n < 0 ? errno : ENOENT;
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return error == ENOENT || error == ESRCH; /* else nobody can tell */

	const char *end = memrchr(stat, ')', (size_t)n);

	return end && end + 2 < stat + n && (end[2] == 'Z' || end[2] == 'X');
}

/* A process without the right to have children is killed as surely as one with it, and leaves none. */
static unsigned end_one(int proc, pid_t pid)
{
	(void)limit_set_of(pid, RLIMIT_NPROC, 0);
	(void)kill(pid, SIGKILL);
	return is_zombie(proc, pid) ? 0 : 1;
}

static pid_t number_of(const char *name)
{
	pid_t pid = 0;

	for (; *name >= '0' && *name <= '9'; name++)
		pid = pid * 10 + (*name - '0');
	return *name ? 0 : pid;
}

static unsigned end_listed(int proc, const char *entries, long n, uint32_t tag)
{
	unsigned found = 0;

	for (long at = 0; at < n;) {
		const struct dirent64 *entry = (const void *)(entries + at);
		pid_t pid = number_of(entry->d_name);

		if (pid > 1 && has_tag(pid, tag))
			found += end_one(proc, pid);
		at += entry->d_reclen;
	}
	return found;
}

unsigned tag_kill(int proc, uint32_t tag)
{
	_Alignas(struct dirent64) char entries[8192];
	int dir = openat(proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	unsigned found = 0;
	long n;

	while (dir >= 0 && (n = syscall(SYS_getdents64, dir, entries, sizeof(entries))) > 0)
		found += end_listed(proc, entries, n, tag);
	if (dir >= 0)
		close(dir);
	return found;
}

/*
 * Theory of operation. A tree may be deeper than any path is long and than there are descriptors, so it is not descended: it is
 * flattened. One pass over the top removes every file and every empty directory in it. What is left is directories; of each the
 * files are removed and the directories below are renamed into the top, under names that are not taken. Then it is
 * empty, and the next pass removes it. Two descriptors and no stack, whatever the depth. Names are only ever used below a descriptor
 * that was opened without following links.
 */
#include "base/own.h"
#include "sys/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct removal {
	int top;
	unsigned long moved; /* directories renamed into the top so far */
	bool progress;
	uint64_t deadline_ms; /* of the monotonic clock; 0: none */
	int failed;           /* the first thing that could not be done */
};

/* Opens a directory for reading and emptying, whatever its mode was. */
static int open_own_dir(int dirfd, const char *name)
{
	char again[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
	autofd int place = openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int fd;

	if (place < 0)
		return -errno;
	snprintf(again, sizeof(again), "/proc/self/fd/%d", place);
	(void)chmod(again, 0700); /* not ours: then opening it tells */
	fd = openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Removes a file or an empty directory: 0, or -ENOTEMPTY, or what is wrong. */
static int remove_one(int dirfd, const char *name)
{
	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM) /* EPERM: what POSIX says for directories, and an immutable file */
		return -errno;
	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0)
		return 0;
	return errno == EEXIST ? -ENOTEMPTY : -errno;
}

static bool out_of_time(const struct removal *removal)
{
	struct timespec now = { 0 };

	if (!removal->deadline_ms)
		return false;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 >= removal->deadline_ms;
}

static void note(struct removal *removal, int r)
{
	if (r == 0)
		removal->progress = true;
	else if (removal->failed == 0)
		removal->failed = r;
}

/* Moves a directory that is not empty into the top. A directory without write permission cannot be moved by its owner: give it. */
static int lift(struct removal *removal, int from, const char *name)
{
	char fresh[sizeof(".lifted-") + 3 * sizeof(long)];
	autofd int opened = open_own_dir(from, name);
	struct stat st;

	if (opened < 0)
		return opened;
	do
		snprintf(fresh, sizeof(fresh), ".lifted-%lu", removal->moved++);
	while (fstatat(removal->top, fresh, &st, AT_SYMLINK_NOFOLLOW) == 0);
	return renameat(from, name, removal->top, fresh) < 0 ? -errno : 0;
}

/* Empties one directory of the top; its own directories end up in the top. */
static void flatten(struct removal *removal, const char *name)
{
	autofd int fd = open_own_dir(removal->top, name);
	struct file_dir dir;
	const char *child;
	unsigned char type;
	int r = fd < 0 ? fd : 1;

	if (r > 0)
		file_dir_init(&dir, fd);
	while (r > 0 && !out_of_time(removal) && (r = file_dir_next(&dir, &child, &type)) > 0) {
		int removed = remove_one(fd, child);

		note(removal, removed == -ENOTEMPTY ? lift(removal, fd, child) : removed);
	}
	if (r < 0)
		note(removal, r);
}

static int pass(struct removal *removal)
{
	struct file_dir dir;
	const char *name;
	unsigned char type;
	int left = 0, r;

	if (lseek(removal->top, 0, SEEK_SET) < 0)
		return -errno;
	file_dir_init(&dir, removal->top);
	while ((r = file_dir_next(&dir, &name, &type)) > 0) {
		int removed = remove_one(removal->top, name);

		if (removed == -ENOTEMPTY) {
			flatten(removal, name);
			removed = remove_one(removal->top, name);
		}
		left += removed < 0;
		note(removal, removed);
		if (out_of_time(removal))
			return -ETIMEDOUT;
	}
	return r < 0 ? r : left;
}

static int empty_dir(int fd, uint64_t deadline_ms)
{
	struct removal removal = { .top = fd, .deadline_ms = deadline_ms };
	int left;

	do {
		removal.progress = false;
		removal.failed = 0;
		left = pass(&removal);
	} while (left >= 0 && removal.progress);
	if (left < 0)
		return left;
	return left ? removal.failed : 0;
}

int file_remove_tree(int dirfd, const char *name)
{
	return file_remove_tree_until(dirfd, name, 0);
}

int file_remove_tree_until(int dirfd, const char *name, uint64_t deadline_ms)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;

	int r = remove_one(dirfd, name);

	if (r != -ENOTEMPTY)
		return r;

	autofd int fd = open_own_dir(dirfd, name);

	r = fd < 0 ? fd : empty_dir(fd, deadline_ms);
	return r < 0 ? r : remove_one(dirfd, name);
}

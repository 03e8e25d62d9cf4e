#include "sys/cgroup.h"

#include "base/own.h"
#include "sys/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { CGROUP_PATH_MAX = 4096, CGROUP_TRIES = 2000, CGROUP_DEPTH_MAX = 8 };

/* Limits in bytes are kept in pages; the largest page of any architecture is 64 KiB. */
enum { CGROUP_ROUNDING = 64 << 10 };

/* The kernel needs a moment to let the dead out of a cgroup: 0.1 ms at first, 10 ms in the end, some 20 s in all. */
static void pause_briefly(int turn)
{
	long us = turn < 20 ? 100 : turn < 200 ? 1000 : 10000;

	(void)nanosleep(&(struct timespec){ .tv_nsec = us * 1000 }, NULL);
}

int cgroup_make(const char *dir)
{
	return mkdir(dir, 0755) < 0 ? -errno : 0;
}

static bool is_number(const char *text)
{
	return *text && text[strspn(text, "0123456789")] == '\0';
}

/* Is what the kernel keeps what was asked for, up to rounding? "-1" and "max" ask for no limit, which version 1 shows as a huge number. */
static bool is_taken(const char *asked, const char *kept)
{
	if (strcmp(asked, kept) == 0)
		return true;
	if (strcmp(asked, "-1") == 0 || strcmp(asked, "max") == 0)
		return is_number(kept) && strtoull(kept, NULL, 10) >= INT64_MAX - CGROUP_ROUNDING;
	if (!is_number(asked) || !is_number(kept))
		return false;

	uint64_t want = strtoull(asked, NULL, 10), have = strtoull(kept, NULL, 10);

	return have <= want && want - have < CGROUP_ROUNDING;
}

/* "…/parent/group/memory.max": writes "+memory" into …/parent/cgroup.subtree_control. */
static int hand_down(const char *file)
{
	char path[CGROUP_PATH_MAX], controller[32];
	size_t len = strlen(file);

	if (len >= sizeof(path))
		return -ENAMETOOLONG;
	memcpy(path, file, len + 1);

	char *name = strrchr(path, '/');
	const char *dot = name ? strchr(name, '.') : NULL;

	if (!dot || (size_t)snprintf(controller, sizeof(controller), "+%.*s", (int)(dot - name - 1), name + 1) >= sizeof(controller))
		return -EINVAL;
	*name = '\0';
	name = strrchr(path, '/');
	if (!name)
		return -EINVAL;
	*name = '\0';

	autofd int parent = file_open_dir(AT_FDCWD, path);

	return parent < 0 ? parent : file_write_at(parent, "cgroup.subtree_control", controller);
}

static int set_and_read_back(const char *file, const char *value, char *ret_kept, size_t room)
{
	autofd int fd = open(file, O_RDWR | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, value, strlen(value));

	if (n >= 0)
		n = pread(fd, ret_kept, room - 1, 0);
	if (n < 0)
		return -errno;
	while (n > 0 && ret_kept[n - 1] == '\n')
		n--;
	ret_kept[n] = '\0';
	return 0;
}

int cgroup_set(const char *file, const char *value)
{
	char kept[256];
	int r = set_and_read_back(file, value, kept, sizeof(kept));

	if (r == -ENOENT && hand_down(file) == 0)
		r = set_and_read_back(file, value, kept, sizeof(kept));
	if (r < 0)
		return r;
	return is_taken(value, kept) ? 0 : -ERANGE;
}

/* The process ids in a cgroup, as many as fit; what is left comes with the next turn. The last number must be whole. */
static ssize_t read_processes(int dir, char *ret_text, size_t room)
{
	autofd int fd = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, ret_text, room - 1);

	if (n < 0)
		return errno == ENODEV ? 0 : -errno; /* ENODEV: removed meanwhile */
	while (n > 0 && ret_text[n - 1] != '\n')
		n--;
	ret_text[n] = '\0';
	return n;
}

/* Sends SIGKILL to each process of the cgroup. Returns how many there were. */
static int kill_each(int dir)
{
	char text[32 << 10], *end;
	ssize_t n = read_processes(dir, text, sizeof(text));
	int count = 0;

	if (n < 0)
		return (int)n;
	for (char *p = text; *p; p = end) {
		long pid = strtol(p, &end, 10);

		end += strspn(end, "\n");
		if (end == p)
			break;
		if (pid <= 1 || pid == getpid()) /* 0: of a pid namespace that is none of ours */
			continue;
		count++;
		(void)kill((pid_t)pid, SIGKILL);
	}
	return count;
}

/* By cgroup.kill, at once and without a race; else one after the other, with forks refused meanwhile where pids are limited. */
static int kill_all(int dir)
{
	if (file_write_at(dir, "cgroup.kill", "1") == 0)
		return kill_each(dir);
	(void)file_write_at(dir, "pids.max", "0");
	return kill_each(dir);
}

int cgroup_kill(const char *dir)
{
	autofd int fd = file_open_dir(AT_FDCWD, dir);
	int left = 0;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	for (int turn = 0; turn < CGROUP_TRIES && (left = kill_all(fd)) > 0; turn++)
		pause_briefly(turn);
	return left > 0 ? -EBUSY : left;
}

/* Removes an empty directory, killing what is still in it. */
static int remove_one(const char *dir)
{
	int r = 0;

	for (int turn = 0; turn < CGROUP_TRIES; turn++) {
		if (rmdir(dir) == 0 || errno == ENOENT)
			return 0;
		r = -errno;
		if (r != -EBUSY)
			return r;
		if (turn > 0)
			pause_briefly(turn);

		int killed = cgroup_kill(dir);

		if (killed < 0)
			return killed;
	}
	return r;
}

/* The first directory in path, whose name is added to it. */
static bool enter_first_child(char *path)
{
	struct file_dir dir;
	const char *name;
	unsigned char type;
	size_t len = strlen(path);
	autofd int fd = file_open_dir(AT_FDCWD, path);

	if (fd < 0)
		return false;
	file_dir_init(&dir, fd);
	while (file_dir_next(&dir, &name, &type) > 0) {
		if (type == DT_DIR && len + strlen(name) + 2 < CGROUP_PATH_MAX) {
			snprintf(path + len, CGROUP_PATH_MAX - len, "/%s", name);
			return true;
		}
	}
	return false;
}

/*
 * The sandbox cannot make cgroups below its own, but somebody on the host may. Deepest first: enter children until there is none,
 * remove, begin again at the top.
 */
int cgroup_remove(const char *dir)
{
	char path[CGROUP_PATH_MAX];
	int r = rmdir(dir) < 0 ? -errno : 0;

	if (r == 0 || r == -ENOENT)
		return 0;
	if (strlen(dir) >= sizeof(path))
		return -ENAMETOOLONG;
	do {
		memcpy(path, dir, strlen(dir) + 1);
		for (int depth = 0; depth < CGROUP_DEPTH_MAX && enter_first_child(path); depth++)
			;
		r = remove_one(path);
	} while (r == 0 && strcmp(path, dir) != 0);
	return r;
}

/* The number behind "key " at the start of a line; 0 when there is no such line. */
static uint64_t keyed_number(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, len) == 0 && line[len] == ' ')
			return strtoull(line + len + 1, NULL, 10);
	}
	return 0;
}

static uint64_t keyed_number_at(int dir, const char *file, const char *key)
{
	char text[4096];

	return file_read_at(dir, file, text, sizeof(text)) > 0 ? keyed_number(text, key) : 0;
}

static uint64_t number_at(int dir, const char *file)
{
	uint64_t number;

	return file_read_number_at(dir, file, &number) == 0 ? number : 0;
}

static bool has_memory(enum cgroup_account account)
{
	return account == CGROUP_V2 || account == CGROUP_V1_MEMORY;
}

static bool has_processes(enum cgroup_account account)
{
	return account == CGROUP_V2 || account == CGROUP_V1_PIDS;
}

static bool has_cpu(enum cgroup_account account)
{
	return account == CGROUP_V2 || account == CGROUP_V1_CPU;
}

static int read_cpu(int dir, enum cgroup_account account, struct cgroup_usage *usage)
{
	char text[4096];

	if (account == CGROUP_V2) {
		ssize_t n = file_read_at(dir, "cpu.stat", text, sizeof(text));

		if (n < 0)
			return (int)n;
		usage->cpu_us = keyed_number(text, "usage_usec");
		usage->cpu_user_us = keyed_number(text, "user_usec");
		usage->cpu_system_us = keyed_number(text, "system_usec");
		return 0;
	}

	uint64_t nanoseconds;
	int r = file_read_number_at(dir, "cpuacct.usage", &nanoseconds);

	if (r == 0) /* else cpuacct is mounted elsewhere */
		usage->cpu_us = nanoseconds / 1000;
	return r;
}

void cgroup_read(const char *dir, enum cgroup_account account, struct cgroup_usage *usage)
{
	autofd int fd = file_open_dir(AT_FDCWD, dir);

	if (fd < 0)
		return;
	if (has_memory(account))
		usage->memory_peak_bytes = number_at(fd, account == CGROUP_V2 ? "memory.peak" : "memory.max_usage_in_bytes");
	if (has_processes(account))
		usage->processes_peak = number_at(fd, "pids.peak");
	if (has_cpu(account))
		(void)read_cpu(fd, account, usage);
}

void cgroup_read_hits(const char *dir, enum cgroup_account account, struct cgroup_usage *usage)
{
	autofd int fd = file_open_dir(AT_FDCWD, dir);

	if (fd < 0)
		return;
	if (has_memory(account))
		usage->oom_kills = keyed_number_at(fd, account == CGROUP_V2 ? "memory.events" : "memory.oom_control", "oom_kill");
	if (has_processes(account))
		usage->forks_refused = keyed_number_at(fd, "pids.events", "max");
}

int cgroup_read_cpu(const char *dir, enum cgroup_account account, uint64_t *ret_us)
{
	autofd int fd = has_cpu(account) ? file_open_dir(AT_FDCWD, dir) : -ENOENT;
	struct cgroup_usage usage = { 0 };

	if (fd < 0)
		return fd;

	int r = read_cpu(fd, account, &usage);

	if (r == 0)
		*ret_us = usage.cpu_us;
	return r;
}

/* ---- stopping ---- */

static int write_at(int dir, const char *file, const char *value)
{
	autofd int fd = openat(dir, file, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

static bool is_frozen(int dir, enum cgroup_account account)
{
	char text[64];

	if (account == CGROUP_V2)
		return keyed_number_at(dir, "cgroup.events", "frozen") == 1;
	return file_read_at(dir, "freezer.state", text, sizeof(text)) > 0 && strncmp(text, "FROZEN", 6) == 0;
}

int cgroup_freeze(const char *dir, enum cgroup_account account, bool freeze)
{
	enum { STEPS = 1000 };
	const struct timespec step = { .tv_nsec = 1000000 };
	bool is_v2 = account == CGROUP_V2;
	autofd int fd = is_v2 || account == CGROUP_V1_FREEZER ? file_open_dir(AT_FDCWD, dir) : -EOPNOTSUPP;
	int r;

	if (fd < 0)
		return fd;
	if (is_v2)
		r = write_at(fd, "cgroup.freeze", freeze ? "1" : "0");
	else
		r = write_at(fd, "freezer.state", freeze ? "FROZEN" : "THAWED");
	if (r < 0)
		return r == -ENOENT ? -EOPNOTSUPP : r;
	for (int i = 0; i < STEPS && is_frozen(fd, account) != freeze; i++)
		(void)nanosleep(&step, NULL);
	return is_frozen(fd, account) == freeze ? 0 : -EBUSY;
}

void cgroup_reclaim(const char *dir, enum cgroup_account account)
{
	autofd int fd = has_memory(account) ? file_open_dir(AT_FDCWD, dir) : -1;

	if (fd >= 0 && account == CGROUP_V2)
		(void)write_at(fd, "memory.reclaim", "1G");
	else if (fd >= 0)
		(void)write_at(fd, "memory.force_empty", "0");
}

uint64_t cgroup_memory(const char *dir, enum cgroup_account account)
{
	autofd int fd = has_memory(account) ? file_open_dir(AT_FDCWD, dir) : -1;

	return fd < 0 ? 0 : number_at(fd, account == CGROUP_V2 ? "memory.current" : "memory.usage_in_bytes");
}

/*
 * Theory of operation. mountinfo lists a mount after its parent, with both ids. So the mounts below one are found in one
 * pass: each line whose parent is among those found already is one more. Ids are what tells mounts apart: while the
 * new root stands on top of the old one, both have paths that look the same. The path of a line is only used to open the mount, below the
 * mount that is being treated, and its id is compared before anything is done to it.
 */
#include "sys/mount_table.h"

#include "sys/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <stddef.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MOUNTS_MAX = 256, LINE_MAX_BYTES = 3 * PATH_MAX };

struct table {
	int fd;
	size_t at, n;
	char bytes[4096];
	char line[LINE_MAX_BYTES];
};

/* The next line without its newline, NULL at the end. A longer line than fits is cut: its ids and its mount point stand in front. */
static const char *next_line(struct table *table)
{
	size_t len = 0;

	for (;;) {
		if (table->at == table->n) {
			ssize_t n = read(table->fd, table->bytes, sizeof(table->bytes));

			if (n <= 0)
				return NULL;
			table->at = 0;
			table->n = (size_t)n;
		}

		char c = table->bytes[table->at++];

		if (c == '\n')
			break;
		if (len < sizeof(table->line) - 1)
			table->line[len++] = c;
	}
	table->line[len] = '\0';
	return table->line;
}

static const char *read_number(const char *at, unsigned *ret)
{
	*ret = 0;
	while (*at >= '0' && *at <= '9')
		*ret = *ret * 10 + (unsigned)(*at++ - '0');
	return at + (*at == ' ');
}

/* The id of the mount that fd is in: "mnt_id:" of fdinfo, Linux 3.15. */
static int mount_id(int fd, unsigned *ret_id)
{
	struct text path = { 0 };
	char info[256];
	const char *at;
	ssize_t n;
	int in;

	text_add(&path, "/proc/self/fdinfo/");
	text_number(&path, (unsigned)fd, 10);
	in = open(path.bytes, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return -errno;
	n = read(in, info, sizeof(info) - 1);
	close(in);
	if (n < 0)
		return -EIO;
	info[n] = '\0';
	at = strstr(info, "mnt_id:");
	if (!at)
		return -ENOSYS;
	(void)read_number(at + 7 + strspn(at + 7, " \t"), ret_id);
	return 0;
}

static int restrict_one(int fd, unsigned long flags)
{
	struct text path = { 0 };
	struct statvfs vfs;

	if (fstatvfs(fd, &vfs) < 0)
		return -errno;
	/* ST_RDONLY, NOSUID, NODEV, NOEXEC, and the atime flags have the numbers of their MS_ twins. */
	flags |= vfs.f_flag & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME);
	text_add(&path, "/proc/self/fd/");
	text_number(&path, (unsigned)fd, 10);
	return syscall(SYS_mount, NULL, path.bytes, NULL, MS_REMOUNT | MS_BIND | flags, NULL) < 0 ? -errno : 0;
}

static bool is_octal(const char *at)
{
	return at[0] >= '0' && at[0] <= '3' && at[1] >= '0' && at[1] <= '7' && at[2] >= '0' && at[2] <= '7';
}

/* The mount point of a line, "\040" and the like decoded. */
static void read_point(const char *at, char point[PATH_MAX])
{
	size_t n = 0;

	while (*at && *at != ' ' && n < PATH_MAX - 1) {
		if (*at == '\\' && is_octal(at + 1)) {
			point[n++] = (char)((at[1] - '0') << 6 | (at[2] - '0') << 3 | (at[3] - '0'));
			at += 4;
		} else {
			point[n++] = *at++;
		}
	}
	point[n] = '\0';
}

struct family {
	unsigned id[MOUNTS_MAX];
	size_t n;
	size_t top_len; /* of the first one's mount point */
};

static bool is_member(const struct family *family, unsigned id)
{
	for (size_t i = 0; i < family->n; i++)
		if (family->id[i] == id)
			return true;
	return false;
}

/* A mount that is hidden below another at the same place does not open, and needs no rights taken: nobody reaches it. */
static int restrict_member(int top, const char *below, unsigned id, unsigned long flags)
{
	int fd = openat(top, below, O_PATH | O_NOFOLLOW | O_CLOEXEC), r;
	unsigned found = 0;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	r = mount_id(fd, &found);
	if (r == 0 && found == id)
		r = restrict_one(fd, flags);
	close(fd);
	return r;
}

static int take_line(struct family *family, const char *line, int top, unsigned long flags)
{
	unsigned id, parent;
	char point[PATH_MAX];
	const char *at = read_number(read_number(line, &id), &parent);

	for (int field = 0; field < 2; field++) /* device, root */
		at += strcspn(at, " ") + 1;
	if (id == family->id[0]) {
		read_point(at, point);
		family->top_len = point[1] ? strlen(point) : 0;
		return 0;
	}
	if (!is_member(family, parent))
		return 0;
	if (family->n == MOUNTS_MAX)
		return -E2BIG;
	family->id[family->n++] = id;
	read_point(at, point);
	return restrict_member(top, point + family->top_len + 1, id, flags);
}

int mount_table_restrict(int fd, unsigned long flags, bool recursive)
{
	struct family family = { .n = 1 };
	struct table table = { .at = 0 };
	int r = restrict_one(fd, flags);

	if (r < 0 || !recursive)
		return r;
	r = mount_id(fd, &family.id[0]);
	table.fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (table.fd < 0)
		return -errno;
	for (const char *line; r == 0 && (line = next_line(&table));)
		r = take_line(&family, line, fd, flags);
	close(table.fd);
	return r;
}

#include "unpack/name.h"

#include "base/own.h"
#include "files/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>

static enum unpack_status refuse(struct unpack *unpack, const char *why)
{
	return unpack_fail(unpack, UNPACK_REFUSED, 0, "%s", why);
}

/* One component behind what is in `to`. */
static enum unpack_status take_component(struct unpack *unpack, const char *name, size_t n, size_t *len, char *to)
{
	if (n == 2 && memcmp(name, "..", 2) == 0)
		return refuse(unpack, "the name has a .. in it");
	if (n > PATH_NAME_MAX)
		return unpack_fail(unpack, UNPACK_LIMIT, ENAMETOOLONG, "a component of the name");
	if (*len + 1 + n > PATH_BYTES_MAX)
		return unpack_fail(unpack, UNPACK_LIMIT, ENAMETOOLONG, "the name");
	if (*len > 0)
		to[(*len)++] = '/';
	memcpy(to + *len, name, n);
	*len += n;
	return UNPACK_DONE;
}

enum unpack_status name_take(struct unpack *unpack, const char *name, char ret_name[PATH_BYTES_MAX + 1])
{
	enum unpack_status status = UNPACK_DONE;
	unsigned depth = 0;
	size_t len = 0;

	if (!name || !*name)
		return refuse(unpack, "an entry without a name");
	if (*name == '/')
		return refuse(unpack, "the name is absolute");
	for (const char *at = name; *at && status == UNPACK_DONE; at += *at == '/') {
		size_t n = strcspn(at, "/");

		if (n > 0 && !(n == 1 && *at == '.')) {
			status = take_component(unpack, at, n, &len, ret_name);
			if (++depth > unpack->limits.depth)
				return unpack_fail(unpack, UNPACK_LIMIT, 0, "more than %u directories below each other",
				                   unpack->limits.depth);
		}
		at += n;
	}
	ret_name[len] = '\0';
	return status;
}

bool name_keeps_inside(const char *path, const char *target)
{
	unsigned up = 0;
	bool named = false;

	if (*target == '/')
		return false;
	for (; *path; path++)
		up += *path == '/';
	for (const char *at = target; *at; at += *at == '/') {
		size_t n = strcspn(at, "/");
		bool is_up = n == 2 && memcmp(at, "..", 2) == 0;

		if (is_up && (named || up-- == 0))
			return false;
		named = named || (!is_up && n > 0 && !(n == 1 && *at == '.'));
		at += n;
	}
	return true;
}

enum unpack_status name_count(struct unpack *unpack)
{
	if (unpack->entries >= unpack->limits.entries)
		return unpack_fail(unpack, UNPACK_LIMIT, 0, "more than %llu entries", (unsigned long long)unpack->limits.entries);
	unpack->entries++;
	return UNPACK_DONE;
}

static enum unpack_status cannot_open(struct unpack *unpack, int errnum, const char *path)
{
	if (errnum == ELOOP)
		return unpack_fail(unpack, UNPACK_REFUSED, 0, "%s: a symbolic link, which is not gone through", path);
	if (errnum == ENOTDIR)
		return unpack_fail(unpack, UNPACK_REFUSED, ENOTDIR, "%s", path);
	return unpack_fail(unpack, UNPACK_FAILED, errnum, "%s", path);
}

/* Opens a directory by its normal path, "" for the root. */
static int open_directory(const struct unpack *unpack, const char *path)
{
	return resolve_open(unpack->root, *path ? path : ".", O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS);
}

static int make_one(struct unpack *unpack, int above, const char *name, const char *path)
{
	if (name_count(unpack) != UNPACK_DONE)
		return -E2BIG;
	if (mkdirat(above, name, 0755) < 0)
		return -errno;
	unpack->directories++;
	return open_directory(unpack, path);
}

/* Makes the directories of a path that are missing, from the top on. */
static enum unpack_status make_directories(struct unpack *unpack, char *path)
{
	autofd int above = open_directory(unpack, "");

	for (char *end = path; end && above >= 0;) {
		const char *name = end;
		int fd;

		end = strchr(end, '/');
		if (end)
			*end = '\0';
		fd = open_directory(unpack, path);
		if (fd == -ENOENT)
			fd = make_one(unpack, above, name, path);
		if (end)
			*end++ = '/';
		if (fd < 0)
			return cannot_open(unpack, -fd, path);
		own_close(&above);
		above = fd;
	}
	return UNPACK_DONE;
}

enum unpack_status name_parent(struct unpack *unpack, struct where *where, const char *name, bool make, const char **ret_last)
{
	const char *slash = strrchr(name, '/');
	size_t n = slash ? (size_t)(slash - name) : 0;

	*ret_last = slash ? slash + 1 : name;
	if (where->dir >= 0 && strlen(where->path) == n && memcmp(where->path, name, n) == 0)
		return UNPACK_DONE;
	where_done(where);
	memcpy(where->path, name, n);
	where->path[n] = '\0';
	where->dir = open_directory(unpack, where->path);
	if (where->dir == -ENOENT && make && make_directories(unpack, where->path) == UNPACK_DONE)
		where->dir = open_directory(unpack, where->path);
	return where->dir >= 0 ? UNPACK_DONE : cannot_open(unpack, -where->dir, where->path);
}

void where_done(struct where *where)
{
	own_close(&where->dir);
	where->dir = -1;
}

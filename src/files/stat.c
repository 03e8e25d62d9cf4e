#include "files/stat.h"

#include "base/own.h"
#include "files/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum files_kind files_kind_of(mode_t mode)
{
	if (S_ISREG(mode))
		return FILES_FILE;
	if (S_ISDIR(mode))
		return FILES_DIRECTORY;
	return S_ISLNK(mode) ? FILES_SYMLINK : FILES_OTHER;
}

const char *files_kind_name(enum files_kind kind)
{
	static const char *const names[] = { "file", "directory", "symlink", "other" };

	return names[kind];
}

struct files_stat stat_of(const struct stat *st)
{
	return (struct files_stat){
		.kind = files_kind_of(st->st_mode),
		.size = (uint64_t)st->st_size,
		.ino = st->st_ino,
		.dev = st->st_dev,
		.mode = st->st_mode & 07777,
		.links = (uint32_t)st->st_nlink,
		.mtime = st->st_mtim,
	};
}

void files_stat_print(const struct files_stat *stat, const char *path, struct str *out)
{
	long long ms = (long long)stat->mtime.tv_sec * 1000 + stat->mtime.tv_nsec / 1000000;

	str_add(out, "\"path\":");
	str_add_json_path(out, path);
	str_printf(out, ",\"type\":\"%s\",\"size\":%llu,\"mode\":%u,\"mtime_ms\":%lld,\"links\":%u", files_kind_name(stat->kind),
	           (unsigned long long)stat->size, stat->mode, ms, stat->links);
}

int files_stat(const struct files *files, const char *path, bool follow, struct files_stat *ret_stat, struct err *err)
{
	autofd int fd = resolve_path(files, path, O_PATH | (follow ? 0 : O_NOFOLLOW), err);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return resolve_failed(err, errno, path);
	*ret_stat = stat_of(&st);
	return 0;
}

int files_readlink(const struct files *files, const char *path, char ret_target[PATH_BYTES_MAX + 1], struct err *err)
{
	autofd int fd = resolve_path(files, path, O_PATH | O_NOFOLLOW, err);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = readlinkat(fd, "", ret_target, PATH_BYTES_MAX + 1);
	if (n < 0 && errno == ENOENT) /* what an empty path gives for anything else */
		return err_set(err, ERR_USAGE, EINVAL, "%s: not a symbolic link", path);
	if (n < 0 || n > PATH_BYTES_MAX)
		return resolve_failed(err, n < 0 ? errno : ENAMETOOLONG, path);
	ret_target[n] = '\0';
	return 0;
}

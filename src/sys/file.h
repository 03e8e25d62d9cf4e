/*
 * file.h: small files read whole, paths opened without surprises, directories read and removed. No heap, no stdio streams.
 *
 * openat2 is Linux 5.6. Where it is missing, file_open_path resolves as open does; the callers here look and never write through it.
 */
#ifndef COFFER_SYS_FILE_H
#define COFFER_SYS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Reads a file that the kernel makes up (procfs, cgroupfs) or a small one, at most room - 1 bytes, and ends it with a NUL. Returns the
 * length; -EFBIG when there is more.
 */
ssize_t file_read_at(int dirfd, const char *path, char *ret_text, size_t room);
/* The first number in a file. "max" is UINT64_MAX. */
int file_read_number_at(int dirfd, const char *path, uint64_t *ret_number);
/* Writes text into an existing file in one call, as procfs and cgroupfs want it. */
int file_write_at(int dirfd, const char *path, const char *text);

/*
 * Puts a file there as a whole, by way of a temporary one beside it, mode 0600. durable: when this returns 0 it is on the disk, name and all. What
 * was there before stays until then, whatever happens.
 */
int file_replace_at(int dirfd, const char *name, const void *bytes, size_t n, bool durable);

enum file_links {
	FILE_NO_LINKS, /* -ELOOP when any component is a symbolic link */
	FILE_LINKS,    /* followed, but for the magic ones of procfs */
};
/* An O_PATH descriptor: it names the thing and gives no access to its content. */
int file_open_path(int dirfd, const char *path, enum file_links links);
/* Where the descriptor's thing is now. -ENAMETOOLONG when it does not fit. */
int file_real_path(int fd, char *ret_path, size_t room);

/* Opens a directory for reading without following a link in its last component. */
int file_open_dir(int dirfd, const char *path);
/* The same without following a link in any component. */
int file_open_dir_below(int dirfd, const char *path);

/*
 * Reading a directory: file_dir_init, then file_dir_next until it gives 0 (the end) or a negative errno. "." and ".." are left out. The
 * name lives until the next call. type is DT_…, and DT_UNKNOWN on file systems that do not say. fd stays the caller's.
 */
struct file_dir {
	int fd;
	size_t at, n;
	_Alignas(8) char bytes[16 << 10];
};
void file_dir_init(struct file_dir *dir, int fd);
int file_dir_next(struct file_dir *dir, const char **ret_name, unsigned char *ret_type);

/*
 * Removes name below dirfd: a file, or a directory with all that is in it, however deep, following no link. Nothing may be working in it
 * any more. -ENOENT when it was not there.
 */
int file_remove_tree(int dirfd, const char *name);
/* The same where somebody may be working in it: -ETIMEDOUT when the monotonic clock is at deadline_ms and there is still something. 0: no deadline. */
int file_remove_tree_until(int dirfd, const char *name, uint64_t deadline_ms);

#endif

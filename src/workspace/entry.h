/*
 * entry.h: what lies at a path below a directory, looked at and opened without being led anywhere else.
 *
 * The trees here are written by sandboxes. A path is relative, bytes of any kind, at most PATH_BYTES_MAX long; "" is the directory itself. No
 * link in it is followed, the last one neither, and nothing is opened before it is known to be what is expected: a fifo cannot hold us up,
 * a device cannot be woken.
 */
#ifndef COFFER_WORKSPACE_ENTRY_H
#define COFFER_WORKSPACE_ENTRY_H

#include "base/arena.h"
#include "base/path.h"
#include "base/vec.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

enum entry_kind {
	ENTRY_NONE, /* nothing there */
	ENTRY_FILE,
	ENTRY_DIR,
	ENTRY_LINK,
	ENTRY_OTHER, /* fifo, socket, device */
};

struct entry {
	enum entry_kind kind;
	uint32_t type; /* S_IFMT's bits */
	uint32_t mode; /* permissions, set-id and sticky bits included */
	uint32_t uid, gid, links;
	uint64_t size, dev, ino, rdev;
	int64_t mtime_ns, ctime_ns;
};

struct entry entry_of(const struct stat *st);
const char *entry_kind_name(enum entry_kind kind); /* "file" */

/* Looks. What is not there, and what lies behind a file or a link, is ENTRY_NONE and no failure. */
int entry_look(int root, const char *path, struct entry *ret_entry);

/* O_PATH, so it gives no access to content. -ELOOP, -EXDEV when a link or a `..` is in the way. */
int entry_open_path(int root, const char *path);
int entry_open_dir(int root, const char *path);
/* A regular file for reading. -EINVAL when it is none. */
int entry_open_file(int root, const char *path);
/*
 * The same for what entry_look has just called a file: opened at once. What may have come in its place since is what can be made there, and that is
 * no device: not in a sandbox. *ret_now is another look; NULL: reading it will tell.
 */
int entry_open_seen(int root, const char *path, struct entry *ret_now);
/* The directory that holds path, and path's last component. For everything that makes, moves or removes. */
int entry_open_parent(int root, const char *path, const char **ret_name);
/* The same for one path after the other: the directory stays open as long as paths are in it. Begins as ENTRY_PARENT; the descriptor is borrowed. */
struct entry_parent {
	int root, fd; /* -1: none */
	char path[PATH_BYTES_MAX + 1];
};
#define ENTRY_PARENT ((struct entry_parent){ .root = -1, .fd = -1 })
int entry_parent_of(struct entry_parent *parent, int root, const char *path, const char **ret_name);
void entry_parent_done(struct entry_parent *parent);

/* A link's text, NUL-terminated, in the arena. */
int entry_read_link(int root, const char *path, struct arena *arena, const char **ret_target);

/* Adds the names in directory path to the list, in no order; a directory that is not there has none. */
int entry_names(int root, const char *path, struct arena *arena, struct text_vec *names);
/* Puts names in the order of their bytes, each once. */
void entry_sort_names(struct text_vec *names);

/*
 * Extended attributes `user.*`, without those of overlayfs: the ones that a workspace keeps. The digest is 0 when there are none. O_PATH descriptors
 * will do.
 */
int entry_attributes(int fd, uint64_t *ret_digest);
int entry_copy_attributes(int from, int to);
/* Is there an attribute of this name? */
bool entry_has_attribute(int fd, const char *name, char value);

#endif

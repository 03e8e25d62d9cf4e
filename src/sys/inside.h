/*
 * inside.h: opening paths below a directory that somebody else may have filled.
 *
 * Paths are absolute and normal, and mean the tree below `root`, a directory descriptor; INSIDE_SELF means the process's own
 * root. No symbolic link is ever followed, in any component: -ELOOP. openat2 is Linux 5.6; where it is missing the path is
 * walked a component at a time, each opened with O_NOFOLLOW below the one before, which gives the same answers.
 */
#ifndef COFFER_SYS_INSIDE_H
#define COFFER_SYS_INSIDE_H

#include <fcntl.h>
#include <stdint.h>

enum { INSIDE_SELF = AT_FDCWD };

/* An O_PATH descriptor of anything. */
int inside_open(int root, const char *path);
/* The same where it is this file: -ESTALE otherwise. 0, 0: whatever it is. */
int inside_open_same(int root, const char *path, uint64_t dev, uint64_t ino);
/* An O_PATH descriptor of the directory that holds the last component, which *ret_name points at. -EBUSY for "/". */
int inside_open_parent(int root, const char *path, const char **ret_name);

/*
 * Makes a directory, and its parents, where they are missing: mode for the last one, 0755 for the others, both as they are (the
 * caller has set umask 0). `may_make` is asked about each directory in which one is to be made, and answers 0 or a negative errno.
 * -ENOTDIR when there is something else.
 */
int inside_make_dir(int root, const char *path, unsigned mode, int (*may_make)(int dir, void *context), void *context);

/*
 * Enters a directory of this process's own root. Here links may be followed, but not those of procfs, which lead anywhere; and where it led must be
 * below the root: -EXDEV.
 */
int inside_enter(const char *path);

#endif

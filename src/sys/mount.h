/*
 * mount.h: mounts by descriptor.
 *
 * A *tree* is a clone of a directory or file with its own rights, not attached anywhere yet: open_tree and move_mount (Linux
 * 5.2), mount_setattr (5.12). Where they are missing, mount_has_trees is false and mount_bind does the same in one go with
 * mount(2) on /proc/self/fd. Rights are the MOUNT_RDONLY… bits; they are only ever taken away, never given back.
 * All of it needs CAP_SYS_ADMIN over the mount namespace.
 */
#ifndef COFFER_SYS_MOUNT_H
#define COFFER_SYS_MOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text;

/* The numbers that mount(2) and mount_setattr(2) have in common; MOUNT_NOSYMFOLLOW is Linux 5.10. */
enum {
	MOUNT_RDONLY = 1,
	MOUNT_NOSUID = 2,
	MOUNT_NODEV = 4,
	MOUNT_NOEXEC = 8,
	MOUNT_NOSYMFOLLOW = 16,
};

/* Does this kernel have detached trees? Asks it, four calls that fail. */
bool mount_has_trees(void);

/*
 * Clones what `source` (O_PATH) names into a detached tree, private, with these rights taken away; with `recursive` all
 * mounts below come along and lose them too. Without, -EINVAL where this namespace may not see what they cover.
 */
int mount_tree(int source, unsigned rights, bool recursive);
/* Shows the owner of a detached tree's files as somebody else: by the id map of a user namespace (sys/ns.h). 5.12. */
int mount_tree_idmap(int tree, int userns);
/* Attaches a tree onto what `target` names. -ENOTDIR or -EINVAL when one is a file and the other a directory. */
int mount_attach(int tree, int target);
/* Onto this process's root, whose own paths go on to lead to what is below. */
int mount_attach_to_root(int tree);

/* Takes rights away from the mount that `fd` is the root of; with `recursive`, also from those below. */
int mount_restrict(int fd, unsigned rights, bool recursive);

/*
 * The old way: mounts `source` onto `path` below `root` (both as in sys/inside.h) and takes the rights away afterwards, mount by
 * mount. Not seen by anybody meanwhile, in a namespace whose processes wait for the end.
 */
int mount_bind(int source, int root, const char *path, unsigned rights, bool recursive);

/* Mounts a new file system over the directory `target`. options may be NULL. Works the same on every kernel. */
int mount_new(int target, const char *type, const char *options, unsigned rights);
/* tmpfs's options. -EINVAL for none of either: to tmpfs that means no limit. */
int mount_tmpfs_options(struct text *options, uint64_t bytes, uint64_t inodes, uint64_t mode);
/* Onto this process's root. Returns an O_PATH descriptor of what is mounted there. */
int mount_new_on_root(const char *type, const char *options, unsigned rights);
/* What is mounted on top of this process's root, as an O_PATH descriptor. */
int mount_open_above_root(void);

/*
 * An overlay (overlayfs; in a user namespace Linux 5.11, over trees with changed owners 5.19). Its sources are to be attached in this mount namespace
 * while it is mounted: overlayfs takes no detached trees before 6.15. So they are attached below `room`, an empty directory on a file system that
 * nobody else sees, and stay there. It needs this process's own /proc.
 */
enum { MOUNT_LAYERS_MAX = 128 };

struct mount_overlay {
	int room;
	int base;                            /* a tree, the lowest layer; -1: an empty directory */
	int held;                            /* a tree that all the others are in, by paths as in sys/inside.h */
	const char *layer[MOUNT_LAYERS_MAX]; /* the lowest first */
	size_t layers;
	const char *upper, *work;
};

/* Returns the overlay as a tree. What the kernel refuses, another one may know: -EINVAL, -ENODEV and others. */
int mount_overlay(const struct mount_overlay *overlay, unsigned rights);

/* Makes every mount of this namespace private: nothing travels in or out. */
int mount_make_private(void);

/* Makes a file system read-only for all its mounts; `fd` is the root directory of one of them. */
int mount_freeze(int fd);

/*
 * Makes `root`, the root of a mount, this process's root, and detaches the old one with all that is below. Where the old root is an
 * initramfs, which cannot be detached, it stays, out of reach below the new one. Checks that no path leads back: -EXDEV.
 */
int mount_pivot(int root);

#endif

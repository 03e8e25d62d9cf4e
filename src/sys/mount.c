/*
 * Theory of operation. A descriptor stands for a mount's root or for a place to mount on, never a path that somebody could
 * change meanwhile. New file systems are mounted by mount(2) on ".", after fchdir: that is one call instead of fsopen's five,
 * names no path either, and every kernel has it.
 *
 * The new root is mounted on top of the process's own root directory. Path resolution starts below what is mounted on "/", so
 * the host's paths go on to lead to the host, and no directory of it has to be sacrificed as a mount point. ".." at the
 * root does step to the topmost mount: that is how mount(2)'s result is found again, and how mount_pivot sees that
 * nothing is left on top of the new root.
 */
#include "sys/mount.h"

#include "sys/inside.h"
#include "sys/mount_table.h"
#include "sys/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/stat.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { RECURSIVE = 0x8000 /* AT_RECURSIVE */, DETACH = 2 /* MNT_DETACH */ };

/* The first four bits are the same in both ABIs. */
static uint64_t attributes(unsigned rights)
{
	return (rights & 15) | (rights & MOUNT_NOSYMFOLLOW ? MOUNT_ATTR_NOSYMFOLLOW : 0);
}

static unsigned long flags(unsigned rights)
{
	return (rights & 15) | (rights & MOUNT_NOSYMFOLLOW ? MS_NOSYMFOLLOW : 0);
}

static int result(long r)
{
	return r < 0 ? -errno : (int)r;
}

/* The type of a new file system is its source as well. */
static int do_mount(const char *source, const char *target, unsigned long ms_flags, const char *options)
{
	return result(syscall(SYS_mount, source, target, source, ms_flags, options));
}

static int set_attributes(int fd, unsigned at_flags, const struct mount_attr *change)
{
	return result(syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | at_flags, change, sizeof(*change)));
}

/* To somebody who may mount EPERM is a filter's word. */
static bool is_missing(int r)
{
	return r == -ENOSYS || r == -EPERM;
}

bool mount_has_trees(void)
{
	static const struct mount_attr nothing;

	return !is_missing(set_attributes(-1, 0, &nothing)) && !is_missing(result(syscall(SYS_open_tree, -1, "", AT_EMPTY_PATH))) &&
	       !is_missing(result(syscall(SYS_move_mount, -1, "", -1, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)));
}

int mount_tree(int source, unsigned rights, bool recursive)
{
	const struct mount_attr change = { .attr_set = attributes(rights), .propagation = MS_PRIVATE };
	unsigned depth = recursive ? RECURSIVE : 0;
	int tree = result(syscall(SYS_open_tree, source, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | O_CLOEXEC | depth));
	int r = tree < 0 ? tree : set_attributes(tree, depth, &change);

	if (tree >= 0 && r < 0)
		close(tree);
	return r < 0 ? r : tree;
}

int mount_tree_idmap(int tree, int userns)
{
	const struct mount_attr change = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)userns };

	return set_attributes(tree, 0, &change);
}

int mount_attach(int tree, int target)
{
	return result(syscall(SYS_move_mount, tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
}

int mount_attach_to_root(int tree)
{
	return result(syscall(SYS_move_mount, tree, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH));
}

int mount_restrict(int fd, unsigned rights, bool recursive)
{
	const struct mount_attr change = { .attr_set = attributes(rights) };
	int r = set_attributes(fd, recursive ? RECURSIVE : 0, &change);

	return is_missing(r) ? mount_table_restrict(fd, flags(rights), recursive) : r;
}

int mount_bind(int source, int root, const char *path, unsigned rights, bool recursive)
{
	struct text from = { 0 }, to = { 0 };
	int target = inside_open(root, path), r;

	if (target < 0)
		return target;
	text_add(&from, "/proc/self/fd/");
	text_number(&from, (unsigned)source, 10);
	text_add(&to, "/proc/self/fd/");
	text_number(&to, (unsigned)target, 10);
	r = do_mount(from.bytes, to.bytes, MS_BIND | (recursive ? MS_REC : 0), NULL);
	close(target);
	if (r < 0)
		return r;
	target = root == INSIDE_SELF && path[1] == '\0' ? mount_open_above_root() : inside_open(root, path);
	r = target < 0 ? target : mount_table_restrict(target, flags(rights), recursive);
	if (target >= 0)
		close(target);
	return r;
}

int mount_tmpfs_options(struct text *options, uint64_t bytes, uint64_t inodes, uint64_t mode)
{
	if (!bytes || !inodes)
		return -EINVAL;
	text_add(options, "size=");
	text_number(options, bytes, 10);
	text_add(options, ",nr_inodes=");
	text_number(options, inodes, 10);
	text_add(options, ",mode=");
	text_number(options, mode, 8);
	return 0;
}

int mount_new(int target, const char *type, const char *options, unsigned rights)
{
	struct text path = { 0 };

	if (fchdir(target) == 0)
		return do_mount(type, ".", flags(rights), options);
	if (errno != EACCES)
		return -errno;
	text_add(&path, "/proc/self/fd/"); /* a directory that this user may not enter, and need not, to mount on it */
	text_number(&path, (unsigned)target, 10);
	return do_mount(type, path.bytes, flags(rights), options);
}

int mount_open_above_root(void)
{
	return result(open("/..", O_PATH | O_DIRECTORY | O_CLOEXEC));
}

int mount_new_on_root(const char *type, const char *options, unsigned rights)
{
	int r = do_mount(type, "/", flags(rights), options);

	return r < 0 ? r : mount_open_above_root();
}

int mount_make_private(void)
{
	return do_mount(NULL, "/", MS_REC | MS_PRIVATE, NULL);
}

int mount_freeze(int fd)
{
	if (fchdir(fd) < 0)
		return -errno;
	return do_mount(NULL, ".", MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

/* Nothing may be mounted on top of the new root, and the working directory must be in it. */
static int check_root(int root)
{
	const unsigned wanted = STATX_INO | STATX_MNT_ID; /* the latter is Linux 5.8, and 0 for both before */
	struct statx top = { 0 }, ours = { 0 };
	char cwd[2];

	if (syscall(SYS_getcwd, cwd, sizeof(cwd)) != 2 || cwd[0] != '/')
		return -EXDEV;
	if (syscall(SYS_statx, AT_FDCWD, "/..", 0, wanted, &top) < 0 || syscall(SYS_statx, root, "", AT_EMPTY_PATH, wanted, &ours) < 0)
		return -errno;
	if (top.stx_ino != ours.stx_ino || top.stx_dev_major != ours.stx_dev_major || top.stx_dev_minor != ours.stx_dev_minor)
		return -EXDEV;
	return top.stx_mnt_id == ours.stx_mnt_id ? 0 : -EXDEV;
}

/*
 * A new root that stands on top of an initramfs hides it as well as one that took its place: it is mounted on the root directory itself, from
 * where ".." leads nowhere, and a copy of the mounts for another user namespace locks it there.
 */
static bool is_initramfs(void)
{
	struct statfs fs;

	return statfs("/", &fs) == 0 && (fs.f_type == RAMFS_MAGIC || fs.f_type == TMPFS_MAGIC);
}

/* After pivot_root the old root lies on top of the new one, and between them whatever else was mounted there. */
static int uncover(int root)
{
	enum { LAYERS = 16 };
	int r = check_root(root);

	for (int layer = 0; r == -EXDEV && layer < LAYERS; layer++) {
		r = result(syscall(SYS_umount2, ".", DETACH));
		if (r == 0)
			r = check_root(root);
	}
	return r;
}

int mount_pivot(int root)
{
	int r = result(fchdir(root));

	if (r == 0)
		r = result(syscall(SYS_pivot_root, ".", "."));
	if (r == -EINVAL && is_initramfs())
		r = result(chroot("."));
	if (r == 0)
		r = result(chdir("/"));
	return r < 0 ? r : uncover(root);
}

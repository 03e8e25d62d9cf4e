/*
 * ROOT, the jail's first slice: the new root is built while the host's mounts can still be seen.
 *
 * Should: open each source by path once, compare what was opened with what the compiler saw, and go on with the descriptor; open
 * each place inside below the new root's descriptor, following no link; take rights away before anything is attached.
 *
 * Must not: resolve a path of the sandbox against the host, or through a link that somebody planted; make a name in a host directory; give a
 * mount a right back; run anything.
 *
 * Masks and covers are clones of things on a small tmpfs of the launcher's own, so that no source is named by a path that somebody else can change.
 * It is mounted on top of the new root's directory, which all is done to by descriptor, and goes when PIVOT clears that.
 */
#include "launch/launch.h"

#include "sys/fd.h"
#include "sys/inside.h"
#include "sys/mount.h"
#include "sys/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALED (MOUNT_RDONLY | MOUNT_NOSUID | MOUNT_NODEV | MOUNT_NOEXEC)

/* PLAN_TREE_RO to _NOSYMFOLLOW are the MOUNT_ bits. */
static unsigned rights_of(uint64_t tree_flags)
{
	return (unsigned)tree_flags & (SEALED | MOUNT_NOSYMFOLLOW);
}

_Static_assert((int)PLAN_TREE_RO == (int)MOUNT_RDONLY && (int)PLAN_TREE_NOSUID == (int)MOUNT_NOSUID, "same bits");
_Static_assert((int)PLAN_TREE_NODEV == (int)MOUNT_NODEV && (int)PLAN_TREE_NOEXEC == (int)MOUNT_NOEXEC, "same bits");
_Static_assert((int)PLAN_LAYERS_MAX == (int)MOUNT_LAYERS_MAX, "an overlay of a plan fits");
_Static_assert((int)PLAN_TREE_NOSYMFOLLOW == (int)MOUNT_NOSYMFOLLOW, "same bits");

/* Opens the path in operand `path`, if it is what the compiler saw: device and inode are in the two operands at `identity`. */
static int open_same(struct launch *l, int root, const struct plan_op *op, unsigned path, unsigned identity)
{
	return inside_open_same(root, plan_text(&l->plan, op, path), plan_number(op, identity), plan_number(op, identity + 1));
}

int do_PRIVATE(struct launch *l, const struct plan_op *op)
{
	(void)op;
	l->trees = mount_has_trees();
	return mount_make_private();
}

int do_TREE(struct launch *l, const struct plan_op *op)
{
	uint64_t flags = plan_number(op, 2);
	struct slot *slot = &l->slot[plan_number(op, 0)];
	int source = open_same(l, INSIDE_SELF, op, 1, 3), r;

	*slot = (struct slot){ .fd = -1, .rights = rights_of(flags), .recursive = flags & PLAN_TREE_RECURSIVE };
	if (flags & PLAN_TREE_OPTIONAL && (source == -ENOENT || source == -ENOTDIR))
		return 0;
	if (source < 0)
		return source;
	if (!l->trees) {
		slot->fd = source;
		return 0;
	}
	r = mount_tree(source, slot->rights, slot->recursive);
	close(source);
	if (r < 0)
		return r;
	slot->fd = r;
	return 0;
}

/* In the host's mount namespace: only a detached tree can be handed into the jail's. */
int do_HOST_TREE(struct launch *l, const struct plan_op *op)
{
	l->trees = l->trees || mount_has_trees();
	return l->trees ? do_TREE(l, op) : -ENOSYS;
}

int do_ROOT_NEW(struct launch *l, const struct plan_op *op)
{
	struct text options = { 0 };
	struct stat st;
	int r = mount_tmpfs_options(&options, plan_number(op, 0), plan_number(op, 1), 0755);

	if (r < 0)
		return r;
	l->umask = umask(0);
	l->root = mount_new_on_root("tmpfs", options.bytes, MOUNT_NOSUID | MOUNT_NODEV);
	if (l->root < 0)
		return l->root;
	if (fstat(l->root, &st) < 0)
		return -errno;
	l->root_dev = st.st_dev;
	return 0;
}

int do_ROOT_TREE(struct launch *l, const struct plan_op *op)
{
	struct slot *slot = &l->slot[plan_number(op, 0)];
	int r;

	if (slot->fd < 0)
		return -ENOENT;
	l->umask = umask(0);
	r = l->trees ? mount_attach_to_root(slot->fd) : mount_bind(slot->fd, INSIDE_SELF, "/", slot->rights, slot->recursive);
	if (r < 0)
		return r;
	if (!l->trees)
		close(slot->fd);
	l->root = l->trees ? slot->fd : mount_open_above_root();
	slot->fd = -1;
	return l->root < 0 ? l->root : 0;
}

static bool is_on(int root, const char *path, dev_t dev)
{
	struct stat st;
	int fd = inside_open(root, path);
	bool same = fd >= 0 && fstat(fd, &st) == 0 && st.st_dev == dev;

	if (fd >= 0)
		close(fd);
	return same;
}

/* Names are made on the new root and on the plan's own tmpfs only: anywhere else they would appear on the host. */
static int may_make(int dir, void *context)
{
	const struct launch *l = context;
	struct stat st;

	if (fstat(dir, &st) < 0)
		return -errno;
	if (l->root_dev && st.st_dev == l->root_dev)
		return 0;
	for (uint32_t i = 0; i < l->at; i++)
		if (l->plan.op[i].code == OP_TMPFS && is_on(l->root, plan_text(&l->plan, &l->plan.op[i], 0), st.st_dev))
			return 0;
	return -EXDEV;
}

int do_DIR(struct launch *l, const struct plan_op *op)
{
	return inside_make_dir(l->root, plan_text(&l->plan, op, 0), (unsigned)plan_number(op, 1), may_make, l);
}

/* The directory for a name that the plan makes. */
static int open_own_parent(struct launch *l, const struct plan_op *op, const char **ret_name)
{
	int dir = inside_open_parent(l->root, plan_text(&l->plan, op, 0), ret_name);
	int r = dir < 0 ? dir : may_make(dir, l);

	if (dir >= 0 && r < 0)
		close(dir);
	return r < 0 ? r : dir;
}

/* A new file with the content in operand 2 and the mode in operand 1. Returns a descriptor of it. */
static int make_file(struct launch *l, const struct plan_op *op, int dir, const char *name)
{
	size_t len;
	const char *content = plan_blob(&l->plan, op, 2, &len);
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, (mode_t)plan_number(op, 1));
	int r = fd < 0 ? -errno : fd_write_all(fd, content, len);

	if (fd >= 0 && r < 0)
		close(fd);
	return r < 0 ? r : fd;
}

int do_FILE(struct launch *l, const struct plan_op *op)
{
	const char *name;
	int dir = open_own_parent(l, op, &name);
	int fd = dir < 0 ? dir : make_file(l, op, dir, name);

	if (dir >= 0)
		close(dir);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

int do_LINK(struct launch *l, const struct plan_op *op)
{
	const char *name;
	int dir = open_own_parent(l, op, &name), r;

	if (dir < 0)
		return dir;
	r = symlinkat(plan_text(&l->plan, op, 1), dir, name) < 0 ? -errno : 0;
	close(dir);
	return r;
}

/* A new file system over the directory in operand 0. */
static int mount_over(struct launch *l, const struct plan_op *op, const char *type, const char *options, unsigned rights)
{
	int target = inside_open(l->root, plan_text(&l->plan, op, 0)), r;

	if (target < 0)
		return target;
	r = mount_new(target, type, options, rights);
	close(target);
	return r;
}

int do_TMPFS(struct launch *l, const struct plan_op *op)
{
	struct text options = { 0 };
	int r = mount_tmpfs_options(&options, plan_number(op, 2), plan_number(op, 3), plan_number(op, 4));

	return r < 0 ? r : mount_over(l, op, "tmpfs", options.bytes, rights_of(plan_number(op, 1)));
}

int do_PROC(struct launch *l, const struct plan_op *op)
{
	uint64_t flags = plan_number(op, 1);
	struct text options = { 0 };

	if (flags & PLAN_PROC_HIDEPID)
		text_add(&options, "hidepid=2");
	if (flags & PLAN_PROC_SUBSET_PID)
		text_add(&options, options.len ? ",subset=pid" : "subset=pid");
	return mount_over(l, op, "proc", options.bytes, flags & PLAN_PROC_RO ? SEALED : SEALED & ~(unsigned)MOUNT_RDONLY);
}

int do_DEVPTS(struct launch *l, const struct plan_op *op)
{
	return mount_over(l, op, "devpts", "newinstance,ptmxmode=666,mode=620", MOUNT_NOSUID | MOUNT_NOEXEC);
}

int do_MQUEUE(struct launch *l, const struct plan_op *op)
{
	return mount_over(l, op, "mqueue", NULL, MOUNT_NOSUID | MOUNT_NODEV | MOUNT_NOEXEC);
}

int do_PLACE(struct launch *l, const struct plan_op *op)
{
	struct slot *slot = &l->slot[plan_number(op, 0)];
	const char *path = plan_text(&l->plan, op, 1);
	int target, r;

	if (slot->fd < 0)
		return 0;
	if (l->trees) {
		target = inside_open(l->root, path);
		r = target < 0 ? target : mount_attach(slot->fd, target);
		if (target >= 0)
			close(target);
	} else {
		r = mount_bind(slot->fd, l->root, path, slot->rights, slot->recursive);
	}
	close(slot->fd);
	slot->fd = -1;
	return r;
}

/* Puts a clone of `source` over `target`, which is what `path` leads to. Both are closed. */
static int lay_over(struct launch *l, int source, int target, const char *path, uint64_t tree_flags)
{
	bool recursive = tree_flags & PLAN_TREE_RECURSIVE;
	int tree, r;

	if (source < 0) {
		r = source;
	} else if (l->trees) {
		tree = mount_tree(source, rights_of(tree_flags), recursive);
		r = tree < 0 ? tree : mount_attach(tree, target);
		if (tree >= 0)
			close(tree);
	} else {
		r = mount_bind(source, l->root, path, rights_of(tree_flags), recursive);
	}
	if (source >= 0 && source != target)
		close(source);
	close(target);
	return r;
}

/*
 * What the jail cannot reach with all capabilities over its own user's files, the command cannot either: nothing to cover. Nor where an earlier
 * sandbox has changed a tree of its own.
 */
static bool is_out_of_reach(int r, bool optional)
{
	return r == -EACCES || (optional && (r == -ENOENT || r == -ENOTDIR || r == -ELOOP));
}

int do_REBIND(struct launch *l, const struct plan_op *op)
{
	int target = open_same(l, l->root, op, 0, 2);

	if (target < 0)
		return is_out_of_reach(target, plan_number(op, 1) & PLAN_TREE_OPTIONAL) ? 0 : target;
	return lay_over(l, target, target, plan_text(&l->plan, op, 0), plan_number(op, 1));
}

static int open_store(struct launch *l)
{
	if (l->store >= 0)
		return 0;
	l->store = mount_new_on_root("tmpfs", "size=2m,nr_inodes=256,mode=700", MOUNT_NOSUID | MOUNT_NODEV | MOUNT_NOEXEC);
	if (l->store < 0)
		return l->store;
	return fstat(l->store, &l->cover) < 0 || mkdirat(l->store, "dir", 0) < 0 || mknodat(l->store, "file", S_IFREG, 0) < 0 ? -errno : 0;
}

int do_EMPTY(struct launch *l, const struct plan_op *op)
{
	l->slot[plan_number(op, 0)] = (struct slot){ .fd = -1 };
	return 0;
}

int do_OVERLAY(struct launch *l, const struct plan_op *op)
{
	struct slot *base = &l->slot[plan_number(op, 0)], *held = &l->slot[plan_number(op, 1)];
	struct mount_overlay overlay = {
		.base = base->fd, .held = held->fd, .upper = plan_text(&l->plan, op, 3), .work = plan_text(&l->plan, op, 4)
	};
	int r = l->trees ? open_store(l) : -ENOSYS;

	for (const char *s = NULL; (s = plan_list_next(&l->plan, op, 2, s));)
		overlay.layer[overlay.layers++] = s;
	overlay.room = l->store;
	if (r == 0)
		r = mount_overlay(&overlay, MOUNT_NOSUID | MOUNT_NODEV);
	close(base->fd);
	close(held->fd);
	held->fd = -1;
	base->fd = r < 0 ? -1 : r;
	return r < 0 ? r : 0;
}

int do_MASK(struct launch *l, const struct plan_op *op)
{
	int target = open_same(l, l->root, op, 0, 2), source, r;
	bool optional = plan_number(op, 1) & PLAN_MASK_OPTIONAL, dir = plan_number(op, 1) & PLAN_MASK_DIR;
	struct stat st;

	if (target < 0)
		return is_out_of_reach(target, optional) ? 0 : target;
	r = open_store(l);
	if (r < 0)
		return r;
	if (optional && fstat(target, &st) == 0)
		dir = S_ISDIR(st.st_mode);
	source = openat(l->store, dir ? "dir" : "file", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return lay_over(l, source < 0 ? -errno : source, target, plan_text(&l->plan, op, 0), SEALED);
}

int do_COVER(struct launch *l, const struct plan_op *op)
{
	int target = inside_open(l->root, plan_text(&l->plan, op, 0)), r;
	struct text name = { 0 };

	if (target < 0)
		return is_out_of_reach(target, target == -ENOENT) ? 0 : target;
	r = open_store(l);
	if (r < 0)
		return r;
	text_number(&name, l->at, 10);
	return lay_over(l, make_file(l, op, l->store, name.bytes), target, plan_text(&l->plan, op, 0), SEALED);
}

int do_REMOUNT(struct launch *l, const struct plan_op *op)
{
	uint64_t flags = plan_number(op, 1);
	int fd = inside_open(l->root, plan_text(&l->plan, op, 0)), r;

	if (fd < 0)
		return fd;
	r = mount_restrict(fd, rights_of(flags), flags & PLAN_TREE_RECURSIVE);
	close(fd);
	return r;
}

/*
 * PIVOT.
 *
 * Should: make the new root the root, detach the old one with all that is mounted below it, and see that nothing leads back.
 *
 * Must not: leave a descriptor into it. Slots are empty by now (plan_check), the store and the root's own descriptor are closed here, and standard
 * streams were found to be no directories.
 */
int do_PIVOT(struct launch *l, const struct plan_op *op)
{
	int r = l->store < 0 ? 0 : mount_freeze(l->store);

	(void)op;
	if (r == 0)
		r = mount_pivot(l->root);
	if (l->store >= 0)
		close(l->store);
	close(l->root);
	l->store = l->root = -1;
	umask((mode_t)l->umask);
	return r;
}

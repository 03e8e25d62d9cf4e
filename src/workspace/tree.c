#include "workspace/tree.h"

#include "base/own.h"
#include "base/path.h"
#include "workspace/content.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

static void times_of(const struct entry *entry, struct timespec ret_times[2])
{
	ret_times[0] = (struct timespec){ .tv_nsec = UTIME_OMIT };
	ret_times[1] = (struct timespec){ .tv_sec = entry->mtime_ns / 1000000000, .tv_nsec = entry->mtime_ns % 1000000000 };
	if (ret_times[1].tv_nsec < 0) { /* before 1970 */
		ret_times[1].tv_sec--;
		ret_times[1].tv_nsec += 1000000000;
	}
}

static int finish_owner(int fd, const struct entry *entry, const struct stat *st)
{
	if ((st->st_uid == entry->uid && st->st_gid == entry->gid) || geteuid() != 0)
		return 0;
	return fchown(fd, entry->uid, entry->gid) < 0 && errno != EPERM && errno != EINVAL ? -errno : 0;
}

/* Owner before mode, for a change of owner takes set-id bits away. Most files have both from the beginning. */
static int finish(int fd, int from, const struct entry *entry, struct entry *ret_made)
{
	struct timespec times[2];
	struct stat st;
	int r = entry_copy_attributes(from, fd);

	times_of(entry, times);
	if (r == 0 && (futimens(fd, times) < 0 || fstat(fd, &st) < 0))
		r = -errno;
	if (r == 0)
		r = finish_owner(fd, entry, &st);
	if (r == 0 && ((st.st_mode & 07777) != entry->mode || entry->mode & 06000) && fchmod(fd, entry->mode) < 0)
		r = -errno;
	if (r == 0 && ret_made)
		*ret_made = entry_of(&st);
	return r;
}

static int make_file(int dirfd, const char *name, const struct tree_source *source)
{
	struct entry now = { 0 };
	autofd int from = entry_open_seen(source->root, source->path, &now);

	if (from < 0 || now.size > source->max_bytes)
		return from < 0 ? from : -EFBIG;
	autofd int fd = openat(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, source->entry->mode & 0777);

	if (fd < 0)
		return -errno;
	int r = content_copy(from, fd, now.size, source->ret_hash);

	if (r == 0)
		r = finish(fd, from, source->entry, source->ret_made);
	if (r < 0)
		(void)unlinkat(dirfd, name, 0);
	return r;
}

static int make_link(int dirfd, const char *name, const struct tree_source *source)
{
	struct timespec times[2];
	struct arena arena;
	const char *target;
	int r;

	arena_init(&arena, 64 << 10);
	times_of(source->entry, times);
	r = entry_read_link(source->root, source->path, &arena, &target);
	if (r == 0 && symlinkat(target, dirfd, name) < 0)
		r = -errno;
	if (r == 0 && geteuid() == 0 && fchownat(dirfd, name, source->entry->uid, source->entry->gid, AT_SYMLINK_NOFOLLOW) < 0 &&
	    errno != EPERM && errno != EINVAL) /* an owner that is not known here */
		r = -errno;
	if (r == 0 && utimensat(dirfd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		r = -errno;
	arena_done(&arena);
	return r;
}

static int make_fifo(int dirfd, const char *name, const struct entry *entry)
{
	struct timespec times[2];

	times_of(entry, times);
	if (mknodat(dirfd, name, S_IFIFO | (entry->mode & 0777), 0) < 0)
		return -errno;
	if (fchmodat(dirfd, name, entry->mode & 0777, 0) < 0 || utimensat(dirfd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return 0;
}

int tree_make(int dirfd, const char *name, const struct tree_source *source)
{
	switch (source->entry->kind) {
	case ENTRY_FILE:
		return make_file(dirfd, name, source);
	case ENTRY_DIR:
		return mkdirat(dirfd, name, 0700) < 0 ? -errno : 0;
	case ENTRY_LINK:
		return make_link(dirfd, name, source);
	default:
		return source->entry->type == S_IFIFO ? make_fifo(dirfd, name, source->entry) : -ENOTSUP;
	}
}

int tree_finish_dir(int fd, const struct tree_source *source)
{
	autofd int from = entry_open_path(source->root, source->path);

	return from < 0 ? from : finish(fd, from, source->entry, NULL);
}

int tree_make_whiteout(int dirfd, const char *name)
{
	if (mknodat(dirfd, name, S_IFCHR, makedev(0, 0)) == 0)
		return 0;
	if (errno != EPERM)
		return -errno;
	autofd int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 || fsetxattr(fd, "user.overlay.whiteout", "y", 1, 0) < 0)
		return -errno;
	return 0;
}

int tree_make_opaque(int dirfd)
{
	return fsetxattr(dirfd, "user.overlay.opaque", "y", 1, 0) < 0 ? -errno : 0;
}

struct pending {
	const char *path;
	struct stack_place place;
};
VEC(struct pending, pending_vec)

struct copying {
	struct tree_copy *copy;
	struct arena *arena;
	struct pending_vec dirs; /* those before `next` are full */
	size_t next;
	const char *at;
};

static bool is_same(const struct entry *a, const struct entry *b)
{
	return a->type == b->type && a->size == b->size && a->mtime_ns == b->mtime_ns && a->mode == b->mode;
}

/* Gives an earlier copy of the same file a second name: 1 when there is one. */
static int link_twin(const struct copying *copying, const char *path, const struct stack_place *place)
{
	int twins = copying->copy->twins, root = copying->copy->from->fd[place->layer];
	struct entry entry;
	bool same = false;

	if (twins < 0 || place->entry.kind != ENTRY_FILE || entry_look(twins, path, &entry) < 0 || !is_same(&entry, &place->entry))
		return 0;
	autofd int a = entry_open_file(root, path);
	autofd int b = entry_open_file(twins, path);
	const char *name, *twin_name;
	uint64_t x = 0, y = 0;

	if (a < 0 || b < 0 || content_compare(a, b, place->entry.size, &same) < 0 || !same || entry_attributes(a, &x) < 0 ||
	    entry_attributes(b, &y) < 0 || x != y)
		return 0;
	autofd int from = entry_open_parent(twins, path, &twin_name);
	autofd int to = entry_open_parent(copying->copy->to, path, &name);

	return from >= 0 && to >= 0 && linkat(from, twin_name, to, name, 0) == 0;
}

static int make(const struct copying *copying, const char *path, const struct stack_place *place)
{
	struct tree_source source = {
		.root = copying->copy->from->fd[place->layer], .path = path, .entry = &place->entry, .max_bytes = UINT64_MAX
	};
	const char *name;
	autofd int parent = entry_open_parent(copying->copy->to, path, &name);
	int r = parent;

	if (r >= 0)
		r = place->entry.kind == ENTRY_NONE ? tree_make_whiteout(parent, name) : tree_make(parent, name, &source);
	return r;
}

static int add_dir(struct copying *copying, const char *path, const struct stack_place *place)
{
	struct pending *dir = pending_vec_add(&copying->dirs, copying->arena);

	if (!dir)
		return -ENOMEM;
	*dir = (struct pending){ .path = path, .place = *place };
	if (!copying->copy->marks || place->floor == 0)
		return 0;
	autofd int fd = entry_open_dir(copying->copy->to, path);

	return fd < 0 ? fd : tree_make_opaque(fd);
}

static int copy_one(struct copying *copying, const struct pending *dir, const char *name)
{
	struct tree_copy *copy = copying->copy;
	const char *path = *dir->path ? arena_printf(copying->arena, "%s/%s", dir->path, name) : name;
	struct stack_place place;
	int r = path ? stack_child(copy->from, dir->place.floor, path, &place) : -ENOMEM;

	copying->at = path ? path : dir->path;
	if (r < 0 || (place.entry.kind == ENTRY_NONE && !copy->marks))
		return r;
	if (link_twin(copying, path, &place))
		return 0;
	r = make(copying, path, &place);
	if (r == -ENOTSUP || (r == -EACCES && geteuid() != 0)) {
		copy->ret_skipped++;
		return 0;
	}
	if (r == 0 && copy->note && place.entry.kind != ENTRY_NONE)
		r = copy->note(copy->data, path, &place.entry);
	if (r == 0 && place.entry.kind == ENTRY_DIR)
		r = add_dir(copying, path, &place);
	return r;
}

static int fill(struct copying *copying, struct pending dir)
{
	struct text_vec names = { 0 };
	int r = stack_names(copying->copy->from, dir.place.floor, dir.path, copying->arena, &names);

	copying->at = dir.path;
	if (r == -EACCES && geteuid() != 0) {
		copying->copy->ret_skipped++;
		return 0;
	}
	entry_sort_names(&names);
	for (size_t i = 0; r == 0 && i < names.n; i++)
		r = copy_one(copying, &dir, names.at[i]);
	return r;
}

int tree_copy(struct tree_copy *copy, struct arena *arena, const char **ret_path)
{
	struct copying copying = { .copy = copy, .arena = arena, .at = "" };
	struct stack_place top;
	int r = stack_find(copy->from, "", &top);

	if (r == 0)
		r = add_dir(&copying, "", &top);
	for (; r == 0 && copying.next < copying.dirs.n; copying.next++)
		r = fill(&copying, copying.dirs.at[copying.next]);
	/* Their times last, those below first: filling changed them. */
	for (size_t i = copying.dirs.n; r == 0 && i-- > 0;) {
		const struct pending *dir = &copying.dirs.at[i];
		struct tree_source source = { .root = copy->from->fd[dir->place.layer], .path = dir->path, .entry = &dir->place.entry };
		autofd int fd = dir->place.entry.kind == ENTRY_DIR ? entry_open_dir(copy->to, dir->path) : -1;

		copying.at = dir->path;
		if (dir->place.entry.kind == ENTRY_DIR)
			r = fd < 0 ? fd : tree_finish_dir(fd, &source);
	}
	if (r < 0)
		*ret_path = copying.at;
	return r;
}

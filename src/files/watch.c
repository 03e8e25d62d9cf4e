/*
 * Theory of operation. inotify watches one directory each and names what happens in it. A directory that appears is watched first and read
 * then. What the reading finds is told as made, and remembered until the queue is empty: by then the kernel's own event for it, which was
 * queued between the two, has come and was left out. A rename is two events; the second is looked for in what has been read, and waited
 * for a moment when the queue ends between them. What has no second half came from outside, or went there.
 */
#include "files/watch.h"

#include "base/own.h"
#include "files/resolve.h"
#include "files/walk.h"
#include "files/watch_told.h"
#include "files/watch_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum {
	RAW_BYTES = 64 << 10,
	OTHER_HALF_MS = 5,
	PATH_TEXT_MAX = 1 << 20,
	MASK = IN_CREATE | IN_MODIFY | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK,
};

/* An event that waits to be taken; path and from stand behind it. */
struct waiting {
	struct waiting *next;
	struct files_event event;
	char texts[];
};

struct files_watch {
	struct files files;
	int inotify;
	bool recursive, quiet; /* quiet: what is found is not told */
	struct watch_tree tree;
	struct waiting *first, **last, *taken;
	uint64_t waiting_n;
	struct watch_told told;
	int wd_top;
	size_t chain[FILES_DEPTH_MAX + 2]; /* while a tree is added: the directories on the way */
	unsigned depth;
	int failed;                 /* why something could not be watched */
	struct inotify_event *half; /* a MOVED_FROM at the end of what was read */
	_Alignas(struct inotify_event) char half_room[sizeof(struct inotify_event) + PATH_NAME_MAX + 1];
	_Alignas(struct inotify_event) char raw[RAW_BYTES];
};

const char *files_change_name(enum files_change change)
{
	static const char *const names[] = { "create", "modify", "delete", "move", "overflow", "gone" };

	return names[change];
}

static bool is_temporary(const char *name)
{
	return strncmp(name, ".coffer-", 8) == 0 && strlen(name) == TEMPORARY_MAX - 1 && strspn(name + 8, "0123456789abcdef") == 16;
}

static void tell(struct files_watch *watch, enum files_change change, bool directory, const char *path, const char *from)
{
	size_t path_n = strlen(path) + 1, from_n = from ? strlen(from) + 1 : 0;
	struct waiting *waiting;

	if (watch->quiet)
		return;
	waiting = calloc(1, sizeof(*waiting) + path_n + from_n);
	if (!waiting) {
		watch->failed = ENOMEM;
		return;
	}
	memcpy(waiting->texts, path, path_n);
	if (from)
		memcpy(waiting->texts + path_n, from, from_n);
	waiting->event = (struct files_event){ change, directory, waiting->texts, from ? waiting->texts + path_n : NULL };
	*watch->last = waiting;
	watch->last = &waiting->next;
	watch->waiting_n++;
}

static void tell_in(struct files_watch *watch, enum files_change change, bool directory, size_t dir, const char *name)
{
	autostr struct str path;

	str_init(&path, PATH_TEXT_MAX);
	watch_tree_path(&watch->tree, dir, name, &path);
	tell(watch, change, directory, path.text, NULL);
}

/* Watches the directory that fd is. Returns its place in the tree, or WATCH_NONE with `failed` set. */
static size_t watch_directory(struct files_watch *watch, int fd, size_t parent, const char *name, uint32_t more)
{
	char path[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
	size_t i;
	int wd;

	if (watch->tree.live >= watch->files.entries_max) {
		watch->failed = E2BIG;
		return WATCH_NONE;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	/* without DONT_FOLLOW: the last component is procfs's link to the directory that was opened */
	wd = inotify_add_watch(watch->inotify, path, (MASK & ~(uint32_t)IN_DONT_FOLLOW) | more);
	i = wd < 0 ? WATCH_NONE : watch_tree_put(&watch->tree, wd, parent, name);
	if (i == WATCH_NONE && !(wd < 0 && (errno == EACCES || errno == ENOENT)))
		watch->failed = wd < 0 ? errno : ENOMEM;
	if (wd >= 0 && parent == WATCH_NONE)
		watch->wd_top = wd;
	return i;
}

static int visit_found(void *self, const struct walk_visit *visit)
{
	struct files_watch *watch = (struct files_watch *)self;
	size_t dir = watch->chain[watch->depth], i;

	if (is_temporary(visit->name))
		return WALK_SKIP;
	if (!watch->quiet) {
		tell_in(watch, FILES_CREATED, S_ISDIR(visit->st.st_mode), dir, visit->name);
		watch_told_add(&watch->told, watch->tree.at[dir].wd, visit->name);
	}
	if (!S_ISDIR(visit->st.st_mode) || watch->depth >= FILES_DEPTH_MAX)
		return WALK_SKIP;

	autofd int fd = openat(visit->dir, visit->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	i = fd < 0 ? WATCH_NONE : watch_directory(watch, fd, dir, visit->name, 0);
	if (i == WATCH_NONE)
		return WALK_SKIP;
	watch->chain[++watch->depth] = i;
	return WALK_GO;
}

static int leave_found(void *self, const struct walk_visit *visit, int fd)
{
	struct files_watch *watch = (struct files_watch *)self;

	(void)visit;
	(void)fd;
	watch->depth -= watch->depth > 0;
	return WALK_GO;
}

/* A directory that was entered in the chain and cannot be read. */
static int pass_over(void *self, const struct walk_visit *visit, int errnum)
{
	(void)errnum;
	return leave_found(self, visit, -1);
}

/* Watches a directory and what is below it. */
static void add_tree(struct files_watch *watch, int fd, size_t parent, const char *name)
{
	struct walk walk = { .entries_max = watch->files.entries_max,
		             .depth_max = watch->files.depth_max,
		             .visit = visit_found,
		             .leave = leave_found,
		             .unreadable = pass_over,
		             .self = watch };
	size_t i = watch_directory(watch, fd, parent, name, parent == WATCH_NONE ? IN_DELETE_SELF : 0);

	if (i == WATCH_NONE || !watch->recursive)
		return;
	watch->chain[0] = i;
	watch->depth = 0;

	int r = walk_tree(&walk, fd);

	if (r < 0 || walk.cut == FILES_CUT_ENTRIES || walk.cut == FILES_CUT_DEPTH)
		watch->failed = r < 0 ? -r : E2BIG;
}

/* Something has appeared in a directory: made, or moved there from outside. */
static void appeared(struct files_watch *watch, size_t dir, const struct inotify_event *event)
{
	bool directory = event->mask & IN_ISDIR;

	if (watch_told_take(&watch->told, event->wd, event->name) || is_temporary(event->name))
		return;
	tell_in(watch, FILES_CREATED, directory, dir, event->name);
	if (!directory || !watch->recursive)
		return;

	autostr struct str path;

	str_init(&path, PATH_TEXT_MAX);
	watch_tree_path(&watch->tree, dir, event->name, &path);

	autofd int fd = resolve_open(watch->files.root, path.text, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

	if (fd >= 0)
		add_tree(watch, fd, dir, event->name);
}

static void vanished(struct files_watch *watch, size_t dir, const struct inotify_event *event)
{
	size_t child = event->mask & IN_ISDIR ? watch_tree_child(&watch->tree, dir, event->name) : WATCH_NONE;

	(void)watch_told_take(&watch->told, event->wd, event->name);
	if (is_temporary(event->name))
		return;
	tell_in(watch, FILES_DELETED, event->mask & IN_ISDIR, dir, event->name);
	if (child != WATCH_NONE)
		watch_tree_drop(&watch->tree, child, watch->inotify);
}

static void moved(struct files_watch *watch, const struct inotify_event *from, const struct inotify_event *to)
{
	size_t source = watch_tree_find(&watch->tree, from->wd), target = watch_tree_find(&watch->tree, to->wd), child, over;
	autostr struct str path, old;

	str_init(&path, PATH_TEXT_MAX);
	str_init(&old, PATH_TEXT_MAX);
	if (source == WATCH_NONE || target == WATCH_NONE)
		return;
	(void)watch_told_take(&watch->told, from->wd, from->name);
	if (is_temporary(from->name)) {
		appeared(watch, target, to);
		return;
	}
	(void)watch_told_take(&watch->told, to->wd, to->name);
	watch_tree_path(&watch->tree, source, from->name, &old);
	watch_tree_path(&watch->tree, target, to->name, &path);
	tell(watch, FILES_MOVED, from->mask & IN_ISDIR, path.text, old.text);
	child = from->mask & IN_ISDIR ? watch_tree_child(&watch->tree, source, from->name) : WATCH_NONE;
	over = from->mask & IN_ISDIR ? watch_tree_child(&watch->tree, target, to->name) : WATCH_NONE;
	if (over != WATCH_NONE && over != child) /* an empty directory that was replaced */
		watch_tree_drop(&watch->tree, over, watch->inotify);
	if (child != WATCH_NONE && watch_tree_rename(&watch->tree, child, target, to->name) < 0)
		watch->failed = ENOMEM;
}

/* The half of a move that has no other half within reach. */
static void flush_half(struct files_watch *watch)
{
	struct inotify_event *half = watch->half;
	size_t dir = half ? watch_tree_find(&watch->tree, half->wd) : WATCH_NONE;

	watch->half = NULL;
	if (dir != WATCH_NONE)
		vanished(watch, dir, half);
}

/* Reads all that is there anew; whoever is told of the overflow lists anew as well. */
static void start_over(struct files_watch *watch)
{
	autofd int fd = -1;
	size_t top = watch_tree_find(&watch->tree, watch->wd_top);
	autostr struct str path;

	str_init(&path, PATH_TEXT_MAX);
	flush_half(watch);
	tell(watch, FILES_OVERFLOW, false, "", NULL);
	if (top == WATCH_NONE)
		return;
	str_add(&path, watch->tree.at[top].name);
	fd = resolve_open(watch->files.root, path.len ? path.text : ".", O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return;
	watch->quiet = true;
	watch_tree_sweep(&watch->tree, watch->inotify); /* none is marked then; the second one forgets */
	add_tree(watch, fd, WATCH_NONE, path.text);
	watch->quiet = false;
	watch->failed = 0;
	watch_tree_sweep(&watch->tree, watch->inotify);
}

static void handle(struct files_watch *watch, const struct inotify_event *event)
{
	size_t dir = watch_tree_find(&watch->tree, event->wd);

	if (event->mask & IN_Q_OVERFLOW) {
		start_over(watch);
	} else if (dir == WATCH_NONE) {
		return;
	} else if (event->mask & IN_DELETE_SELF) {
		tell(watch, FILES_GONE, true, "", NULL);
	} else if (event->mask & IN_IGNORED) {
		watch_tree_drop(&watch->tree, dir, watch->inotify);
	} else if (event->mask & (IN_CREATE | IN_MOVED_TO)) {
		appeared(watch, dir, event);
	} else if (event->mask & (IN_DELETE | IN_MOVED_FROM)) {
		vanished(watch, dir, event);
	} else if (event->mask & IN_MODIFY && event->len > 0 && !is_temporary(event->name)) {
		tell_in(watch, FILES_MODIFIED, false, dir, event->name);
	}
}

/* The other half of a move in the n bytes that follow. It is marked as done. */
static struct inotify_event *find_half(char *raw, size_t n, uint32_t cookie)
{
	struct inotify_event *event;

	for (size_t at = 0; at < n; at += sizeof(*event) + event->len) {
		event = (struct inotify_event *)(void *)(raw + at);
		if (event->mask & IN_MOVED_TO && event->cookie == cookie)
			return event;
	}
	return NULL;
}

static void keep_half(struct files_watch *watch, const struct inotify_event *event)
{
	size_t n = sizeof(*event) + event->len;

	if (n > sizeof(watch->half_room))
		return;
	memcpy(watch->half_room, event, n);
	watch->half = (struct inotify_event *)(void *)watch->half_room;
}

static void handle_all(struct files_watch *watch, size_t n)
{
	struct inotify_event *event, *other;

	for (size_t at = 0; at < n; at += sizeof(*event) + event->len) {
		event = (struct inotify_event *)(void *)(watch->raw + at);
		if (watch->half && event->mask & IN_MOVED_TO && event->cookie == watch->half->cookie) {
			moved(watch, watch->half, event);
			watch->half = NULL;
			continue;
		}
		flush_half(watch);
		if (!(event->mask & IN_MOVED_FROM)) {
			handle(watch, event);
			continue;
		}
		other = find_half(watch->raw + at, n - at, event->cookie);
		if (other) {
			moved(watch, event, other);
			other->mask = 0;
		} else {
			keep_half(watch, event);
		}
	}
	if (watch->failed) {
		watch->failed = 0;
		tell(watch, FILES_OVERFLOW, false, "", NULL);
	}
}

/* Reads what the kernel has. 0: nothing. */
static int read_events(struct files_watch *watch)
{
	ssize_t n = read(watch->inotify, watch->raw, sizeof(watch->raw));

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return -errno;
	if (n > 0)
		handle_all(watch, (size_t)n);
	else
		watch_told_clear(&watch->told);
	return n > 0;
}

static int wait_for_events(struct files_watch *watch, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = watch->inotify, .events = POLLIN };
	bool half = watch->half != NULL;
	int r = poll(&poll_fd, 1, half && (timeout_ms < 0 || timeout_ms > OTHER_HALF_MS) ? OTHER_HALF_MS : timeout_ms);

	if (r < 0)
		return errno == EINTR ? 1 : -errno;
	if (r == 0 && half) {
		flush_half(watch);
		return 1;
	}
	return r;
}

static bool take_waiting(struct files_watch *watch, struct files_event *ret_event)
{
	free(watch->taken);
	watch->taken = watch->first;
	if (!watch->taken)
		return false;
	watch->first = watch->taken->next;
	if (!watch->first)
		watch->last = &watch->first;
	watch->waiting_n--;
	*ret_event = watch->taken->event;
	return true;
}

int files_watch_next(struct files_watch *watch, int timeout_ms, struct files_event *ret_event, struct err *err)
{
	uint64_t end = timeout_ms < 0 ? 0 : files_now_ms() + (uint64_t)timeout_ms;
	int r = 1;

	while (!take_waiting(watch, ret_event)) {
		uint64_t now = files_now_ms();

		r = read_events(watch);
		if (r == 0)
			r = wait_for_events(watch, timeout_ms < 0 ? -1 : now < end ? (int)(end - now) : 0);
		if (r < 0)
			return err_set(err, ERR_SETUP, -r, "watching files");
		if (r == 0)
			return 0;
	}
	return 1;
}

int files_watch_fd(const struct files_watch *watch)
{
	return watch->inotify;
}

void files_watch_close(struct files_watch **slot)
{
	struct files_watch *watch = *slot;
	struct files_event event;

	if (!watch)
		return;
	while (take_waiting(watch, &event))
		;
	watch_told_clear(&watch->told);
	watch_tree_done(&watch->tree);
	own_close(&watch->inotify);
	free(watch);
	*slot = NULL;
}

static int watch_first(struct files_watch *watch, const char *path, struct err *err)
{
	char normal[PATH_BYTES_MAX + 1];
	int r = files_normalize(path, normal, err);
	autofd int fd = r < 0 ? -1 : resolve_path(&watch->files, path, O_RDONLY | O_DIRECTORY, err);

	if (fd < 0)
		return r < 0 ? r : fd;
	watch->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch->inotify < 0)
		return err_set(err, ERR_LIMIT, errno, "%s: watching (fs.inotify.max_user_instances says how many watches a user may have)",
		               path);
	watch->quiet = true;
	add_tree(watch, fd, WATCH_NONE, strcmp(normal, ".") == 0 ? "" : normal);
	watch->quiet = false;
	if (watch->failed == ENOSPC)
		return err_set(err, ERR_LIMIT, ENOSPC, "%s: raise fs.inotify.max_user_watches, or watch less", path);
	if (watch->failed)
		return err_set(err, ERR_LIMIT, watch->failed, "%s: too many directories, or too deep", path);
	return 0;
}

int files_watch_open(const struct files *files, const char *path, bool recursive, struct files_watch **ret_watch, struct err *err)
{
	struct files_watch *watch = calloc(1, sizeof(*watch));
	int r;

	if (!watch)
		return err_set(err, ERR_LIMIT, ENOMEM, "%s: watching", path);
	watch->files = *files;
	watch->inotify = -1;
	watch->recursive = recursive;
	watch->last = &watch->first;
	watch_tree_init(&watch->tree);
	r = watch_first(watch, path, err);
	if (r < 0)
		files_watch_close(&watch);
	else
		*ret_watch = watch;
	return r;
}

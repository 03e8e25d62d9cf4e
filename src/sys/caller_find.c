/*
 * Theory of operation. A path without links is the kernel's to walk. Any other is walked here, one directory descriptor at a time, with
 * the text that is still to go. Each component is opened as itself (O_PATH, O_NOFOLLOW); what is a link is read, and its text put in front
 * of the rest, as the kernel does it, with the same limit of 40. The kernel still decides about every step: search rights, ".." at the
 * root, mounts. The last component is not opened but named: what is done with it is done relative to the directory, and refuses
 * a link that has come into its place meanwhile.
 */
#include "sys/caller.h"

#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { LINKS_MAX = 40, NOSYMFOLLOW = 0x2000 /* ST_NOSYMFOLLOW */, PROC_ROOT = 1 /* inode */ };

struct walk {
	struct caller *caller;
	int dir, target;
	unsigned links;
	enum caller_end end;
	char *rest; /* what is still to go: the end of text */
	char text[2 * PATH_MAX];
	char name[NAME_MAX + 1]; /* the component at hand */
	bool last, slash;        /* nothing follows it, or nothing but slashes */
};

static struct text own_fd(int fd)
{
	struct text name = { 0 };

	text_add(&name, "self/fd/");
	text_number(&name, (unsigned)fd, 10);
	return name;
}

static int real_path(const struct caller_view *view, int fd, char path[PATH_MAX])
{
	struct text name = { 0 };
	ssize_t n;

	text_number(&name, (unsigned)fd, 10);
	n = readlinkat(view->own_fds, name.bytes, path, PATH_MAX - 1);
	if (n < 0)
		return -errno;
	path[n] = '\0';
	return 0;
}

static void step_into(struct walk *w, int fd)
{
	close(w->dir);
	w->dir = fd;
}

/* Puts text in front of the rest. */
static int prepend(struct walk *w, const char *text, size_t n)
{
	size_t left = strlen(w->rest);

	if (n == 0)
		return -ENOENT;
	if (n + 1 + left >= sizeof(w->text) || n >= PATH_MAX)
		return -ENAMETOOLONG;
	memmove(w->text + n + 1, w->rest, left + 1);
	memcpy(w->text, text, n);
	w->text[n] = left ? '/' : '\0'; /* without a rest, no slash that would say: a directory */
	w->rest = w->text;
	return 0;
}

/* Takes the next component into w->name, with one slash if slashes end the text; "." when there is none but those. */
static int next_name(struct walk *w)
{
	size_t n, slashes;

	w->rest += strspn(w->rest, "/");
	n = strcspn(w->rest, "/");
	slashes = strspn(w->rest + n, "/");
	if (n > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(w->name, w->rest, n);
	w->name[n] = '\0';
	w->rest += n + slashes;
	w->last = !w->rest[0];
	w->slash = w->last && slashes;
	if (n == 0)
		memcpy(w->name, ".", 2);
	return 0;
}

/* An absolute text starts over at the root. */
static int begin_text(struct walk *w)
{
	int fd;

	if (w->rest[0] != '/')
		return 0;
	fd = openat(w->caller->view->root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	step_into(w, fd);
	return 0;
}

static pid_t read_pid(const char *text)
{
	pid_t pid = 0;

	while (*text >= '0' && *text <= '9')
		pid = pid * 10 + (*text++ - '0');
	return pid;
}

/* Whose entry in procfs is this? 0: nobody's. */
static int find_owner(const struct caller_view *view, int fd, pid_t *ret_owner)
{
	char path[PATH_MAX];
	const char *below;
	struct stat st;
	int r = real_path(view, fd, path);

	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0 || st.st_dev != view->proc_dev)
		return -EACCES; /* another procfs, which knows this process by another number */
	below = path_below(path, view->proc_path);
	if (!below)
		return -EACCES;
	*ret_owner = read_pid(below);
	return 0;
}

static bool is_proc(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) < 0 || fs.f_type == PROC_SUPER_MAGIC;
}

/* Follows a link that is the caller's own, whatever its text says. */
static int follow_thing(struct walk *w, pid_t owner)
{
	pid_t process;
	int fd, r = caller_process(w->caller, &process);

	if (r < 0 || (owner != process && owner != w->caller->thread))
		return -EACCES;
	fd = openat(w->dir, w->name, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (w->last && !w->slash)
		w->target = fd;
	else
		step_into(w, fd);
	return 0;
}

static int follow_text(struct walk *w, int link)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(link, "", text, sizeof(text));
	int r;

	if (n < 0)
		return -errno;
	r = prepend(w, text, (size_t)n);
	return r < 0 ? r : begin_text(w);
}

static int follow_in_proc(struct walk *w, int link)
{
	struct text own = { 0 };
	struct stat dir;
	pid_t owner, process;
	int r = find_owner(w->caller->view, w->dir, &owner);

	if (r < 0)
		return r;
	if (owner)
		return follow_thing(w, owner);
	if (fstat(w->dir, &dir) < 0)
		return -errno;
	r = caller_process(w->caller, &process);
	if (r < 0)
		return r;
	text_number(&own, (unsigned)process, 10);
	if (dir.st_ino == PROC_ROOT && strcmp(w->name, "self") == 0)
		return prepend(w, own.bytes, own.len);
	text_add(&own, "/task/");
	text_number(&own, (unsigned)w->caller->thread, 10);
	if (dir.st_ino == PROC_ROOT && strcmp(w->name, "thread-self") == 0)
		return prepend(w, own.bytes, own.len);
	return follow_text(w, link);
}

static int follow_link(struct walk *w, int link)
{
	struct statfs fs;

	if (++w->links > LINKS_MAX)
		return -ELOOP;
	if (fstatfs(link, &fs) < 0)
		return -errno;
	if ((unsigned long)fs.f_flags & NOSYMFOLLOW)
		return -ELOOP;
	return fs.f_type == PROC_SUPER_MAGIC ? follow_in_proc(w, link) : follow_text(w, link);
}

static bool is_to_follow(const struct walk *w, const struct stat *st)
{
	return S_ISLNK(st->st_mode) && (!w->last || w->end == CALLER_FOLLOW || (w->end == CALLER_SLASH && w->slash));
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* A component that exists, and that fd, taken over, is open on. Returns 1 when it is where the path leads. */
static int visit(struct walk *w, int fd)
{
	struct stat st;
	int r = 1;

	if (fstat(fd, &st) < 0) {
		r = -errno;
	} else if (is_to_follow(w, &st)) {
		w->rest -= w->slash; /* the slash goes on to stand behind what the link leads to */
		r = follow_link(w, fd);
		if (r == 0 && w->target >= 0)
			r = 1;
	} else if (!w->last || is_dots(w->name)) {
		step_into(w, fd);
		return 0;
	}
	close(fd);
	return r;
}

/* One component. Returns 1 at the end: w->dir and w->name say where, or w->target. */
static int step(struct walk *w)
{
	int fd, r = next_name(w);

	if (r < 0)
		return r;
	fd = openat(w->dir, w->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT && w->last ? 1 : -errno;
	return visit(w, fd);
}

static bool is_memory(const struct caller_view *view, const struct place *place)
{
	char path[PATH_MAX];

	if (place->target < 0)
		return strcmp(place->name, "mem") == 0;
	return real_path(view, place->target, path) < 0 || strcmp(path_name(path), "mem") == 0;
}

/* The end must not be this process's own in procfs, nor another process's memory. */
static int check_end(struct caller *caller, const struct place *place)
{
	int fd = place->target >= 0 ? place->target : place->dir;
	pid_t owner = 0, process;
	int r;

	if (!is_proc(fd))
		return 0;
	r = find_owner(caller->view, fd, &owner);
	if (r < 0)
		return r;
	if (!owner && place->target < 0)
		owner = read_pid(place->name);
	if (owner == caller->view->self)
		return -EACCES;
	if (!owner || owner == caller->thread || (caller_process(caller, &process) == 0 && owner == process))
		return 0;
	return is_memory(caller->view, place) ? -EACCES : 0;
}

/* Nothing left and nothing named: "/", "..", or a link to one of them. */
static int walk_to_end(struct walk *w)
{
	int r = begin_text(w);

	if (r == 0)
		memcpy(w->name, ".", 2);
	while (r == 0 && w->rest[0]) {
		r = step(w);
		if (r == 0 && !w->rest[0])
			memcpy(w->name, ".", 2);
	}
	return r < 0 ? r : 0;
}

static int find_by_walk(struct caller *caller, int base, const char *path, enum caller_end end, struct place *ret_place)
{
	struct walk w = { .caller = caller, .target = -1, .end = end };
	size_t n;
	int r;

	memcpy(w.text, path, strlen(path) + 1);
	w.rest = w.text;
	w.dir = openat(base, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (w.dir < 0)
		return -errno;
	r = walk_to_end(&w);
	n = strlen(w.name);
	ret_place->dir = w.dir;
	ret_place->target = w.target;
	memcpy(ret_place->name, w.name, n);
	if (w.slash && strcmp(w.name, ".") != 0)
		ret_place->name[n++] = '/';
	ret_place->name[n] = '\0';
	return r;
}

/*
 * Most paths have no link in them: then the kernel walks as well. Where there is no walk, base itself is lent to the place. -ELOOP when there is
 * a link after all, or the end is a special case.
 */
static int find_plainly(int base, const char *path, enum caller_end end, struct place *ret_place)
{
	const struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char parent[PATH_MAX];

	if (!name[0] || is_dots(name))
		return -ELOOP;
	if (strlen(name) > NAME_MAX)
		return -ENAMETOOLONG;
	if (slash) {
		memcpy(parent, path, (size_t)(name - path));
		parent[name - path] = '\0';
		base = (int)syscall(SYS_openat2, base, parent, &how, sizeof(how));
		if (base < 0)
			return -errno;
	}
	ret_place->dir = base;
	memcpy(ret_place->name, name, strlen(name) + 1);
	return end == CALLER_FOLLOW && place_look(ret_place) && S_ISLNK(ret_place->found.st_mode) ? -ELOOP : 0;
}

/* Takes base over, unless it is the root, which is not lent: an absolute path has a slash. */
static int find(struct caller *caller, int base, const char *path, enum caller_end end, struct place *ret_place)
{
	int r = find_plainly(base, path, end, ret_place);

	if (r == -ELOOP) {
		if (ret_place->dir != base)
			place_done(ret_place);
		place_init(ret_place);
		r = find_by_walk(caller, base, path, end, ret_place);
	}
	if (ret_place->dir != base && base != caller->view->root)
		close(base);
	return r;
}

/* An O_PATH descriptor of one of the caller's directories. */
static int open_dir(const struct caller *caller, int dir)
{
	struct text path = { 0 };
	struct stat st;
	int fd;

	if (dir == AT_FDCWD) {
		text_number(&path, (unsigned)caller->thread, 10);
		text_add(&path, "/cwd");
		fd = openat(caller->view->proc, path.bytes, O_PATH | O_DIRECTORY | O_CLOEXEC);
		return fd < 0 ? -errno : fd;
	}
	fd = caller_open_fd(caller->view, caller->thread, dir);
	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode))) {
		close(fd);
		return -ENOTDIR;
	}
	return fd;
}

int caller_find(struct caller *caller, int start, const char *path, enum caller_end end, struct place *ret_place)
{
	size_t n = strlen(path);
	int base, r;

	place_init(ret_place);
	if (n == 0)
		return -ENOENT;
	if (n >= PATH_MAX)
		return -ENAMETOOLONG;
	base = path[0] == '/' ? caller->view->root : open_dir(caller, start);
	if (base < 0)
		return base;
	r = find(caller, base, path, end, ret_place);
	if (r == 0)
		r = check_end(caller, ret_place);
	if (r < 0)
		place_done(ret_place);
	return r;
}

void place_init(struct place *place)
{
	place->dir = place->target = -1;
	place->name[0] = '\0';
	place->looked = place->exists = false;
}

void place_done(struct place *place)
{
	if (place->dir >= 0)
		close(place->dir);
	if (place->target >= 0)
		close(place->target);
	place_init(place);
}

bool place_look(struct place *place)
{
	if (place->looked)
		return place->exists;
	if (place->target >= 0)
		place->exists = fstat(place->target, &place->found) == 0;
	else
		place->exists = fstatat(place->dir, place->name, &place->found, AT_SYMLINK_NOFOLLOW) == 0;
	place->looked = true;
	return place->exists;
}

bool place_hold(struct place *place, dev_t dev)
{
	if (place->target < 0)
		place->target = openat(place->dir, place->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	place->looked = false;
	return dev && place->target >= 0 && place_look(place) && place->found.st_dev == dev;
}

int place_path(const struct caller_view *view, const struct place *place, char ret_path[PATH_MAX])
{
	int r = real_path(view, place->target >= 0 ? place->target : place->dir, ret_path);
	size_t n = strlen(ret_path), m = strcspn(place->name, "/");

	if (r < 0)
		return r;
	if (place->target >= 0 && ret_path[0] != '/')
		ret_path[0] = '\0'; /* a pipe, a socket: "pipe:[7]" */
	else if (ret_path[0] != '/')
		return -EXDEV;
	if (place->target >= 0 || strcmp(place->name, ".") == 0)
		return 0;
	if (n + 1 + m >= PATH_MAX)
		return -ENAMETOOLONG;
	if (n > 1)
		ret_path[n++] = '/';
	memcpy(ret_path + n, place->name, m);
	ret_path[n + m] = '\0';
	return 0;
}

int place_reopen(const struct caller_view *view, const struct place *place, int flags)
{
	const struct text name = own_fd(place->target);
	int fd = openat(view->proc, name.bytes, flags | O_NOCTTY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

struct text place_target_name(const struct place *place)
{
	return own_fd(place->target);
}

/*
 * Theory of operation. Most paths lead through no symbolic link, and then the path is its own real place, whether there is something or not: one
 * openat2 that refuses links says so, or where the directory that it is in was looked at before, one stat. Else the kernel follows the links and procfs tells where it ended. Only a path that leads
 * through links to nowhere is taken apart: its nearest existing directory is looked for from the end, and when what follows it is a
 * link that dangles, the search goes on from where that points.
 */
#include "engine/look.h"

#include "base/own.h"
#include "base/path.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOOK_PATH_MAX = PATH_BYTES_MAX + 1, LOOK_LINKS_MAX = 40 /* MAXSYMLINKS of the kernel */ };

static enum survey_kind kind_of(mode_t mode)
{
	if (S_ISREG(mode))
		return SURVEY_FILE;
	if (S_ISDIR(mode))
		return SURVEY_DIR;
	return S_ISLNK(mode) ? SURVEY_LINK : SURVEY_OTHER;
}

static void take(const struct stat *st, struct survey_entry *entry)
{
	entry->kind = kind_of(st->st_mode);
	entry->dev = st->st_dev;
	entry->ino = st->st_ino;
	entry->mode = st->st_mode;
	entry->uid = st->st_uid;
	entry->gid = st->st_gid;
}

static int describe(int fd, struct survey_entry *entry)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	take(&st, entry);
	return 0;
}

/* The text of a link, or NULL when path is none. */
static int read_link(struct arena *arena, const char *path, const char **ret_text)
{
	char text[LOOK_PATH_MAX];
	ssize_t n = readlink(path, text, sizeof(text));

	*ret_text = NULL;
	if (n < 0 || (size_t)n >= sizeof(text))
		return 0;
	*ret_text = arena_dup_n(arena, text, (size_t)n);
	return *ret_text ? 0 : -ENOMEM;
}

static int real_place(struct arena *arena, int fd, const char **ret_real)
{
	char real[LOOK_PATH_MAX];
	int r = file_real_path(fd, real, sizeof(real));

	if (r < 0)
		return r;
	*ret_real = arena_dup(arena, real);
	return *ret_real ? 0 : -ENOMEM;
}

static bool is_absence(int r)
{
	return r == -ENOENT || r == -ENOTDIR;
}

/* The real place of the nearest directory above path that exists, and where in path the rest begins (behind the slash). */
static int find_above(struct arena *arena, const char *path, const char **ret_real, const char **ret_rest)
{
	const char *dir = path_parent(arena, path);
	int fd = -1;

	while (dir && is_absence(fd = file_open_path(AT_FDCWD, dir, FILE_LINKS)))
		dir = path_parent(arena, dir);
	if (!dir)
		return -ENOMEM;

	autofd int found = fd;

	*ret_rest = path_below(path, dir);
	return found < 0 ? found : real_place(arena, found, ret_real);
}

/*
 * One step for a path that leads nowhere: top is a real directory, and the first component of rest is absent, or a link that dangles.
 * Gives the path where to go on looking, or NULL when top/rest is the answer, in *ret_path.
 */
static int follow(struct arena *arena, const char *top, const char *rest, const char **ret_next)
{
	size_t len = strcspn(rest, "/");
	const char *name = arena_dup_n(arena, rest, len);
	const char *first = name ? path_join(arena, top, name) : NULL;
	const char *text, *target;

	*ret_next = NULL;
	if (!first)
		return -ENOMEM;

	int r = read_link(arena, first, &text);

	if (r < 0 || !text)
		return r;
	if (text[0] != '/')
		text = arena_printf(arena, "%s/%s", top, text);
	if (!text)
		return -ENOMEM;
	r = path_normalize(arena, text, "/", NULL, &target);
	if (r < 0)
		return r;
	*ret_next = rest[len] ? path_join(arena, target, rest + len + 1) : target;
	return *ret_next ? 0 : -ENAMETOOLONG;
}

/* Where an absent path would be made. */
static int absent_place(struct arena *arena, const char *path, const char **ret_real)
{
	for (int links = 0; links < LOOK_LINKS_MAX; links++) {
		const char *top, *rest, *next = NULL;
		int r = find_above(arena, path, &top, &rest);

		if (r == 0)
			r = follow(arena, top, rest, &next);
		if (r < 0)
			return r;
		if (!next) {
			*ret_real = path_join(arena, top, rest);
			return *ret_real ? 0 : -ENAMETOOLONG;
		}
		path = next;
	}
	return -ELOOP;
}

/* The way with links in it. */
static int look_through_links(struct arena *arena, struct survey_entry *entry)
{
	int r = read_link(arena, entry->path, &entry->link);
	autofd int fd = r < 0 ? -1 : file_open_path(AT_FDCWD, entry->path, FILE_LINKS);

	if (r < 0)
		return r;
	if (is_absence(fd))
		return absent_place(arena, entry->path, &entry->real);
	if (fd < 0)
		return fd;
	r = describe(fd, entry);
	return r < 0 ? r : real_place(arena, fd, &entry->real);
}

static int look_once(struct arena *arena, struct survey_entry *entry)
{
	autofd int fd = file_open_path(AT_FDCWD, entry->path, FILE_NO_LINKS);

	if (fd == -ELOOP)
		return look_through_links(arena, entry);
	entry->real = entry->path;
	if (is_absence(fd))
		return 0;
	return fd < 0 ? fd : describe(fd, entry);
}

/* In a directory that is its own real place, or in nothing. */
static int look_beside(struct arena *arena, const struct survey_entry *parent, struct survey_entry *entry)
{
	struct stat st;

	entry->real = entry->path;
	if (parent->kind == SURVEY_ABSENT)
		return 0;
	if (fstatat(AT_FDCWD, entry->path, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
		return is_absence(-errno) ? 0 : -errno;
	if (S_ISLNK(st.st_mode))
		return look_through_links(arena, entry);
	take(&st, entry);
	return 0;
}

int look_at(struct arena *arena, const char *path, const struct survey_entry *parent, struct survey_entry *ret_entry)
{
	struct survey_entry entry = { .path = path, .kind = SURVEY_ABSENT };
	bool known = parent && parent->real == parent->path && (parent->kind == SURVEY_ABSENT || parent->kind == SURVEY_DIR);
	int r = known ? look_beside(arena, parent, &entry) : look_once(arena, &entry);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		entry = (struct survey_entry){ .path = path, .real = path, .link = entry.link, .kind = SURVEY_UNREADABLE };
	*ret_entry = entry;
	return 0;
}

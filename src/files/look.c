#include "base/glob.h"
#include "base/own.h"
#include "files/resolve.h"
#include "files/stat.h"
#include "files/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

const char *files_cut_name(enum files_cut cut)
{
	static const char *const names[] = { NULL, "entries", "depth", "bytes", "time", "unreadable" };

	return names[cut];
}

struct looking {
	struct arena *arena;
	struct files_list *list;
	const char *prefix;  /* the directory that is walked, "" for the root */
	const char *pattern; /* absolute; NULL: everything */
};

/* The path from the root on, with a '/' in front of it for the sake of glob. */
static char *absolute(struct arena *arena, const char *prefix, const char *path)
{
	return arena_printf(arena, "/%s%s%s", prefix, *prefix && *path ? "/" : "", path);
}

static int add(struct looking *looking, const char *path, const struct stat *st)
{
	struct files_entry *entry = files_entry_vec_add(&looking->list->entries, looking->arena);

	if (!entry)
		return -ENOMEM;
	entry->path = path + 1;
	entry->stat = stat_of(st);
	return WALK_GO;
}

static int visit_entry(void *self, const struct walk_visit *visit)
{
	struct looking *looking = (struct looking *)self;
	const char *path = absolute(looking->arena, looking->prefix, visit->path);
	int r = WALK_GO;

	if (!path)
		return -ENOMEM;
	if (!looking->pattern || glob_match(looking->pattern, path))
		r = add(looking, path, &visit->st);
	if (r == WALK_GO && looking->pattern && S_ISDIR(visit->st.st_mode) && !glob_may_match_below(looking->pattern, path))
		r = WALK_SKIP;
	return r;
}

/* A directory that is walked to show what is in it. */
static int look(const struct files *files, int fd, unsigned depth, struct looking *looking, struct err *err)
{
	struct walk walk = { .entries_max = files->entries_max,
		             .deadline_ms = files->deadline_ms,
		             .depth_max = depth,
		             .visit = visit_entry,
		             .self = looking };
	int r = walk_tree(&walk, fd);

	looking->list->cut = walk.cut;
	if (r == -ENOMEM) {
		looking->list->cut = FILES_CUT_ENTRIES;
		r = 0;
	}
	return r < 0 ? resolve_failed(err, -r, *looking->prefix ? looking->prefix : ".") : 0;
}

int files_list(const struct files *files, const char *path, unsigned depth, struct arena *arena, struct files_list *ret_list,
               struct err *err)
{
	struct files_list list = { 0 };
	char normal[PATH_BYTES_MAX + 1];
	struct looking looking = { .arena = arena, .list = &list };
	unsigned most = files->depth_max < FILES_DEPTH_MAX ? files->depth_max : FILES_DEPTH_MAX;
	int r = files_normalize(path, normal, err);

	if (r < 0)
		return r;
	looking.prefix = strcmp(normal, ".") == 0 ? "" : normal;

	autofd int fd = resolve_path(files, path, O_RDONLY | O_DIRECTORY, err);

	if (fd < 0)
		return fd;
	if (depth == 0)
		return err_set(err, ERR_USAGE, EINVAL, "%s: a depth counts from 1", path);
	r = look(files, fd, depth - 1 < most ? depth - 1 : most, &looking, err);
	if (r < 0)
		return r;
	if (list.cut == FILES_CUT_DEPTH && depth - 1 <= most) /* as deep as was asked for */
		list.cut = FILES_WHOLE;
	*ret_list = list;
	return 0;
}

/* A pattern without any magic: the thing itself. */
static int look_up(const struct files *files, struct looking *looking, struct err *err)
{
	autofd int fd = resolve_open(files->root, looking->pattern[1] ? looking->pattern + 1 : ".", O_PATH | O_NOFOLLOW, 0);
	struct stat st;

	if (fd == -ENOENT || fd == -ENOTDIR)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return resolve_failed(err, fd < 0 ? -fd : errno, looking->pattern + 1);
	return add(looking, looking->pattern, &st) < 0 ? err_set(err, ERR_LIMIT, ENOMEM, "%s", looking->pattern + 1) : 0;
}

int files_glob(const struct files *files, const char *pattern, struct arena *arena, struct files_list *ret_list, struct err *err)
{
	struct files_list list = { 0 };
	struct looking looking = { .arena = arena, .list = &list };
	char normal[PATH_BYTES_MAX + 1];
	char *text, *top;
	size_t n;
	int r = files_normalize(pattern, normal, err);

	if (r < 0)
		return r;
	text = absolute(arena, "", strcmp(normal, ".") == 0 ? "" : normal);
	n = text ? glob_literal_top(text) : 0;
	top = text ? arena_dup_n(arena, text, n) : NULL;
	if (!top)
		return err_set(err, ERR_LIMIT, ENOMEM, "pattern %s", pattern);
	looking.pattern = text;
	looking.prefix = top + 1;
	if (!glob_is_pattern(text)) {
		r = look_up(files, &looking, err);
	} else {
		autofd int fd = resolve_open(files->root, top[1] ? top + 1 : ".", O_RDONLY | O_DIRECTORY, 0);

		if (fd >= 0)
			r = look(files, fd, files->depth_max, &looking, err);
		else if (fd != -ENOENT && fd != -ENOTDIR)
			r = resolve_failed(err, -fd, pattern);
	}
	if (r == 0)
		*ret_list = list;
	return r;
}

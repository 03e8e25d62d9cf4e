/*
 * Theory of operation. Three kinds of questions: single paths are looked at one by one; a listing is the direct entries of a directory; globs
 * are answered by walking. All globs below the same top are answered by one walk. The walk keeps a list of directories still to be
 * read, opened below the top without following links, so that neither depth nor names nor what somebody moves meanwhile can lead it
 * elsewhere; a directory is read only when some pattern can match below it. Walks and listings share one ceiling of entries; when it is
 * reached the survey says where, and the asker decides what that means.
 */
#include "base/glob.h"
#include "base/own.h"
#include "base/path.h"
#include "engine/engine.h"
#include "engine/look.h"
#include "sys/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SURVEY_DEPTH_DEFAULT = 16, SURVEY_ENTRIES_MAX = 200000, SURVEY_WALK_BYTES_MAX = 128 << 20, SURVEY_PARENT_NEAR = 100 };

struct surveyor {
	const struct question_vec *questions;
	struct arena *arena;
	struct survey survey;
	unsigned seen;      /* directory entries so far */
	struct arena names; /* directories still to be read: most of them are of no interest afterwards */
};

/* A directory to be read: its path, and how far below the top it is. */
struct pending {
	const char *path;
	unsigned depth;
};
VEC(struct pending, pending_vec)

struct walk {
	struct surveyor *surveyor;
	const char *top;
	size_t first; /* the first question with this top */
	struct pending_vec pending;
};

static void give_up(struct surveyor *s, const char *path)
{
	if (s->survey.incomplete)
		return;
	s->survey.incomplete = true;
	s->survey.incomplete_at = arena_dup(s->arena, path);
}

/* The answer for the directory that path is in, if it is among the last ones: questions come sorted. The very last entry is path's own. */
static const struct survey_entry *find_parent(const struct survey_vec *entries, const char *path)
{
	size_t slash = (size_t)(strrchr(path, '/') - path), len = slash ? slash : 1;

	for (size_t i = 1; i <= SURVEY_PARENT_NEAR && i < entries->n && path[1]; i++) {
		const struct survey_entry *entry = &entries->at[entries->n - 1 - i];

		if (strncmp(entry->path, path, len) == 0 && !entry->path[len])
			return entry;
	}
	return NULL;
}

static int add_entry(struct surveyor *s, const char *path)
{
	struct survey_entry *entry = survey_vec_add(&s->survey.entries, s->arena);

	return entry ? look_at(s->arena, path, find_parent(&s->survey.entries, path), entry) : -ENOMEM;
}

/* An existing path that answers a question; path is copied. */
static int add_match(struct surveyor *s, struct match_vec *matches, const char *glob, const char *path)
{
	struct survey_match *match = match_vec_add(matches, s->arena);
	const char *copy = arena_dup(s->arena, path);

	if (!match || !copy)
		return -ENOMEM;
	*match = (struct survey_match){ .glob = glob, .path = copy };
	return add_entry(s, copy);
}

/* ---- listings ---- */

static int list(struct surveyor *s, const char *path)
{
	autofd int fd = file_open_path(AT_FDCWD, path, FILE_LINKS);
	autofd int readable = fd < 0 ? -1 : file_open_dir(fd, ".");
	struct file_dir dir;
	const char *name;
	unsigned char type;
	int r = 0;

	if (readable < 0)
		return 0; /* no directory, or none for us: its own entry says so */
	file_dir_init(&dir, readable);
	while (r == 0 && file_dir_next(&dir, &name, &type) > 0) {
		const char *child = path_join(s->arena, path, name);

		if (!child || s->seen++ >= SURVEY_ENTRIES_MAX)
			give_up(s, path);
		if (s->survey.incomplete)
			break;
		r = add_match(s, &s->survey.listings, path, child);
	}
	return r;
}

/* ---- globs ---- */

static unsigned depth_max(const struct survey_question *question)
{
	return question->depth_max ? question->depth_max : SURVEY_DEPTH_DEFAULT;
}

static bool is_of_walk(const struct walk *walk, const struct survey_question *question)
{
	return question->glob && strcmp(question->path, walk->top) == 0;
}

/* Can something in dir, whose entries are at depth, match? */
static bool is_worth_reading(const struct walk *walk, const char *dir, unsigned depth)
{
	const struct question_vec *questions = walk->surveyor->questions;

	for (size_t i = walk->first; i < questions->n; i++) {
		const struct survey_question *q = &questions->at[i];

		if (is_of_walk(walk, q) && depth <= depth_max(q) && glob_may_match_below(q->glob, dir))
			return true;
	}
	return false;
}

static int match_all(struct walk *walk, const char *path, unsigned depth)
{
	struct surveyor *s = walk->surveyor;
	int r = 0;

	for (size_t i = walk->first; i < s->questions->n && r == 0; i++) {
		const struct survey_question *q = &s->questions->at[i];

		if (is_of_walk(walk, q) && depth <= depth_max(q) && glob_match(q->glob, path))
			r = add_match(s, &s->survey.matches, q->glob, path);
	}
	return r;
}

static void add_pending(struct walk *walk, const char *dir, unsigned depth)
{
	if (!is_worth_reading(walk, dir, depth))
		return;

	const char *copy = arena_dup(&walk->surveyor->names, dir);
	struct pending *pending = copy ? pending_vec_add(&walk->pending, &walk->surveyor->names) : NULL;

	if (pending)
		*pending = (struct pending){ .path = copy, .depth = depth };
	else
		give_up(walk->surveyor, dir);
}

/* File systems that do not tell types with the names must be asked. */
static bool is_directory(int fd, const char *name, unsigned char type)
{
	struct stat st;

	if (type != DT_UNKNOWN)
		return type == DT_DIR;
	return fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* path/name, for as long as this entry is looked at. NULL when no path can be that long. */
static const char *entry_path(char room[PATH_BYTES_MAX + 1], const char *dir, const char *name)
{
	size_t dir_len = dir[1] ? strlen(dir) : 0, name_len = strlen(name);

	if (dir_len + 1 + name_len > PATH_BYTES_MAX)
		return NULL;
	memcpy(room, dir, dir_len);
	room[dir_len] = '/';
	memcpy(room + dir_len + 1, name, name_len + 1);
	return room;
}

static int read_one(struct walk *walk, int fd, struct pending dir)
{
	struct surveyor *s = walk->surveyor;
	char room[PATH_BYTES_MAX + 1];
	struct file_dir reader;
	const char *name;
	unsigned char type;
	int r = 0;

	file_dir_init(&reader, fd);
	while (r == 0 && file_dir_next(&reader, &name, &type) > 0) {
		const char *path = entry_path(room, dir.path, name);

		if (!path || s->seen++ >= SURVEY_ENTRIES_MAX) {
			give_up(s, dir.path);
			break;
		}
		r = match_all(walk, path, dir.depth);
		if (r == 0 && is_directory(fd, name, type))
			add_pending(walk, path, dir.depth + 1);
	}
	return r;
}

/* Reads directory after directory, the last found first. One that is gone or not ours to read has nothing to tell. */
static int walk_below(struct walk *walk, int top)
{
	int r = 0;

	add_pending(walk, walk->top, 1);
	while (r == 0 && walk->pending.n && !walk->surveyor->survey.incomplete) {
		struct pending dir = walk->pending.at[--walk->pending.n];
		const char *below = path_below(dir.path, walk->top);
		autofd int fd = file_open_dir_below(top, below && *below ? below : ".");

		if (fd >= 0)
			r = read_one(walk, fd, dir);
	}
	return r;
}

static int walk_from(struct surveyor *s, size_t first)
{
	const char *top = s->questions->at[first].path;
	struct walk walk = { .surveyor = s, .top = top, .first = first };
	autofd int fd = file_open_path(AT_FDCWD, top, FILE_LINKS);

	if (fd < 0)
		return 0;
	return walk_below(&walk, fd);
}

static bool is_first_with_top(const struct surveyor *s, size_t i)
{
	const struct walk walk = { .top = s->questions->at[i].path };

	for (size_t j = 0; j < i; j++)
		if (is_of_walk(&walk, &s->questions->at[j]))
			return false;
	return true;
}

static int answer(struct surveyor *s, size_t i)
{
	const struct survey_question *question = &s->questions->at[i];
	int r = add_entry(s, question->path);

	if (r == 0 && question->list)
		r = list(s, question->path);
	if (r == 0 && question->glob && is_first_with_top(s, i))
		r = walk_from(s, i);
	return r;
}

int engine_survey(const struct question_vec *questions, struct arena *arena, struct survey *ret_survey, struct err *err)
{
	struct surveyor s = { .questions = questions, .arena = arena };
	size_t i = 0;
	int r = 0;

	arena_init(&s.names, SURVEY_WALK_BYTES_MAX);
	while (i < questions->n && r == 0)
		r = answer(&s, i++);
	arena_done(&s.names);
	if (r < 0)
		return err_set(err, ERR_LIMIT, -r, "too many paths to look at, the last below %s", questions->at[i - 1].path);
	survey_finish(&s.survey);
	*ret_survey = s.survey;
	return 0;
}

#include "files/walk.h"

#include "base/own.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The names of all directories on the way to where the walk is, and the path. */
struct state {
	struct walk *walk;
	struct str path;
	uint64_t seen;
};

/* Names of one directory, behind each other, and where each begins. */
struct names {
	struct str text;
	size_t *at;
	size_t n, room;
};

enum { NAMES_BYTES_MAX = 64 << 20, PATH_TEXT_MAX = (FILES_DEPTH_MAX + 2) * (PATH_NAME_MAX + 1) };

static void cut(struct walk *walk, enum files_cut why)
{
	if (walk->cut == FILES_WHOLE)
		walk->cut = why;
}

static void names_done(struct names *names)
{
	str_done(&names->text);
	free(names->at);
}

static int names_add(struct names *names, const char *name)
{
	if (names->n == names->room) {
		size_t room = names->room ? names->room * 2 : 64;
		size_t *at = reallocarray(names->at, room, sizeof(*at));

		if (!at)
			return -ENOMEM;
		names->at = at;
		names->room = room;
	}
	names->at[names->n++] = names->text.len;
	str_add_n(&names->text, name, strlen(name) + 1);
	return names->text.failed ? -ENOMEM : 0;
}

static int compare(const void *a, const void *b, void *text)
{
	return strcmp((const char *)text + *(const size_t *)a, (const char *)text + *(const size_t *)b);
}

/* Reads the names that the ceiling leaves room for. */
static int read_names(struct state *state, int fd, struct names *names)
{
	struct file_dir dir;
	const char *name;
	unsigned char type;
	int r;

	file_dir_init(&dir, fd);
	while ((r = file_dir_next(&dir, &name, &type)) > 0) {
		if (state->seen == state->walk->entries_max) {
			cut(state->walk, FILES_CUT_ENTRIES);
			break;
		}
		state->seen++;
		if ((r = names_add(names, name)) < 0)
			break;
	}
	if (names->n > 1)
		qsort_r(names->at, names->n, sizeof(*names->at), compare, names->text.text);
	return r < 0 ? r : 0;
}

static int walk_directory(struct state *state, struct walk_visit *at, int fd, unsigned depth);

static bool out_of_time(const struct walk *walk)
{
	return walk->deadline_ms && files_now_ms() >= walk->deadline_ms;
}

static int enter(struct state *state, struct walk_visit *visit, unsigned depth)
{
	struct walk *walk = state->walk;

	if (depth >= walk->depth_max || depth >= FILES_DEPTH_MAX) {
		cut(walk, FILES_CUT_DEPTH);
		return WALK_GO;
	}

	autofd int fd = file_open_dir(visit->dir, visit->name);

	if (fd >= 0)
		return walk_directory(state, visit, fd, depth + 1);
	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP) /* replaced since we looked */
		return WALK_GO;
	if (walk->unreadable)
		return walk->unreadable(walk->self, visit, -fd);
	cut(walk, FILES_CUT_UNREADABLE);
	return WALK_GO;
}

static int visit_name(struct state *state, int dir, const char *name, unsigned depth)
{
	struct walk_visit visit = { .dir = dir, .name = name };
	size_t len = state->path.len;
	int r;

	if (out_of_time(state->walk)) {
		cut(state->walk, FILES_CUT_TIME);
		return WALK_STOP;
	}
	if (fstatat(dir, name, &visit.st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? WALK_GO : -errno;
	if (len > 0)
		str_add_char(&state->path, '/');
	str_add(&state->path, name);
	if (state->path.failed)
		return -ENOMEM;
	visit.path = state->path.text;
	r = state->walk->visit(state->walk->self, &visit);
	if (r == WALK_GO && S_ISDIR(visit.st.st_mode))
		r = enter(state, &visit, depth);
	state->path.len = len;
	state->path.text[len] = '\0';
	return r == WALK_SKIP ? WALK_GO : r;
}

/* Recursion: depth_max deep, which is at most FILES_DEPTH_MAX. */
static int walk_directory(struct state *state, struct walk_visit *at, int fd, unsigned depth)
{
	__attribute__((cleanup(names_done))) struct names names = { 0 };
	int r;

	str_init(&names.text, NAMES_BYTES_MAX);
	r = read_names(state, fd, &names);
	for (size_t i = 0; i < names.n && r == WALK_GO; i++)
		r = visit_name(state, fd, names.text.text + names.at[i], depth);
	at->path = state->path.text;
	if (r == WALK_GO && state->walk->leave)
		r = state->walk->leave(state->walk->self, at, fd);
	return r;
}

int walk_tree(struct walk *walk, int top)
{
	struct state state = { .walk = walk };
	struct walk_visit at = { .dir = top, .name = "." };
	int r;

	str_init(&state.path, PATH_TEXT_MAX);
	if (fstat(top, &at.st) < 0)
		return -errno;
	r = walk_directory(&state, &at, top, 0);
	str_done(&state.path);
	return r < 0 ? r : 0;
}

/*
 * Theory of operation. Two stacks share layers at their bottom; a path that no other layer names is the same in both. So a directory's
 * candidates are the names that the layers above the shared ones have there, whiteouts included. Where such a layer hides what is below it
 * (an opaque directory, a file in a directory's place), and where the directory is in one state alone, all names of both are candidates. Directories wait in a list:
 * no recursion and one descriptor, whatever the depth.
 */
#include "workspace/changes.h"

#include "base/own.h"
#include "base/path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARENA_MAX ((size_t)1 << 30)

struct pending {
	const char *path;
	bool in_before, in_after;
	size_t before_floor, after_floor;
};
VEC(struct pending, pending_vec)

struct walk {
	struct changes *changes;
	size_t common;
	struct pending_vec pending;
};

void changes_init(struct changes *changes, const struct stack *before, const struct stack *after)
{
	*changes = (struct changes){ .before = *before, .after = *after };
	arena_init(&changes->arena, ARENA_MAX);
}

void changes_done(struct changes *changes)
{
	arena_done(&changes->arena);
	changes->list = (struct change_vec){ 0 };
}

bool change_shows(const struct change *change)
{
	return change->kind != CHANGE_MODIFIED || (change->what & ~(unsigned)CHANGE_TIME);
}

static bool is_same_inode(const struct entry *a, const struct entry *b)
{
	return a->dev == b->dev && a->ino == b->ino;
}

/* One file's attributes and, where sizes leave it open, content against the other's. */
static int compare_open(int a, int b, const struct entry *sized, unsigned *what)
{
	uint64_t x = 0, y = 0;
	bool same = true;
	int r = entry_attributes(a, &x);

	if (r == 0)
		r = entry_attributes(b, &y);
	if (r == 0 && sized)
		r = content_compare(a, b, sized->size, &same);
	if (r < 0)
		return r;
	*what |= (x != y ? CHANGE_ATTRIBUTES : 0u) | (same ? 0u : CHANGE_CONTENT);
	return 0;
}

static int compare_bodies(const struct stack_place *before, const struct stack_place *after, struct change *change)
{
	bool files = after->entry.kind == ENTRY_FILE, sized = files && before->entry.size == after->entry.size;

	if (files && !sized)
		change->what |= CHANGE_CONTENT;
	autofd int a = sized ? entry_open_seen(before->dir, before->name, NULL) : entry_open_path(before->dir, before->name);
	autofd int b = sized ? entry_open_seen(after->dir, after->name, NULL) : entry_open_path(after->dir, after->name);

	if (a < 0 || b < 0)
		return a < 0 ? a : b;
	return compare_open(a, b, sized ? &before->entry : NULL, &change->what);
}

static int compare_links(struct arena *arena, const struct stack_place *before, const struct stack_place *after, struct change *change)
{
	const char *a, *b;
	int r = entry_read_link(before->dir, before->name, arena, &a);

	if (r == 0)
		r = entry_read_link(after->dir, after->name, arena, &b);
	if (r == 0 && strcmp(a, b) != 0)
		change->what |= CHANGE_TARGET;
	return r;
}

static int compare(struct arena *arena, const struct stack_place *before, const struct stack_place *after, struct change *change)
{
	const struct entry *a = &before->entry, *b = &after->entry;
	int r = 0;

	if (a->type != b->type) {
		change->what = CHANGE_TYPE;
		return 0;
	}
	if (a->mode != b->mode && a->kind != ENTRY_LINK)
		change->what |= CHANGE_MODE;
	if (a->mtime_ns != b->mtime_ns)
		change->what |= CHANGE_TIME;
	if (a->kind == ENTRY_OTHER && a->rdev != b->rdev)
		change->what |= CHANGE_CONTENT;
	if (is_same_inode(a, b) || a->kind == ENTRY_OTHER)
		return 0;
	r = a->kind == ENTRY_LINK ? compare_links(arena, before, after, change) : compare_bodies(before, after, change);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		change->fault = -r;
		change->what |= CHANGE_CONTENT;
	}
	return 0;
}

int changes_note(struct changes *changes, const char *path, const struct stack_place *before, const struct stack_place *after)
{
	struct change change = {
		.path = path,
		.before = before->entry,
		.after = after->entry,
		.before_layer = before->layer,
		.after_layer = after->layer,
		.kind = CHANGE_MODIFIED,
	};
	int r = 0;

	if (before->entry.kind == ENTRY_NONE && after->entry.kind == ENTRY_NONE)
		return 0;
	if (before->entry.kind == ENTRY_NONE)
		change.kind = CHANGE_ADDED;
	else if (after->entry.kind == ENTRY_NONE)
		change.kind = CHANGE_DELETED;
	else
		r = compare(&changes->arena, before, after, &change);
	if (r < 0 || (change.kind == CHANGE_MODIFIED && change.what == 0))
		return r;
	struct change *slot = change_vec_add(&changes->list, &changes->arena);

	if (!slot)
		return -ENOMEM;
	*slot = change;
	return 0;
}

/* One directory, in both states. */
struct place {
	const char *path;
	struct stack_dir before, after; /* where it is not, nothing is open */
};

static int visit(struct walk *walk, const struct place *place, const char *name)
{
	struct changes *changes = walk->changes;
	const char *path = *place->path ? arena_printf(&changes->arena, "%s/%s", place->path, name) : name;
	struct stack_place before, after;

	if (!path)
		return -ENOMEM;
	if (strlen(path) > PATH_BYTES_MAX) {
		changes->too_deep++;
		return 0;
	}
	int r = stack_dir_child(&place->before, name, &before);

	if (r == 0)
		r = stack_dir_child(&place->after, name, &after);
	if (r == 0)
		r = changes_note(changes, path, &before, &after);
	if (r < 0 || (before.entry.kind != ENTRY_DIR && after.entry.kind != ENTRY_DIR))
		return r;
	struct pending *next = pending_vec_add(&walk->pending, &changes->arena);

	if (!next)
		return -ENOMEM;
	*next = (struct pending){ .path = path,
		                  .in_before = before.entry.kind == ENTRY_DIR,
		                  .in_after = after.entry.kind == ENTRY_DIR,
		                  .before_floor = before.floor,
		                  .after_floor = after.floor };
	return 0;
}

/* The names that may differ. */
static int list_candidates(const struct walk *walk, const struct pending *dir, struct text_vec *names)
{
	struct changes *changes = walk->changes;
	bool shows = dir->in_before && dir->in_after && dir->before_floor < walk->common && dir->after_floor < walk->common;
	/* Where both show the shared layers from the same floor on, these say the same to both. */
	bool all = !shows || dir->before_floor != dir->after_floor;
	int r = 0;

	if (dir->in_before)
		r = stack_names(&changes->before, all ? dir->before_floor : walk->common, dir->path, &changes->arena, names);
	if (r == 0 && dir->in_after)
		r = stack_names(&changes->after, all ? dir->after_floor : walk->common, dir->path, &changes->arena, names);
	entry_sort_names(names);
	return r;
}

static int by_path(const void *a, const void *b)
{
	const struct change *x = a, *y = b;

	return strcmp(x->path, y->path);
}

void changes_sort(struct changes *changes)
{
	if (changes->list.n)
		qsort(changes->list.at, changes->list.n, sizeof(*changes->list.at), by_path);
}

int changes_note_fault(struct changes *changes, const char *path, int errnum)
{
	struct change *slot = change_vec_add(&changes->list, &changes->arena);

	if (!slot)
		return -ENOMEM;
	*slot = (struct change){ .path = path,
		                 .kind = CHANGE_MODIFIED,
		                 .what = CHANGE_CONTENT,
		                 .before.kind = ENTRY_DIR,
		                 .after.kind = ENTRY_DIR,
		                 .fault = errnum };
	return 0;
}

static int open_side(const struct stack *stack, bool present, size_t floor, const char *path, struct stack_dir *ret_dir)
{
	ret_dir->n = ret_dir->floor = 0;
	return present ? stack_dir_open(stack, floor, path, ret_dir) : 0;
}

static int visit_all(struct walk *walk, const struct pending *dir, const struct text_vec *names)
{
	struct place place = { .path = dir->path };
	int r = open_side(&walk->changes->before, dir->in_before, dir->before_floor, dir->path, &place.before);

	if (r < 0)
		return r;
	r = open_side(&walk->changes->after, dir->in_after, dir->after_floor, dir->path, &place.after);
	if (r == 0) {
		for (size_t i = 0; r == 0 && i < names->n; i++)
			r = visit(walk, &place, names->at[i]);
		stack_dir_close(&place.after);
	}
	stack_dir_close(&place.before);
	return r;
}

static int walk_all(struct walk *walk)
{
	while (walk->pending.n > 0) {
		struct pending dir = walk->pending.at[--walk->pending.n];
		struct text_vec names = { 0 };
		int r = list_candidates(walk, &dir, &names);

		if (r == 0 && names.n)
			r = visit_all(walk, &dir, &names);
		if (r == -EACCES) /* a directory that its owner has closed, even to itself */
			r = changes_note_fault(walk->changes, dir.path, EACCES);
		if (r < 0)
			return r;
	}
	return 0;
}

int changes_between(const struct stack *before, const struct stack *after, struct changes *ret_changes, struct err *err)
{
	struct changes changes;
	struct walk walk = { .changes = &changes, .common = stack_common(before, after) };

	changes_init(&changes, before, after);
	struct pending *top = pending_vec_add(&walk.pending, &changes.arena);
	int r = top ? 0 : -ENOMEM;

	if (top)
		*top = (struct pending){ .path = "", .in_before = before->n > 0, .in_after = after->n > 0 };
	if (r == 0)
		r = walk_all(&walk);
	if (r == 0)
		changes_sort(&changes);
	if (r == 0)
		r = changes_find_renames(&changes);
	if (r < 0) {
		changes_done(&changes);
		return err_set(err, r == -ENOMEM ? ERR_LIMIT : ERR_SETUP, -r, "cannot list the changes: %s",
		               r == -ENOMEM ? "there are too many" : strerror(-r));
	}
	*ret_changes = changes;
	return 0;
}

struct change *changes_find(const struct changes *changes, const char *path)
{
	struct change key = { .path = path };

	return changes->list.n ? bsearch(&key, changes->list.at, changes->list.n, sizeof(key), by_path) : NULL;
}

/*
 * Theory of operation. A stage is a copy of what was below. The manifest says how each thing of it looked when the copy was ready; what looks the same is not
 * read again, for a ctime cannot be set. It also says which file of the base was copied, so that a later look can tell whether the base
 * still is what the stage came from.
 */
#include "base/own.h"
#include "base/path.h"
#include "workspace/keep.h"
#include "workspace/part.h"
#include "workspace/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_MAX ((size_t)1 << 30)

struct filling {
	struct stage_entry_vec entries;
	struct arena *arena;
};

static int note_copied(void *data, const char *path, const struct entry *source)
{
	struct filling *filling = data;
	struct stage_entry *entry = stage_entry_vec_add(&filling->entries, filling->arena);

	if (!entry)
		return -ENOMEM;
	entry->path = path;
	entry->base_ino = source->ino;
	entry->base_ctime_ns = source->ctime_ns;
	return 0;
}

static void put_entry(const struct stage_entry *entry, struct str *out)
{
	const struct entry *staged = &entry->staged;

	str_printf(out, "%u %u %llu %llu %lld %lld %llu %lld ", staged->type, staged->mode, (unsigned long long)staged->size,
	           (unsigned long long)staged->ino, (long long)staged->mtime_ns, (long long)staged->ctime_ns,
	           (unsigned long long)entry->base_ino, (long long)entry->base_ctime_ns);
	keep_put_path(out, entry->path);
	str_add_char(out, '\n');
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct stage_entry *)a)->path, ((const struct stage_entry *)b)->path);
}

static int write_manifest(struct workspace *workspace, struct stage_entry_vec *entries)
{
	autostr struct str out = { 0 };
	int r = 0;

	str_init(&out, KEEP_LIST_MAX);
	keep_list_start(&out, "manifest");
	if (entries->n)
		qsort(entries->at, entries->n, sizeof(*entries->at), by_path);
	for (size_t i = 0; r == 0 && i < entries->n; i++) {
		r = entry_look(workspace->top, entries->at[i].path, &entries->at[i].staged);
		put_entry(&entries->at[i], &out);
	}
	return r < 0 ? r : keep_list_write(workspace->dir, "manifest", &out);
}

int stage_fill(struct workspace *workspace, struct err *err)
{
	struct stack below;
	struct arena arena;
	struct filling filling = { .arena = &arena };
	struct tree_copy copy = { .from = &below, .to = workspace->top, .twins = -1, .note = note_copied, .data = &filling };
	const char *path = "";
	int r = workspace_stack(workspace, workspace->record.below, &below, err);

	if (r < 0)
		return r;
	arena_init(&arena, ARENA_MAX);
	r = tree_copy(&copy, &arena, &path);
	if (r < 0)
		err_set(err, ERR_SETUP, -r, "%s/%s: cannot be copied into the workspace: %s",
		        workspace->record.base ? workspace->record.base : "", path, strerror(-r));
	else if ((r = write_manifest(workspace, &filling.entries)) < 0)
		err_set(err, ERR_SETUP, -r, "workspace %s: its manifest cannot be written: %s", workspace->record.id, strerror(-r));
	arena_done(&arena);
	return r;
}

static bool read_entry(char *line, struct stage_entry *entry)
{
	struct entry *staged = &entry->staged;
	uint64_t type, mode;

	if (!keep_take_unsigned(&line, &type) || !keep_take_unsigned(&line, &mode) || !keep_take_unsigned(&line, &staged->size) ||
	    !keep_take_unsigned(&line, &staged->ino) || !keep_take_number(&line, &staged->mtime_ns))
		return false;
	staged->type = (uint32_t)type;
	staged->mode = (uint32_t)mode;
	if (!keep_take_number(&line, &staged->ctime_ns) || !keep_take_unsigned(&line, &entry->base_ino) ||
	    !keep_take_number(&line, &entry->base_ctime_ns))
		return false;
	entry->path = keep_take_path(&line);
	return entry->path && !line;
}

int stage_manifest(struct workspace *workspace, struct arena *arena, struct stage_entry_vec *ret_entries, struct err *err)
{
	struct stage_entry_vec entries = { 0 };
	struct keep_text lines;
	char *line;
	int r = keep_list_read(workspace->dir, "manifest", "manifest", arena, &lines);

	while (r == 0 && (line = keep_line(&lines))) {
		struct stage_entry *entry = stage_entry_vec_add(&entries, arena);

		if (!entry)
			r = -ENOMEM;
		else if (!read_entry(line, entry))
			r = -EBADMSG;
	}
	if (r < 0)
		return err_set(err, r == -ENOMEM ? ERR_LIMIT : ERR_POLICY, -r,
		               "workspace %s is broken: its manifest cannot be read; `coffer discard %s` removes it", workspace->record.id,
		               workspace->record.id);
	*ret_entries = entries;
	return 0;
}

const struct stage_entry *stage_find(const struct stage_entry_vec *entries, const char *path)
{
	struct stage_entry key = { .path = path };

	return entries->n ? bsearch(&key, entries->at, entries->n, sizeof(key), by_path) : NULL;
}

static bool is_untouched(const struct stage_entry *known, const struct entry *now)
{
	const struct entry *then = &known->staged;

	return then->type == now->type && then->mode == now->mode && then->size == now->size && then->ino == now->ino &&
	       then->mtime_ns == now->mtime_ns && then->ctime_ns == now->ctime_ns;
}

static int add_path(struct changes *changes, const char *dir, const char *name, struct text_vec *paths)
{
	const char *path = *dir ? arena_printf(&changes->arena, "%s/%s", dir, name) : name;
	const char **slot = path && strlen(path) <= PATH_BYTES_MAX ? text_vec_add(paths, &changes->arena) : NULL;

	if (!path)
		return -ENOMEM;
	if (slot)
		*slot = path;
	else
		changes->too_deep++;
	return 0;
}

/* All paths below the stage, in any order. The list is also the list of what is still to be looked into. */
static int list_stage(struct changes *changes, struct text_vec *paths)
{
	const char *dir = "";
	size_t next = 0;

	for (;;) {
		struct text_vec names = { 0 };
		int r = entry_names(changes->after.fd[0], dir, &changes->arena, &names);

		if (r == -EACCES)
			r = changes_note_fault(changes, dir, EACCES);
		for (size_t i = 0; r == 0 && i < names.n; i++)
			r = add_path(changes, dir, names.at[i], paths);
		if (r < 0 || next == paths->n)
			return r;
		dir = paths->at[next++];
	}
}

struct comparing {
	struct changes *changes;
	struct stack below; /* what the stage was filled from */
};

/* As it was filled, and filled from the base. What came from a layer differs from the base all the same. */
static int is_of_base(const struct comparing *comparing, const struct stage_entry *known, const struct entry *now)
{
	struct stack_place place;
	int r;

	if (!known || !is_untouched(known, now))
		return 0;
	if (comparing->below.n == 1)
		return 1;
	r = stack_find(&comparing->below, known->path, &place);
	return r < 0 ? r : place.entry.kind == ENTRY_NONE || place.layer == 0;
}

/* One path that the stage, the manifest, a layer below, or several of them have. */
static int compare_one(const struct comparing *comparing, const char *path, const struct stage_entry *known)
{
	struct changes *changes = comparing->changes;
	struct stack_place before, after;
	int r = stack_find(&changes->after, path, &after);

	if (r == 0)
		r = is_of_base(comparing, known, &after.entry);
	if (r != 0)
		return r < 0 ? r : 0;
	r = stack_find(&changes->before, path, &before);
	return r < 0 ? r : changes_note(changes, path, &before, &after);
}

/* What the layers below have taken away is in neither of the lists. */
static int add_hidden(struct comparing *comparing, struct text_vec *paths)
{
	struct changes *changes = comparing->changes;
	struct changes lower = { 0 };
	int r = comparing->below.n == 1 ? 0 : changes_between(&changes->before, &comparing->below, &lower, NULL);

	for (size_t i = 0; r == 0 && i < lower.list.n; i++) {
		const char **slot = lower.list.at[i].kind == CHANGE_DELETED ? text_vec_add(paths, &changes->arena) : NULL;

		if (slot && !(*slot = arena_dup(&changes->arena, lower.list.at[i].path)))
			r = -ENOMEM;
	}
	changes_done(&lower);
	return r;
}

/* Two sorted lists, walked side by side. */
static int compare_all(const struct comparing *comparing, const struct text_vec *paths, const struct stage_entry_vec *entries)
{
	size_t i = 0, k = 0;
	int r = 0;

	while (r == 0 && (i < paths->n || k < entries->n)) {
		int order = i == paths->n ? 1 : k == entries->n ? -1 : strcmp(paths->at[i], entries->at[k].path);

		r = compare_one(comparing, order <= 0 ? paths->at[i] : entries->at[k].path, order >= 0 ? &entries->at[k] : NULL);
		i += order <= 0;
		k += order >= 0;
	}
	return r;
}

static int compare_lists(struct comparing *comparing, const struct stage_entry_vec *entries)
{
	struct text_vec paths = { 0 };
	int r = list_stage(comparing->changes, &paths);

	if (r == 0)
		r = add_hidden(comparing, &paths);
	entry_sort_names(&paths);
	if (r == 0)
		r = compare_all(comparing, &paths, entries);
	changes_sort(comparing->changes);
	return r < 0 ? r : changes_find_renames(comparing->changes);
}

int stage_changes(struct workspace *workspace, struct changes *ret_changes, struct err *err)
{
	struct stack base, stage = { .fd = { workspace->top }, .n = 1 };
	struct stage_entry_vec entries;
	struct changes changes;
	struct comparing comparing = { .changes = &changes };
	int r = workspace_stack(workspace, 0, &base, err);

	if (r == 0)
		r = workspace_stack(workspace, workspace->record.below, &comparing.below, err);
	if (r < 0)
		return r;
	changes_init(&changes, &base, &stage);
	r = stage_manifest(workspace, &changes.arena, &entries, err);
	if (r == 0) {
		r = compare_lists(&comparing, &entries);
		if (r < 0)
			err_set(err, r == -ENOMEM ? ERR_LIMIT : ERR_SETUP, -r, "cannot list the changes: %s", strerror(-r));
	}
	if (r < 0) {
		changes_done(&changes);
		return r;
	}
	*ret_changes = changes;
	return 0;
}

#include "workspace/layers.h"

#include "base/own.h"
#include "base/utf8.h"
#include "sys/file.h"
#include "workspace/clock.h"
#include "workspace/keep.h"
#include "workspace/part.h"
#include "workspace/seal.h"
#include "workspace/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ARENA_MAX ((size_t)1 << 30)

static int fail(const struct workspace *workspace, int r, const char *deed, struct err *err)
{
	return err_set(err, ERR_SETUP, -r, "workspace %s: %s: %s", workspace->record.id, deed, strerror(-r));
}

/* What is no UTF-8 is not kept as such: the record could not be read with it. */
static char *dup_label(struct arena *arena, const char *label)
{
	size_t n = strnlen(label, WORKSPACE_LABEL_MAX), at = 0;
	char *copy = arena_dup_n(arena, label, n);

	while (copy && at < n) {
		uint32_t code;
		size_t step = utf8_take(copy + at, n - at, &code);

		if (step == 0)
			copy[at] = '?';
		if (at + (step ? step : 1) >= WORKSPACE_LABEL_MAX)
			break;
		at += step ? step : 1;
	}
	if (copy)
		copy[at] = '\0';
	return copy;
}

/* A new layer in the record; not yet in the file. */
static struct workspace_layer *add_layer(struct workspace *workspace, uint64_t parent, const char *label)
{
	struct workspace_record *record = &workspace->record;
	struct workspace_layer *layers = arena_array(&workspace->arena, record->layers_n + 1, sizeof(*layers)), *layer;
	struct workspace_clock clock;

	if (!layers || record->layers_n == WORKSPACE_LAYERS_MAX)
		return NULL;
	if (record->layers_n)
		memcpy(layers, record->layers, record->layers_n * sizeof(*layers));
	layer = &layers[record->layers_n];
	layer->number = record->last + 1;
	layer->parent = parent;
	layer->home = record->id;
	layer->label = dup_label(&workspace->arena, label ? label : "");
	if (!layer->label || clock_read(&layer->created_ns, &clock) < 0)
		return NULL;
	record->layers = layers;
	record->layers_n++;
	record->last++;
	return layer;
}

static int no_layer(const struct workspace *workspace, struct err *err)
{
	return err_set(err, ERR_LIMIT, ENOMEM, "workspace %s: no further layer: at most %d", workspace->record.id, WORKSPACE_LAYERS_MAX);
}

static void layer_path(uint64_t number, char ret_path[32])
{
	snprintf(ret_path, 32, "layers/%llu", (unsigned long long)number);
}

static int rename_top(struct workspace *workspace, const char *label, uint64_t *ret_number, struct err *err)
{
	struct workspace_layer *layer = add_layer(workspace, workspace->record.below, label);
	char path[32];
	int r;

	if (!layer)
		return no_layer(workspace, err);
	workspace->record.below = *ret_number = layer->number;
	layer_path(layer->number, path);
	(void)file_remove_tree(workspace->dir, path); /* of a copy that was cut short */
	r = record_store(workspace->dir, &workspace->record, err);
	if (r < 0)
		return r;
	own_close(&workspace->top);
	return workspace_open_top(workspace, err); /* which does the rest */
}

/* A fresh directory for a layer that is being made. */
static int open_new(struct workspace *workspace, struct err *err)
{
	int fd, r = file_remove_tree(workspace->dir, "layers/new");

	if ((r < 0 && r != -ENOENT) || (mkdirat(workspace->dir, "layers/new", 0700) < 0 && (r = -errno)))
		return fail(workspace, r, "a layer cannot be made", err);
	fd = entry_open_dir(workspace->dir, "layers/new");
	return fd < 0 ? fail(workspace, fd, "a layer cannot be made", err) : fd;
}

static int name_new(struct workspace *workspace, uint64_t number, struct err *err)
{
	char path[32];

	layer_path(number, path);
	(void)file_remove_tree(workspace->dir, path);
	if (renameat(workspace->dir, "layers/new", workspace->dir, path) < 0)
		return fail(workspace, -errno, "a layer cannot be named", err);
	return 0;
}

/* One layer out of several, in the directory `to`. */
static int flatten(struct workspace *workspace, const struct stack *from, int to, int twins, struct err *err)
{
	struct tree_copy copy = { .from = from, .to = to, .marks = true, .twins = twins };
	struct arena arena;
	const char *path = "";
	int r;

	arena_init(&arena, ARENA_MAX);
	r = tree_copy(&copy, &arena, &path);
	if (r < 0)
		err_set(err, ERR_SETUP, -r, "workspace %s: %s cannot be copied into a layer: %s", workspace->record.id, *path ? path : "it",
		        strerror(-r));
	arena_done(&arena);
	return r;
}

/* The latest layer that was copied from what lies on the same one: the place to look for unchanged files. */
static int open_twin(struct workspace *workspace)
{
	const struct workspace_record *record = &workspace->record;
	char path[32];

	for (size_t i = record->layers_n; i-- > 0;) {
		if (record->layers[i].parent != record->below || strcmp(record->layers[i].home, record->id) != 0)
			continue;
		layer_path(record->layers[i].number, path);
		return entry_open_dir(workspace->dir, path);
	}
	return -1;
}

static int copy_top(struct workspace *workspace, const char *label, uint64_t *ret_number, struct err *err)
{
	bool staged = workspace->record.mode == WORKSPACE_STAGE;
	struct stack upper = { .fd = { -1, workspace->top }, .n = 2 };
	autofd int to = open_new(workspace, err);
	autofd int twin = open_twin(workspace);
	int r = to;

	/* What the stage is filled from next is no proof of how the base was. */
	if (r >= 0 && staged)
		r = workspace_seal(workspace, err);
	if (r >= 0)
		r = staged ? stage_layer(workspace, to, err) : flatten(workspace, &upper, to, twin, err);
	if (r < 0)
		return r;
	/* A stage is compared with the base, whatever layer it was filled from. */
	struct workspace_layer *layer = add_layer(workspace, staged ? 0 : workspace->record.below, label);

	if (!layer)
		return no_layer(workspace, err);
	*ret_number = layer->number;
	r = name_new(workspace, layer->number, err);
	return r < 0 ? r : record_store(workspace->dir, &workspace->record, err);
}

int workspace_add_layer(struct workspace *workspace, int (*fill)(void *data, int layer, struct err *err), void *data, uint64_t *ret_number,
                        struct err *err)
{
	autofd int to = open_new(workspace, err);
	int r = to < 0 ? to : fill(data, to, err);
	struct workspace_layer *layer = r < 0 ? NULL : add_layer(workspace, 0, "");

	if (r < 0)
		return r;
	if (!layer)
		return no_layer(workspace, err);
	*ret_number = layer->number;
	r = name_new(workspace, layer->number, err);
	return r < 0 ? r : record_store(workspace->dir, &workspace->record, err);
}

int workspace_checkpoint(struct workspace *workspace, enum checkpoint_way way, const char *label, uint64_t *ret_number, struct err *err)
{
	int r = workspace_need_lock(workspace, err);

	if (r == 0 && way == CHECKPOINT_RENAME && workspace->record.mode == WORKSPACE_OVERLAY)
		r = rename_top(workspace, label, ret_number, err);
	else if (r == 0)
		r = copy_top(workspace, label, ret_number, err);
	if (r == 0 && workspace_depth(workspace) > LAYERS_DEEP)
		r = workspace_squash(workspace, err);
	return r;
}

static int need_layer(const struct workspace *workspace, uint64_t number, struct err *err)
{
	if (number && !record_layer(&workspace->record, number))
		return err_set(err, ERR_NOTFOUND, ENOENT, "workspace %s has no layer @%llu", workspace->record.id,
		               (unsigned long long)number);
	return 0;
}

int workspace_checkout(struct workspace *workspace, uint64_t number, struct err *err)
{
	int r = workspace_need_lock(workspace, err);

	if (r == 0)
		r = need_layer(workspace, number, err);
	if (r < 0)
		return r;
	workspace->record.below = number;
	r = workspace_renew_top(workspace, err);
	return r < 0 ? r : record_store(workspace->dir, &workspace->record, err);
}

size_t workspace_depth(const struct workspace *workspace)
{
	size_t n = 0;

	for (const struct workspace_layer *layer = record_layer(&workspace->record, workspace->record.below); layer; n++)
		layer = record_layer(&workspace->record, layer->parent);
	return n;
}

int workspace_squash(struct workspace *workspace, struct err *err)
{
	struct stack below;
	int r = workspace_need_lock(workspace, err);

	if (r < 0 || workspace_depth(workspace) < 2)
		return r;
	r = workspace_stack(workspace, workspace->record.below, &below, err);
	if (r < 0)
		return r;
	below.fd[0] = -1; /* not the base */
	autofd int to = open_new(workspace, err);

	if (to < 0)
		return to;
	r = flatten(workspace, &below, to, -1, err);
	if (r < 0)
		return r;
	struct workspace_layer *layer = add_layer(workspace, 0, "squashed");

	if (!layer)
		return no_layer(workspace, err);
	workspace->record.below = layer->number;
	r = name_new(workspace, layer->number, err);
	return r < 0 ? r : record_store(workspace->dir, &workspace->record, err);
}

int workspace_adopt(struct workspace *workspace, int (*fill)(void *data, int layer, struct err *err), void *data, const char *label,
                    struct err *err)
{
	struct workspace_layer *layer;
	int r = workspace_need_lock(workspace, err);

	if (r < 0)
		return r;

	autofd int to = open_new(workspace, err);

	r = to < 0 ? to : fill(data, to, err);
	if (r < 0)
		return r;
	layer = add_layer(workspace, 0, label);
	if (!layer)
		return no_layer(workspace, err);
	r = name_new(workspace, layer->number, err);
	return r < 0 ? r : workspace_checkout(workspace, layer->number, err);
}

int workspace_flatten(struct workspace *workspace, int to, struct err *err)
{
	struct stack now;
	int r = workspace_need_lock(workspace, err);

	if (r == 0 && workspace->record.mode == WORKSPACE_STAGE)
		return stage_layer(workspace, to, err);
	if (r == 0)
		r = workspace_stack(workspace, WORKSPACE_NOW, &now, err);
	if (r < 0)
		return r;
	now.fd[0] = -1; /* not the base */
	return flatten(workspace, &now, to, -1, err);
}

static int copy_seals(const struct workspace *from, const struct workspace *to)
{
	struct keep_text text;
	struct arena arena;
	int r;

	arena_init(&arena, (size_t)KEEP_LIST_MAX + (1 << 20));
	r = keep_read(from->dir, "seals", KEEP_LIST_MAX, &arena, &text);
	if (r == 0)
		r = keep_write(to->dir, "seals", text.at, text.left);
	arena_done(&arena);
	return r == -ENOENT ? 0 : r;
}

/* The child knows the layers that it lies on, and whose they are. */
static int inherit(const struct workspace *from, struct workspace *child)
{
	struct workspace_record *record = &child->record;

	*record = from->record;
	record->id = NULL;
	record->base = arena_dup(&child->arena, from->record.base);
	record->layers = arena_array(&child->arena, from->record.layers_n + 1, sizeof(*record->layers));
	if (!record->layers || (from->record.base && !record->base))
		return -ENOMEM;
	for (size_t i = 0; i < record->layers_n; i++) {
		record->layers[i] = from->record.layers[i];
		record->layers[i].home = arena_dup(&child->arena, record->layers[i].home);
		record->layers[i].label = arena_dup(&child->arena, record->layers[i].label);
		if (!record->layers[i].home || !record->layers[i].label)
			return -ENOMEM;
	}
	return 0;
}

static int fill_child(const struct workspace *workspace, struct workspace *child, struct err *err)
{
	int r = workspace_lock(child, err);

	if (r == 0)
		r = workspace_make_parts(child, err);
	if (r == 0 && (r = copy_seals(workspace, child)) < 0)
		fail(child, r, "its seals cannot be copied", err);
	if (r < 0)
		(void)file_remove_tree(child->all, child->record.id);
	return r;
}

/* Is there anything in upper? */
static bool is_empty(const struct workspace *workspace)
{
	struct file_dir dir;
	const char *name;
	unsigned char type;
	autofd int fd = entry_open_dir(workspace->top, "");

	if (fd < 0)
		return false;
	file_dir_init(&dir, fd);
	return file_dir_next(&dir, &name, &type) == 0;
}

static int make_child(struct workspace *workspace, uint64_t below, const char *id, struct workspace **ret_child, struct err *err)
{
	autoworkspace struct workspace *child = workspace_start(workspace->data_dir);
	int r;

	if (!child || inherit(workspace, child) < 0)
		return err_set(err, ERR_INTERNAL, ENOMEM, "no memory for a workspace");
	child->record.below = below;
	child->all = workspace_open_all(workspace->data_dir, true, err);
	r = child->all < 0 ? child->all : workspace_open_base(child, err);
	if (r == 0)
		r = workspace_make_dir(child, id, err);
	if (r == 0)
		r = fill_child(workspace, child, err);
	if (r == 0)
		*ret_child = TAKE_PTR(child);
	return r;
}

bool workspace_is_at(struct workspace *workspace, uint64_t number)
{
	autochanges struct changes changes;

	if (workspace_compare(workspace, number, WORKSPACE_NOW, &changes, NULL) < 0) {
		memset(&changes, 0, sizeof(changes));
		return false;
	}
	for (size_t i = 0; i < changes.list.n; i++)
		if (change_shows(&changes.list.at[i]))
			return false;
	return changes.too_deep == 0;
}

bool workspace_is_recorded(struct workspace *workspace, uint64_t *ret_number)
{
	const struct workspace_record *record = &workspace->record;
	uint64_t newest = record->layers_n ? record->layers[record->layers_n - 1].number : 0;

	*ret_number = newest;
	if (workspace_is_at(workspace, newest))
		return true;
	*ret_number = record->below;
	return record->below != newest && workspace_is_at(workspace, record->below);
}

/* A copy is worth a look at the one before. */
static int make_layer(struct workspace *workspace, enum checkpoint_way way, uint64_t *ret_number, struct err *err)
{
	bool copies = way == CHECKPOINT_COPY || workspace->record.mode == WORKSPACE_STAGE;

	if (copies && workspace_is_recorded(workspace, ret_number))
		return 0;
	return workspace_checkpoint(workspace, way, "fork", ret_number, err);
}

int workspace_fork(struct workspace *workspace, enum checkpoint_way way, const char *id, struct workspace **ret_child, struct err *err)
{
	uint64_t number = workspace->record.below;
	int r = workspace_need_lock(workspace, err);

	if (r == 0 && (workspace->record.mode == WORKSPACE_STAGE || !is_empty(workspace)))
		r = make_layer(workspace, way, &number, err);
	if (r == 0 && way == CHECKPOINT_RENAME && workspace->record.mode == WORKSPACE_OVERLAY)
		number = workspace->record.below; /* many layers may have become one */
	return r < 0 ? r : make_child(workspace, number, id, ret_child, err);
}

int workspace_fork_at(struct workspace *workspace, uint64_t number, const char *id, struct workspace **ret_child, struct err *err)
{
	int r = workspace_need_lock(workspace, err);

	if (r == 0)
		r = need_layer(workspace, number, err);
	return r < 0 ? r : make_child(workspace, number, id, ret_child, err);
}

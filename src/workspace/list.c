/* The parts of workspace.h about all workspaces, and about the stacks of one. */
#include "base/own.h"
#include "base/path.h"
#include "sys/file.h"
#include "workspace/apply.h"
#include "workspace/part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { RECORD_ARENA = 16 << 20 };

/* Is somebody holding it? */
static bool is_locked(int dir)
{
	autofd int fd = openat(dir, "lock", O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fd >= 0 && fcntl(fd, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
}

static int list_one(int all, const char *name, struct arena *arena, struct workspace_info_vec *list)
{
	struct workspace_record record = { 0 };
	struct err fault = { 0 };
	autofd int dir = entry_open_dir(all, name);
	struct workspace_info *info;
	const char *id = arena_dup(arena, name);

	if (dir < 0 || !workspace_is_id(name))
		return 0;
	int r = record_load(dir, name, arena, &record, &fault);

	if (r == 0 && record.kept)
		return 0;
	info = workspace_info_vec_add(list, arena);
	if (!info || !id)
		return -ENOMEM;
	*info = (struct workspace_info){ .id = id,
		                         .base = record.base,
		                         .mode = record.mode,
		                         .created_ns = record.created_ns,
		                         .layers = record.layers_n,
		                         .locked = is_locked(dir),
		                         .fault = r < 0 ? arena_dup(arena, fault.text) : NULL };
	return 0;
}

int workspace_list(const char *data_dir, struct arena *arena, struct workspace_info_vec *ret_list, struct err *err)
{
	struct workspace_info_vec list = { 0 };
	struct text_vec names = { 0 };
	struct err inner = { 0 };
	autofd int all = workspace_open_all(data_dir, false, &inner);
	int r;

	if (all < 0 && inner.code == ERR_NOTFOUND) {
		*ret_list = list;
		return 0;
	}
	if (all < 0)
		return err_set(err, inner.code, -all, "%s", inner.text);
	r = entry_names(all, "", arena, &names);
	entry_sort_names(&names);
	for (size_t i = 0; r == 0 && i < names.n; i++)
		r = list_one(all, names.at[i], arena, &list);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s/workspaces: %s", data_dir, strerror(-r));
	*ret_list = list;
	return 0;
}

static bool builds_on(const struct workspace_record *record, const char *id)
{
	for (size_t i = 0; i < record->layers_n; i++)
		if (strcmp(record->layers[i].home, id) == 0)
			return true;
	return false;
}

/* Does another workspace have layers of this one? With `*ret_orphan`, the name of a kept one that nobody builds on any more, or NULL. */
static int find_heirs(int all, const char *id, struct arena *arena, bool *ret_found)
{
	struct text_vec names = { 0 };
	int r = entry_names(all, "", arena, &names);

	*ret_found = false;
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		struct workspace_record record;
		autofd int dir = entry_open_dir(all, names.at[i]);

		if (dir >= 0 && strcmp(names.at[i], id) != 0 && workspace_is_id(names.at[i]) &&
		    record_load(dir, names.at[i], arena, &record, NULL) == 0 && builds_on(&record, id))
			*ret_found = true;
	}
	return r;
}

/* Takes away all but the layers, out of sight. */
static int keep_layers(int dir, const char *id, struct arena *arena, struct err *err)
{
	static const char *const parts[] = { "upper", "work", "stage", "journal", "seals", "manifest" };
	struct workspace_record record;
	int r = record_load(dir, id, arena, &record, err);

	if (r < 0)
		return r;
	record.kept = true;
	r = record_store(dir, &record, err);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(parts); i++)
		(void)file_remove_tree(dir, parts[i]);
	return r;
}

static int remove_one(int all, const char *id, struct arena *arena, struct err *err)
{
	autofd int dir = entry_open_dir(all, id);
	autofd int lock = dir < 0 ? -1 : openat(dir, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	bool heirs = false;
	int r;

	if (dir < 0)
		return err_set(err, ERR_NOTFOUND, -dir, "there is no workspace %s", id);
	if (lock >= 0 && workspace_take_lock(lock) < 0)
		return err_set(err, ERR_BUSY, EBUSY, "workspace %s is in use: end its session, or wait", id);
	r = find_heirs(all, id, arena, &heirs);
	if (r == 0 && heirs)
		return keep_layers(dir, id, arena, err);
	/* The record last among its names would be better still; without one it is a broken workspace, which can be removed again. */
	if (r == 0)
		r = file_remove_tree(all, id);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "workspace %s cannot be removed: %s", id, strerror(-r)) : 0;
}

/* Those that were only kept for their layers may have lost their last heir. True when there was one: it may have been another's last. */
static bool remove_orphans(int all, struct arena *arena)
{
	struct text_vec names = { 0 };
	bool removed = false;
	int r = entry_names(all, "", arena, &names);

	for (size_t i = 0; r == 0 && i < names.n; i++) {
		autofd int dir = workspace_is_id(names.at[i]) ? entry_open_dir(all, names.at[i]) : -1;
		struct workspace_record record;
		bool heirs = true;

		if (dir >= 0 && record_load(dir, names.at[i], arena, &record, NULL) == 0 && record.kept &&
		    find_heirs(all, names.at[i], arena, &heirs) == 0 && !heirs && file_remove_tree(all, names.at[i]) == 0)
			removed = true;
	}
	return removed;
}

/* What an apply has left in the base goes first, if anything of the workspace can still be read. */
static void end_apply(const char *data_dir, const char *id)
{
	autoworkspace struct workspace *workspace = NULL;
	struct apply_result ended = { 0 };

	if (workspace_open(data_dir, id, &workspace, NULL) == 0 && workspace_lock(workspace, NULL) == 0)
		(void)workspace_recover(workspace, &ended, NULL);
	apply_result_done(&ended);
}

int workspace_remove(const char *data_dir, const char *id, struct err *err)
{
	autofd int all = workspace_open_all(data_dir, false, err);
	struct arena arena;
	int r;

	if (all < 0)
		return all;
	if (!workspace_is_id(id))
		return err_set(err, ERR_USAGE, EINVAL, "\"%s\" is no workspace's name: letters, digits, \".\", \"_\" and \"-\"", id);
	end_apply(data_dir, id);
	arena_init(&arena, (size_t)RECORD_ARENA * 16);
	r = remove_one(all, id, &arena, err);
	while (r == 0 && remove_orphans(all, &arena))
		;
	arena_done(&arena);
	return r;
}

static int open_layer(struct workspace *workspace, const struct workspace_layer *layer, struct err *err)
{
	char path[WORKSPACE_ID_MAX + 64];
	int fd;

	for (size_t i = 0; i < workspace->open.n; i++)
		if (workspace->open.layer[i] == layer->number)
			return workspace->open.fd[i];
	if (workspace->open.n == WORKSPACE_OPEN_MAX)
		return err_set(err, ERR_LIMIT, EMFILE, "workspace %s: more than %d layers are open at once", workspace->record.id,
		               WORKSPACE_OPEN_MAX);
	snprintf(path, sizeof(path), "%s/layers/%llu", layer->home, (unsigned long long)layer->number);
	fd = entry_open_dir(workspace->all, path);
	if (fd < 0)
		return err_set(err, ERR_POLICY, -fd,
		               "workspace %s is broken: its layer %llu cannot be opened: %s; `coffer discard %s` removes it",
		               workspace->record.id, (unsigned long long)layer->number, strerror(-fd), workspace->record.id);
	workspace->open.layer[workspace->open.n] = layer->number;
	workspace->open.fd[workspace->open.n++] = fd;
	return fd;
}

/* The layers from `number` down, into the stack's upper end, then moved to its beginning. */
static int add_layers(struct workspace *workspace, uint64_t number, struct stack *stack, struct err *err)
{
	int chain[STACK_MAX];
	size_t n = 0;

	while (number) {
		const struct workspace_layer *layer = record_layer(&workspace->record, number);
		int fd;

		if (!layer)
			return err_set(err, ERR_NOTFOUND, ENOENT, "workspace %s has no layer @%llu", workspace->record.id,
			               (unsigned long long)number);
		if (n == STACK_MAX - 2)
			return err_set(err, ERR_LIMIT, E2BIG, "workspace %s: more than %d layers on one another", workspace->record.id,
			               STACK_MAX - 2);
		fd = open_layer(workspace, layer, err);
		if (fd < 0)
			return fd;
		chain[n++] = fd;
		number = layer->parent;
	}
	while (n > 0)
		stack->fd[stack->n++] = chain[--n];
	return 0;
}

int workspace_stack(struct workspace *workspace, uint64_t number, struct stack *ret_stack, struct err *err)
{
	struct stack stack = { 0 };
	bool now = number == WORKSPACE_NOW;
	int r = 0;

	if (!now || workspace->record.mode == WORKSPACE_OVERLAY) {
		stack.fd[stack.n++] = workspace->base;
		r = add_layers(workspace, now ? workspace->record.below : number, &stack, err);
	}
	if (now)
		stack.fd[stack.n++] = workspace->top;
	if (r == 0)
		*ret_stack = stack;
	return r;
}

int workspace_compare(struct workspace *workspace, uint64_t from, uint64_t to, struct changes *ret_changes, struct err *err)
{
	struct stack before, after;
	int r;

	if (from == 0 && to == WORKSPACE_NOW && workspace->record.mode == WORKSPACE_STAGE)
		return stage_changes(workspace, ret_changes, err);
	r = workspace_stack(workspace, from, &before, err);
	if (r == 0)
		r = workspace_stack(workspace, to, &after, err);
	return r < 0 ? r : changes_between(&before, &after, ret_changes, err);
}

int workspace_changes(struct workspace *workspace, struct changes *ret_changes, struct err *err)
{
	return workspace_compare(workspace, 0, WORKSPACE_NOW, ret_changes, err);
}

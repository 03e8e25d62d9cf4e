/* A stage's changes as a layer in overlayfs's form. */
#include "base/own.h"
#include "base/path.h"
#include "workspace/part.h"
#include "workspace/tree.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct making {
	struct workspace *workspace;
	struct layer_maker maker;
};

int layer_make_dir(struct layer_maker *maker, const char *path)
{
	const char *name, **slot = text_vec_add(&maker->dirs, maker->arena);
	autofd int parent = entry_open_parent(maker->layer, path, &name);

	if (parent < 0)
		return parent;
	if (mkdirat(parent, name, 0700) < 0)
		return -errno;
	if (!slot || !(*slot = arena_dup(maker->arena, path)))
		return -ENOMEM;
	return 0;
}

int layer_make_above(struct layer_maker *maker, const char *path)
{
	char above[PATH_BYTES_MAX + 1];
	struct entry entry;

	snprintf(above, sizeof(above), "%s", path);
	for (char *slash = strchr(above, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		int r = entry_look(maker->layer, above, &entry);

		if (r == 0 && entry.kind == ENTRY_NONE)
			r = layer_make_dir(maker, above);
		else if (r == 0 && entry.kind != ENTRY_DIR)
			return 1;
		if (r < 0)
			return r;
		*slash = '/';
	}
	return 0;
}

static int make_one(struct making *making, const struct change *change)
{
	struct tree_source source = {
		.root = making->workspace->top, .path = change->path, .entry = &change->after, .max_bytes = UINT64_MAX
	};
	const char *name;
	struct entry entry;
	int r = layer_make_above(&making->maker, change->path);

	if (r != 0)
		return r > 0 ? 0 : r;
	r = entry_look(making->maker.layer, change->path, &entry);
	if (r < 0 || entry.kind != ENTRY_NONE)
		return r;
	if (change->after.kind == ENTRY_DIR)
		return layer_make_dir(&making->maker, change->path);
	autofd int parent = entry_open_parent(making->maker.layer, change->path, &name);

	if (parent < 0)
		return parent;
	r = change->kind == CHANGE_DELETED ? tree_make_whiteout(parent, name) : tree_make(parent, name, &source);
	return r == -ENOTSUP ? 0 : r;
}

static int finish_dirs(const struct making *making)
{
	for (size_t i = making->maker.dirs.n; i-- > 0;) {
		const char *path = making->maker.dirs.at[i];
		autofd int fd = entry_open_dir(making->maker.layer, path);
		struct entry entry;
		struct tree_source source = { .root = making->workspace->top, .path = path, .entry = &entry };
		int r = fd < 0 ? fd : entry_look(making->workspace->top, path, &entry);

		if (r == 0)
			r = tree_finish_dir(fd, &source);
		if (r < 0)
			return r;
	}
	return 0;
}

int stage_layer(struct workspace *workspace, int layer, struct err *err)
{
	autochanges struct changes changes = { 0 };
	struct making making = { .workspace = workspace, .maker = { .layer = layer, .arena = &changes.arena } };
	const char *at = "";
	int r = stage_changes(workspace, &changes, err);

	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < changes.list.n; i++) {
		at = changes.list.at[i].path;
		r = make_one(&making, &changes.list.at[i]);
	}
	if (r == 0)
		r = finish_dirs(&making);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "workspace %s: %s cannot be copied into a layer: %s", workspace->record.id, at,
	                       strerror(-r))
	             : 0;
}

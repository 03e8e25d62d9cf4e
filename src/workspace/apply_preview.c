/* The part of apply.h that shows what the base would be: the steps as a layer over it, in a workspace of its own. */
#include "base/own.h"
#include "sys/file.h"
#include "workspace/apply_part.h"
#include "workspace/layers.h"
#include "workspace/part.h"
#include "workspace/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READY "ready"

struct preview {
	struct apply *apply;
	struct layer_maker maker;
	const char *at;
};

/* The content as it would be applied: hunks, modes and all. */
static int write_it(const struct preview *preview, struct step *step)
{
	const char *name;
	char ready[APPLY_NAME_MAX];
	autofd int parent = entry_open_parent(preview->maker.layer, step->path, &name);
	int r = parent < 0 ? parent : apply_make_ready(preview->apply, step);

	if (r < 0)
		return r;
	apply_name(preview->apply, step, ready);
	return renameat(preview->apply->ready, ready, parent, name) < 0 ? -errno : 0;
}

/* What was taken away below it is covered by its own mark. */
static int hide_it(const struct preview *preview, const struct step *step)
{
	const char *name;
	autofd int parent = entry_open_parent(preview->maker.layer, step->path, &name);
	int r = parent < 0 ? parent : file_remove_tree(parent, name);

	return r == 0 || r == -ENOENT ? tree_make_whiteout(parent, name) : r;
}

static int make_one(struct preview *preview, struct step *step)
{
	bool hides = step->kind == STEP_REMOVE || step->kind == STEP_REMOVE_DIR;
	struct entry entry;
	int r;

	if (!hides && step->kind != STEP_WRITE && step->kind != STEP_MAKE_DIR)
		return 0; /* what is put in a place covers what was there */
	r = layer_make_above(&preview->maker, step->path);
	if (r != 0)
		return r > 0 ? 0 : r;
	if (hides)
		return hide_it(preview, step);
	if (step->kind == STEP_WRITE)
		return write_it(preview, step);
	r = entry_look(preview->maker.layer, step->path, &entry);
	return r < 0 || entry.kind != ENTRY_NONE ? r : layer_make_dir(&preview->maker, step->path);
}

/* Of a directory that only holds something else, the base's own mode and time. */
static int finish_dir(const struct preview *preview, const char *path)
{
	const struct apply *apply = preview->apply;
	const struct change *change = changes_find(&apply->changes, path);
	bool wanted = change && apply->wanted[change - apply->changes.list.at] && change->after.kind == ENTRY_DIR;
	autofd int fd = entry_open_dir(preview->maker.layer, path);
	struct entry entry = wanted ? change->after : (struct entry){ .kind = ENTRY_NONE };
	struct tree_source source = { .root = wanted ? apply->changes.after.fd[change->after_layer] : apply->workspace->base,
		                      .path = path,
		                      .entry = &entry };
	int r = wanted ? 0 : entry_look(source.root, path, &entry);

	if (fd == -ENOENT || fd == -ENOTDIR) /* hidden since */
		return 0;
	entry.mode &= 0777;
	if (r < 0 || fd < 0)
		return r < 0 ? r : fd;
	return tree_finish_dir(fd, &source);
}

static int fill(void *data, int layer, struct err *err)
{
	struct preview *preview = data;
	struct apply *apply = preview->apply;
	int r = 0;

	preview->maker = (struct layer_maker){ .layer = layer, .arena = &apply->changes.arena };
	for (size_t i = 0; r == 0 && i < apply->steps.n; i++) {
		preview->at = apply->steps.at[i].path;
		r = make_one(preview, &apply->steps.at[i]);
	}
	for (size_t i = preview->maker.dirs.n; r == 0 && i-- > 0;) {
		preview->at = preview->maker.dirs.at[i];
		r = finish_dir(preview, preview->at);
	}
	return r < 0 ? err_set(err, r == -ERANGE ? ERR_USAGE : ERR_SETUP, -r, "%s: cannot be shown as it would be: %s", preview->at,
	                       r == -ERANGE ? "it has no such hunk" : strerror(-r))
	             : 0;
}

static int make_layer(struct apply *apply, struct workspace *child, struct err *err)
{
	struct preview preview = { .apply = apply, .at = "" };
	uint64_t number = 0;
	int r = apply_hide(apply);

	if (r == 0 && mkdirat(child->dir, READY, 0700) < 0)
		r = -errno;
	if (r == 0)
		r = apply->ready = entry_open_dir(child->dir, READY);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "workspace %s: a directory cannot be made in it: %s", child->record.id, strerror(-r));
	r = workspace_add_layer(child, fill, &preview, &number, err);
	if (r == 0)
		r = workspace_checkout(child, number, err);
	return r;
}

int apply_preview(struct apply *apply, struct workspace **ret_child, struct err *err)
{
	struct workspace *child = NULL;
	char id[WORKSPACE_ID_MAX];
	int r = workspace_fork_at(apply->workspace, 0, NULL, &child, err);

	if (r < 0)
		return r;
	r = make_layer(apply, child, err);
	if (r == 0) {
		*ret_child = child;
		return 0;
	}
	snprintf(id, sizeof(id), "%s", child->record.id);
	workspace_close(child);
	(void)workspace_remove(apply->workspace->data_dir, id, NULL);
	return r;
}

/* part.h: what the files that make up workspace.h share. */
#ifndef COFFER_WORKSPACE_PART_H
#define COFFER_WORKSPACE_PART_H

#include "workspace/workspace.h"

#include <stdbool.h>

/* A descriptor of DATA_DIR/workspaces. */
int workspace_open_all(const char *data_dir, bool make, struct err *err);
/* The pieces of making one: the empty object, its base, its directory (wanted NULL: under a random name), all that is in it with the record. */
struct workspace *workspace_start(const char *data_dir);
int workspace_open_base(struct workspace *workspace, struct err *err);
int workspace_make_dir(struct workspace *workspace, const char *wanted, struct err *err);
int workspace_make_parts(struct workspace *workspace, struct err *err);

/* -EBUSY when somebody else has it. */
int workspace_take_lock(int fd);
int workspace_need_lock(const struct workspace *workspace, struct err *err);
/* Opens upper/ or stage/, and ends a checkpoint that was cut short. */
int workspace_open_top(struct workspace *workspace, struct err *err);
/* Makes one of its directories anew, empty. */
int workspace_empty(struct workspace *workspace, const char *name, struct err *err);
/* Makes upper and work anew, or fills the stage again from the stack below. */
int workspace_renew_top(struct workspace *workspace, struct err *err);

/* A directory that becomes a layer. */
struct layer_maker {
	int layer;
	struct arena *arena;
	struct text_vec dirs; /* made so far; those above before those below */
};
int layer_make_dir(struct layer_maker *maker, const char *path);
/* The directories above. 1: one of them is hidden or no directory any more, so there is nothing to say about path. */
int layer_make_above(struct layer_maker *maker, const char *path);

/* Fills the empty stage with what is below, and writes down how that looked. */
int stage_fill(struct workspace *workspace, struct err *err);
/* Makes a layer, in overlayfs's form, of what differs between the base and the stage. */
int stage_layer(struct workspace *workspace, int layer, struct err *err);
/* What differs between the base and the stage: where the stage is as it was filled, nothing does, whatever the base is now. */
int stage_changes(struct workspace *workspace, struct changes *ret_changes, struct err *err);

/* How the manifest knows a path. */
struct stage_entry {
	const char *path;
	struct entry staged; /* kind, mode, size, ino, mtime and ctime of the copy */
	uint64_t base_ino;
	int64_t base_ctime_ns;
};
VEC(struct stage_entry, stage_entry_vec)
/* Sorted by path. */
int stage_manifest(struct workspace *workspace, struct arena *arena, struct stage_entry_vec *ret_entries, struct err *err);
const struct stage_entry *stage_find(const struct stage_entry_vec *entries, const char *path);

#endif

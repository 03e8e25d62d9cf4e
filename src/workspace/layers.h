/*
 * layers.h: going back in time, and to several futures.
 *
 * A layer is a state that nobody writes any more. It lies on its parent; one that was copied holds all that upper held since its parent, one that
 * was renamed is what upper was. Everything here needs the lock, and that no process writes in the workspace, or is frozen where a copy is made.
 */
#ifndef COFFER_WORKSPACE_LAYERS_H
#define COFFER_WORKSPACE_LAYERS_H

#include "workspace/workspace.h"

/* More than this on one another are made into one. */
enum { LAYERS_DEEP = 64 };

enum checkpoint_way {
	CHECKPOINT_RENAME, /* at once; what is mounted must be made anew */
	CHECKPOINT_COPY,   /* upper stays what it is; unchanged files are shared with the copy before */
};

/* Makes a layer of what upper, or the stage, holds. A stage is always copied. */
int workspace_checkpoint(struct workspace *workspace, enum checkpoint_way way, const char *label, uint64_t *ret_number, struct err *err);
/* Makes a layer on the base of what `fill` puts into an empty directory, in overlayfs's form. */
int workspace_add_layer(struct workspace *workspace, int (*fill)(void *data, int layer, struct err *err), void *data, uint64_t *ret_number,
                        struct err *err);
/* Goes back to the state after a layer; 0 is the base. What upper held and no layer has is lost. */
int workspace_checkout(struct workspace *workspace, uint64_t number, struct err *err);
/* Does nothing that shows differ from the state after a layer? */
bool workspace_is_at(struct workspace *workspace, uint64_t number);
/* Is the newest layer, or the one below upper, what it is now? Then that is *ret_number. */
bool workspace_is_recorded(struct workspace *workspace, uint64_t *ret_number);
/*
 * A layer that comes from elsewhere: `fill` puts a tree in overlayfs's form into the empty directory, and the workspace begins on it. Only for a workspace in which nothing has
 * been done yet.
 */
int workspace_adopt(struct workspace *workspace, int (*fill)(void *data, int layer, struct err *err), void *data, const char *label,
                    struct err *err);
/* All that differs between the base and what shows now, in overlayfs's form, into an empty directory; what this user may not read is an error. */
int workspace_flatten(struct workspace *workspace, int to, struct err *err);
/* How many layers lie below upper. */
size_t workspace_depth(const struct workspace *workspace);
/* Makes one layer of those below upper. The old ones stay for history. */
int workspace_squash(struct workspace *workspace, struct err *err);
/* Another workspace that begins where this one is, locked. id NULL: a random name. Of a copy that would be like the layer before none is made. */
int workspace_fork(struct workspace *workspace, enum checkpoint_way way, const char *id, struct workspace **ret_child, struct err *err);
/* The same from where it was after a layer; 0 is the base. */
int workspace_fork_at(struct workspace *workspace, uint64_t number, const char *id, struct workspace **ret_child, struct err *err);

#endif

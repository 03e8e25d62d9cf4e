/*
 * workspace.h: directories in which a sandbox works, so that what it changed can be read, applied or thrown away.
 *
 * A workspace lies in DATA_DIR/workspaces/ID (docs/decisions/sessions.md). Opening one takes no lock: diffs are for everybody. Whoever writes
 * in it, or has a sandbox write in it, holds its lock; that is one at a time. Not thread-safe.
 */
#ifndef COFFER_WORKSPACE_WORKSPACE_H
#define COFFER_WORKSPACE_WORKSPACE_H

#include "base/err.h"
#include "workspace/changes.h"
#include "workspace/record.h"

enum { WORKSPACE_OPEN_MAX = 256 };

struct workspace {
	struct arena arena;
	const char *data_dir;
	struct workspace_record record;
	int all;  /* DATA_DIR/workspaces */
	int dir;  /* DATA_DIR/workspaces/ID */
	int base; /* -1: none */
	int top;  /* upper/ or stage/ */
	int lock; /* -1: not held */
	struct {
		int fd[WORKSPACE_OPEN_MAX];
		uint64_t layer[WORKSPACE_OPEN_MAX];
		size_t n;
	} open; /* layers that stacks have borrowed */
};

struct workspace_options {
	const char *id;   /* NULL: a random one */
	const char *base; /* an absolute path; NULL: starts empty */
	enum workspace_mode mode;
};

/* Made and locked. A stage is filled at once. data_dir is made when it is missing. */
int workspace_create(const char *data_dir, const struct workspace_options *options, struct workspace **ret_workspace, struct err *err);
/* NOTFOUND; POLICY when it is broken; DENIED when the base is not the directory any more that it was. */
int workspace_open(const char *data_dir, const char *id, struct workspace **ret_workspace, struct err *err);
void workspace_close(struct workspace *workspace); /* NULL is fine */
static inline void workspace_drop(struct workspace **slot)
{
	workspace_close(*slot);
}
#define autoworkspace __attribute__((cleanup(workspace_drop)))

/* BUSY when somebody else holds it. */
int workspace_lock(struct workspace *workspace, struct err *err);
/* The same beside whoever holds it, for a caller who has seen to it that nothing writes there: a session that is paused. */
int workspace_lock_beside(struct workspace *workspace, struct err *err);
void workspace_unlock(struct workspace *workspace);

/* What a listing says. fault: why it is broken, or NULL. */
struct workspace_info {
	const char *id, *base, *fault;
	enum workspace_mode mode;
	int64_t created_ns;
	size_t layers;
	bool locked;
};
VEC(struct workspace_info, workspace_info_vec)
int workspace_list(const char *data_dir, struct arena *arena, struct workspace_info_vec *ret_list, struct err *err);

/*
 * Removes it with all that is in it, whatever modes and depths that has; broken ones too. BUSY when it is locked. One whose layers others build on
 * leaves those behind, out of sight, until the last of them is removed.
 */
int workspace_remove(const char *data_dir, const char *id, struct err *err);

/*
 * The state after layer `number`; 0 is the base alone, WORKSPACE_NOW what upper shows. For a stage, WORKSPACE_NOW is its one directory. Descriptors are
 * the workspace's and stay open until it is closed.
 */
#define WORKSPACE_NOW UINT64_MAX
int workspace_stack(struct workspace *workspace, uint64_t number, struct stack *ret_stack, struct err *err);
/* All that differs from the base. */
int workspace_changes(struct workspace *workspace, struct changes *ret_changes, struct err *err);
/* All that differs between two states. */
int workspace_compare(struct workspace *workspace, uint64_t from, uint64_t to, struct changes *ret_changes, struct err *err);

/* Forgets what has not been applied: upper and work are empty again, or the stage filled anew, and no layer lies below. Needs the lock. */
int workspace_discard(struct workspace *workspace, struct err *err);

#endif

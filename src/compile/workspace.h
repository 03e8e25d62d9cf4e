/*
 * workspace.h: a working tree that is the sandbox's own (struct input_workspace). Private to src/compile.
 *
 * One region of the tree is an overlay of the host's, or a copy of it. What is hidden in it is hidden by name: an overlay has other devices and
 * inodes than what it shows, and an earlier sandbox may have put something else there, which is then its own.
 */
#ifndef COFFER_COMPILE_WORKSPACE_H
#define COFFER_COMPILE_WORKSPACE_H

#include "compile/compile.h"
#include "compile/regions.h"

struct compile;

struct own_tree {
	const char *path; /* where it is inside; NULL: there is none */
	const char *why;
	const struct survey_entry *base; /* NULL: none */
	const struct survey_entry *dir;  /* the stage, or what holds the layers */
	uint64_t dir_slot;               /* the latter's */
};

/* The host's directory that the survey has to look at: the stage, or the one that all layers are in. NULL: no memory. */
const char *workspace_dir(struct compile *c);
/* Is the path, links resolved, in a tree of the sandbox's own? And what is it for a process there: on rung two the stage's. NULL: no memory. */
bool workspace_holds(const struct compile *c, const char *path);
const char *workspace_place(struct compile *c, const char *path);

bool workspace_is_copy(const struct compile *c, const struct region *region);
/* Its sources, for the region; and, where it is an overlay, what makes their tree one. */
int workspace_add_sources(struct compile *c, struct region *region);
void workspace_put(struct compile *c, const struct region *region);

#endif

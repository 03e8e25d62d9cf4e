/*
 * stack.h: directories laid over one another, read as overlayfs reads them.
 *
 * Layer 0 is the lowest. A character device 0:0 hides the name below it, and so does an empty file with the attribute `user.overlay.whiteout` (or `trusted.`);
 * a directory whose `overlay.opaque` is "y" hides what lower layers have in it. Redirected directories and files without their data are
 * not read: overlayfs makes none with `userxattr`, and a mount of ours asks for none.
 */
#ifndef COFFER_WORKSPACE_STACK_H
#define COFFER_WORKSPACE_STACK_H

#include "workspace/entry.h"

#include <stddef.h>

enum { STACK_MAX = 80 };

/* The descriptors are borrowed. -1: a layer with nothing in it. */
struct stack {
	int fd[STACK_MAX];
	size_t n;
};

/* What is at a path, in which layer, and for a directory the lowest layer that still shows in it. */
struct stack_place {
	struct entry entry;
	size_t layer, floor;
	int dir; /* borrowed: where it was looked at, by this name */
	const char *name;
};

/* By its path from the top. */
int stack_find(const struct stack *stack, const char *path, struct stack_place *ret_place);
/* The same when the floor of the directory that holds it is known. */
int stack_child(const struct stack *stack, size_t floor, const char *path, struct stack_place *ret_place);
/* A directory in all layers from its floor up, opened once for all that is in it. Costs two calls of the kernel a layer, and saves as many a name. */
struct stack_dir {
	size_t n, floor;
	int fd[STACK_MAX];
};
int stack_dir_open(const struct stack *stack, size_t floor, const char *path, struct stack_dir *ret_dir);
void stack_dir_close(struct stack_dir *dir);
int stack_dir_child(const struct stack_dir *dir, const char *name, struct stack_place *ret_place);
/* The names that the layers from `first` up have in directory path, hidden ones and those that hide included; unsorted. */
int stack_names(const struct stack *stack, size_t first, const char *path, struct arena *arena, struct text_vec *names);
/* The names that show in directory path, sorted. */
int stack_list(const struct stack *stack, const char *path, struct arena *arena, struct text_vec *ret_names);
/* How many layers two stacks have in common at their bottom. */
size_t stack_common(const struct stack *a, const struct stack *b);

#endif

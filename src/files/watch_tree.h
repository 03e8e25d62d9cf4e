/* watch_tree.h: what is watched: directories by their inotify number, each with its name and the one above; for watch.c. */
#ifndef COFFER_FILES_WATCH_TREE_H
#define COFFER_FILES_WATCH_TREE_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

#define WATCH_NONE ((size_t)-1)
enum { WATCH_BUCKETS = 1024 };

struct watched {
	int wd; /* -1: this slot is free */
	size_t parent, next;
	char *name;
	bool seen; /* in the round that watch_tree_sweep ends */
};

struct watch_tree {
	struct watched *at;
	size_t n, live, bucket[WATCH_BUCKETS];
};

void watch_tree_init(struct watch_tree *tree);
void watch_tree_done(struct watch_tree *tree);
/* Enters a directory, or gives the one that has this number its new name. WATCH_NONE: no memory. */
size_t watch_tree_put(struct watch_tree *tree, int wd, size_t parent, const char *name);
size_t watch_tree_find(const struct watch_tree *tree, int wd);
size_t watch_tree_child(const struct watch_tree *tree, size_t parent, const char *name);
int watch_tree_rename(struct watch_tree *tree, size_t i, size_t parent, const char *name);
/* Forgets a directory and all below it, and stops watching them. */
void watch_tree_drop(struct watch_tree *tree, size_t top, int inotify);
/* Forgets those that were not put since the last sweep. */
void watch_tree_sweep(struct watch_tree *tree, int inotify);
/* The path of `name` in directory i. */
void watch_tree_path(const struct watch_tree *tree, size_t i, const char *name, struct str *ret_path);

#endif

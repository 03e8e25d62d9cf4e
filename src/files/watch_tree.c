#include "files/watch_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>

void watch_tree_init(struct watch_tree *tree)
{
	*tree = (struct watch_tree){ 0 };
	for (size_t i = 0; i < WATCH_BUCKETS; i++)
		tree->bucket[i] = WATCH_NONE;
}

void watch_tree_done(struct watch_tree *tree)
{
	for (size_t i = 0; i < tree->n; i++)
		free(tree->at[i].name);
	free(tree->at);
	watch_tree_init(tree);
}

size_t watch_tree_find(const struct watch_tree *tree, int wd)
{
	size_t i = tree->bucket[(unsigned)wd % WATCH_BUCKETS];

	while (i != WATCH_NONE && tree->at[i].wd != wd)
		i = tree->at[i].next;
	return i;
}

size_t watch_tree_child(const struct watch_tree *tree, size_t parent, const char *name)
{
	for (size_t i = 0; i < tree->n; i++)
		if (tree->at[i].wd >= 0 && tree->at[i].parent == parent && strcmp(tree->at[i].name, name) == 0)
			return i;
	return WATCH_NONE;
}

/* A free slot, most often a new one. */
static size_t take_slot(struct watch_tree *tree)
{
	if (tree->live < tree->n)
		for (size_t i = 0; i < tree->n; i++)
			if (tree->at[i].wd < 0)
				return i;
	if ((tree->n & (tree->n - 1)) == 0) { /* powers of two are when it is full */
		struct watched *at = reallocarray(tree->at, tree->n ? tree->n * 2 : 1, sizeof(*at));

		if (!at)
			return WATCH_NONE;
		tree->at = at;
	}
	tree->at[tree->n] = (struct watched){ .wd = -1 };
	return tree->n++;
}

int watch_tree_rename(struct watch_tree *tree, size_t i, size_t parent, const char *name)
{
	char *copy = strdup(name);

	if (!copy)
		return -ENOMEM;
	free(tree->at[i].name);
	tree->at[i].name = copy;
	tree->at[i].parent = parent;
	tree->at[i].seen = true;
	return 0;
}

size_t watch_tree_put(struct watch_tree *tree, int wd, size_t parent, const char *name)
{
	size_t i = watch_tree_find(tree, wd), *bucket = &tree->bucket[(unsigned)wd % WATCH_BUCKETS];

	if (i != WATCH_NONE)
		return watch_tree_rename(tree, i, parent, name) < 0 ? WATCH_NONE : i;
	i = take_slot(tree);
	if (i == WATCH_NONE || watch_tree_rename(tree, i, parent, name) < 0)
		return WATCH_NONE;
	tree->at[i].wd = wd;
	tree->at[i].next = *bucket;
	*bucket = i;
	tree->live++;
	return i;
}

static void forget(struct watch_tree *tree, size_t i, int inotify)
{
	size_t *at = &tree->bucket[(unsigned)tree->at[i].wd % WATCH_BUCKETS];

	while (*at != i)
		at = &tree->at[*at].next;
	*at = tree->at[i].next;
	(void)inotify_rm_watch(inotify, tree->at[i].wd);
	tree->at[i].wd = -1;
	tree->live--;
}

static bool is_below(const struct watch_tree *tree, size_t i, size_t top)
{
	for (size_t steps = 0; i != WATCH_NONE && steps <= tree->n; i = tree->at[i].parent, steps++)
		if (i == top)
			return true;
	return false;
}

void watch_tree_drop(struct watch_tree *tree, size_t top, int inotify)
{
	for (size_t i = 0; i < tree->n; i++)
		if (i != top && tree->at[i].wd >= 0 && is_below(tree, i, top))
			forget(tree, i, inotify);
	forget(tree, top, inotify);
}

void watch_tree_sweep(struct watch_tree *tree, int inotify)
{
	for (size_t i = 0; i < tree->n; i++) {
		if (tree->at[i].wd >= 0 && !tree->at[i].seen)
			forget(tree, i, inotify);
		tree->at[i].seen = false;
	}
}

void watch_tree_path(const struct watch_tree *tree, size_t i, const char *name, struct str *ret_path)
{
	const char *parts[1024];
	size_t n = 0;

	for (; i != WATCH_NONE && n < sizeof(parts) / sizeof(parts[0]); i = tree->at[i].parent)
		parts[n++] = tree->at[i].name;
	while (n > 0) {
		const char *part = parts[--n];

		str_add(ret_path, part);
		if (*part)
			str_add_char(ret_path, '/');
	}
	str_add(ret_path, name);
}

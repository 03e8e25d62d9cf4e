/*
 * tree.h: making files out of files: single ones, and whole trees.
 */
#ifndef COFFER_WORKSPACE_TREE_H
#define COFFER_WORKSPACE_TREE_H

#include "workspace/stack.h"

#include <stdbool.h>

/* What a copy is made of. */
struct tree_source {
	int root;
	const char *path;
	const struct entry *entry;
	uint64_t max_bytes;
	uint8_t *ret_hash;      /* of a file's content; NULL: not wanted */
	struct entry *ret_made; /* a file as it has become, but for its mode; NULL: not wanted */
};

/*
 * Makes `name` in dirfd, which must not be there: a file with its content, a link, a fifo; with mode, times and attributes, and the owner where
 * this is root. A directory is made empty, with mode 0700; tree_finish_dir gives it the rest when it is full. Sockets and devices are -ENOTSUP.
 */
int tree_make(int dirfd, const char *name, const struct tree_source *source);
int tree_finish_dir(int fd, const struct tree_source *source);
/* The marks of overlayfs. A character device, or where that may not be made the attribute. */
int tree_make_whiteout(int dirfd, const char *name);
int tree_make_opaque(int dirfd);

struct tree_copy {
	const struct stack *from;
	int to;     /* an empty directory */
	bool marks; /* makes one layer of the stack's: layer 0 must be -1, and what hides something in it is kept */
	int twins;  /* a directory with an earlier copy: what is the same there gets a second name instead of a copy. -1: none */
	/* Told of everything that has been copied; may be NULL. */
	int (*note)(void *data, const char *path, const struct entry *source);
	void *data;
	size_t ret_skipped; /* sockets, devices, and what this user may not read */
};
/* The root directory's own mode and times are copied too. *ret_path is where it failed, in the arena. */
int tree_copy(struct tree_copy *copy, struct arena *arena, const char **ret_path);

#endif

/* tree.h: a workspace for a test, with something outside that nobody may touch. Tests run as root and as a user. */
#ifndef COFFER_TESTS_FILES_TREE_H
#define COFFER_TESTS_FILES_TREE_H

#include "files/files.h"

struct tree {
	char top[64];     /* holds ws and out */
	int top_fd, root; /* root: ws */
	struct files files;
	struct err err;
	struct arena arena;
};
extern struct tree tree;

/* For cmocka: a new tree with ws empty, out/secret saying "secret\n"; and its end, which looks whether out is as it was. */
int tree_make(void **state);
int tree_drop(void **state);

void tree_put(const char *path, const char *text);
void tree_mkdir(const char *path);
void tree_link(const char *target, const char *path);
/* The content of a file of at most 64 KiB; "(none)" when it cannot be read. Lives until the next call. */
const char *tree_get(const char *path);
bool tree_has(const char *path);

/* Runs `swap` in a child, over and over in the workspace as its working directory, until tree_quiet. */
void tree_disturb(void (*swap)(void));
void tree_quiet(void);

#endif

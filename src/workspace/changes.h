/*
 * changes.h: how one state of a tree differs from another, as a list.
 *
 * A state is a stack. Only what the layers name that the two do not share is looked at, so the cost is that of the changes, not of the tree. Contents are compared,
 * not guessed from times. Kept of extended attributes: `user.*`, on files and directories. Owners are not compared: a workspace has one.
 */
#ifndef COFFER_WORKSPACE_CHANGES_H
#define COFFER_WORKSPACE_CHANGES_H

#include "base/err.h"
#include "workspace/content.h"
#include "workspace/stack.h"

enum change_kind { CHANGE_ADDED, CHANGE_MODIFIED, CHANGE_DELETED };

/* What a modification is about. */
enum {
	CHANGE_CONTENT = 1 << 0,
	CHANGE_MODE = 1 << 1,
	CHANGE_TYPE = 1 << 2,
	CHANGE_TARGET = 1 << 3, /* where a link leads */
	CHANGE_ATTRIBUTES = 1 << 4,
	CHANGE_TIME = 1 << 5, /* alone: nothing that anybody asked for, but kept by apply */
};

struct change {
	const char *path;
	enum change_kind kind;
	unsigned what;              /* of a modification */
	struct entry before, after; /* ENTRY_NONE where there is none */
	size_t before_layer, after_layer;
	int fault;             /* a positive errno: its content could not be read, so it counts as changed */
	const char *from, *to; /* an addition that is a rename, and the deletion that belongs to it; else NULL */
};
VEC(struct change, change_vec)

struct changes {
	struct stack before, after; /* borrowed descriptors */
	struct change_vec list;     /* by path, in the order of bytes */
	struct arena arena;
	size_t too_deep; /* directories whose paths are too long to be named: what is in them is not listed */
};

/* Fills *ret_changes, which changes_done frees. */
int changes_between(const struct stack *before, const struct stack *after, struct changes *ret_changes, struct err *err);
void changes_done(struct changes *changes);
#define autochanges __attribute__((cleanup(changes_done)))

/* Is it worth showing: more than a time? */
bool change_shows(const struct change *change);
/* The one at exactly this path, or NULL. */
struct change *changes_find(const struct changes *changes, const char *path);

enum change_side { CHANGE_BEFORE, CHANGE_AFTER };
/* A file's content; of nothing and of directories, "". A link's text. */
int changes_load(const struct changes *changes, const struct change *change, enum change_side side, size_t max,
                 struct content *ret_content);
/* A descriptor of the file. */
int changes_open(const struct changes *changes, const struct change *change, enum change_side side);

/* Pairs deletions with additions of the same content. */
int changes_find_renames(struct changes *changes);

/* For those who find differences by other means: adds what distinguishes two places, if anything does. */
int changes_note(struct changes *changes, const char *path, const struct stack_place *before, const struct stack_place *after);
/* A directory that cannot be looked into. */
int changes_note_fault(struct changes *changes, const char *path, int errnum);
void changes_init(struct changes *changes, const struct stack *before, const struct stack *after);
void changes_sort(struct changes *changes);

#endif

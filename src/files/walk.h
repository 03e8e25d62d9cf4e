/*
 * walk.h: going through a tree in the order of names, a directory before what is in it, without entering links.
 *
 * Names of one directory are read, and sorted, before the first of them is visited; what comes or goes meanwhile is seen or not. A directory is opened
 * below the one above it, so whatever is renamed meanwhile, the walk sees parts of what this user could see there at some moment.
 */
#ifndef COFFER_FILES_WALK_H
#define COFFER_FILES_WALK_H

#include "files/files.h"

struct walk_visit {
	int dir;          /* the directory that holds it */
	const char *name; /* in dir */
	const char *path; /* from the top of the walk on; "" for the top itself, which is not visited, but left */
	struct stat st;   /* of the thing itself, not of what a link leads to */
};

struct walk {
	uint64_t entries_max, deadline_ms;
	unsigned depth_max;
	/* WALK_GO, WALK_SKIP (do not enter this directory), WALK_STOP, or a negative errno, which walk_tree returns. */
	int (*visit)(void *self, const struct walk_visit *visit);
	/* A directory that was entered is done: fd is open for reading. May be NULL. */
	int (*leave)(void *self, const struct walk_visit *visit, int fd);
	/* A directory that cannot be read. NULL: it is noted in cut and passed over. */
	int (*unreadable)(void *self, const struct walk_visit *visit, int errnum);
	void *self;
	enum files_cut cut; /* the first reason why something was left out; WALK_STOP is none */
};
enum { WALK_GO, WALK_SKIP, WALK_STOP };

/* Walks what is in the directory `top`, which stays the caller's and is open for reading. */
int walk_tree(struct walk *walk, int top);

#endif

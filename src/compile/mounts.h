/*
 * mounts.h: from regions to mounts. Private to src/compile.
 */
#ifndef COFFER_COMPILE_MOUNTS_H
#define COFFER_COMPILE_MOUNTS_H

#include "base/vec.h"
#include "compile/regions.h"
#include "plan/survey.h"

#include <stdbool.h>
#include <stdint.h>

struct compile;

/* A directory or file of the host that becomes a detached tree, before there is a new root. */
struct source {
	const char *path;
	const char *why;
	const struct survey_entry *entry;
	uint64_t flags;
	bool idmapped;
	uint32_t uid, gid; /* idmapped: whose files become the sandbox's */
	uint64_t slot;
};
VEC(struct source, source_vec)

/* A directory between a protected name and the writable region that it is in: a mount point cannot be renamed. */
struct pin {
	const char *path;
	const struct survey_entry *entry; /* NULL: not looked at; it exists, for what is below it does */
	bool optional;                    /* in a copy, where it may be something else by now */
	const char *why;
};
VEC(struct pin, pin_vec)

/* Does root open the sources, before the jail is born? What it hands over must be detached trees. */
bool mounts_opens_as_root(const struct compile *c);
/* Adds a source; *ret_slot is its tree slot. */
int mounts_add_source(struct compile *c, struct source source, uint64_t *ret_slot);
/* Can directories, files and links be made here: in an empty tree of the sandbox's own? */
bool mounts_is_bare(const struct compile *c, size_t region);
/* Makes a directory where it can be made; else it is there already, or cannot be. */
int mounts_make_dir(struct compile *c, const char *path, const char *why);

#endif

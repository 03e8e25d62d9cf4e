/*
 * regions.h: what each place of the tree is to the sandbox. Private to src/compile.
 *
 * Marks make a tree: the longest path decides. Walking the marks in path order with the standing of the directory above in
 * hand, a region begins wherever that changes. So a region's parent always differs from it, and what is inside a region and in no
 * region below is as the region says.
 */
#ifndef COFFER_COMPILE_REGIONS_H
#define COFFER_COMPILE_REGIONS_H

#include "base/vec.h"
#include "compile/rules.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum access { ACCESS_HIDDEN, ACCESS_READ, ACCESS_WRITE };

struct region {
	const char *path;
	enum access access;
	const char *why;
	const struct survey_entry *entry; /* NULL where nothing of the host is shown */
	bool fresh;                       /* the sandbox's own: nothing of the host is there but what regions below bring */
	bool own;                         /* part of a working tree of the sandbox's own (workspace.c) */
	bool idmapped;                    /* root: what uid and gid own is shown as the sandbox's own */
	uint32_t uid, gid;
	bool opened_below; /* something that is not hidden lies further down */
	size_t parent;     /* index; its own for the first */
	uint64_t slot;     /* of the tree that is placed here (mounts.c) */
};
VEC(struct region, region_vec)

/* Orders paths so that a directory comes right before what is in it: as strcmp does, but with '/' before all other bytes. */
int region_compare_paths(const char *a, const char *b);
/* The region that path is in: its index. regions.at[0] is "/" always. */
size_t region_find(const struct region_vec *regions, const char *path);
/* Is there a host directory here that the sandbox may write to? */
bool region_is_host_writable(const struct region *region);
bool region_is_host_visible(const struct region *region);

#endif

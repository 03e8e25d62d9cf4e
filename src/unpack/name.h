/* name.h: names of entries: what is taken as one, and where it leads. */
#ifndef COFFER_UNPACK_NAME_H
#define COFFER_UNPACK_NAME_H

#include "unpack/unpack.h"

/*
 * The normal form of an entry's name: relative, "." and empty components and a final '/' left out; "" for the directory itself. What else is wrong with
 * it is a failure that says so: absolute, "..", too long, too deep.
 */
enum unpack_status name_take(struct unpack *unpack, const char *name, char ret_name[PATH_BYTES_MAX + 1]);

/*
 * Does a link at `path` (normal) with this text stay in the tree, whatever other such links there are? Relative, up no further than to the root, and only at its
 * beginning: behind a name ".." goes up from wherever that leads.
 */
bool name_keeps_inside(const char *path, const char *target);

/* The last directory that was worked in stays open: archives go through a tree in order. */
struct where {
	int dir;
	char path[PATH_BYTES_MAX + 1];
};
/*
 * Opens the directory that holds `name` (normal, not ""), through no link. `make`: makes what is missing, 0755 and counted. The descriptor is
 * where's. ret_last is in name.
 */
enum unpack_status name_parent(struct unpack *unpack, struct where *where, const char *name, bool make, const char **ret_last);
void where_done(struct where *where);

/* Another entry, or directory, that is made. */
enum unpack_status name_count(struct unpack *unpack);

#endif

/*
 * caps.h: stopping to be privileged. Capabilities are sets of bits, 1 << CAP_…; ambient ones are Linux 4.3.
 */
#ifndef COFFER_SYS_CAPS_H
#define COFFER_SYS_CAPS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Becomes another user and group, without supplementary groups, and keeps these capabilities (and the bounding set) of those
 * that it has. What the kernel takes away meanwhile is given back: the process may write its own id maps (dumpable).
 * The parent-death signal is gone: set it again.
 */
int caps_become(uint32_t uid, uint32_t gid, uint64_t keep);

/*
 * Has this thread, and no other, work on files as that user and group, without supplementary groups and without the capabilities that override
 * permissions: fsuid, so nobody else of that user's can signal or trace it meanwhile. caps_files_back ends that; a process that cannot go back ends.
 * -EPERM for whoever may not become others.
 */
enum { CAPS_GROUPS_MAX = 1024 };
struct caps_files {
	bool changed;
	uint32_t uid, gid;
	int groups_n;
	uint32_t groups[CAPS_GROUPS_MAX];
};
int caps_files_as(uint32_t uid, uint32_t gid, struct caps_files *ret_before);
void caps_files_back(const struct caps_files *before);

/* Keeps these of the capabilities that the process has, for itself alone: what it executes has none of them. */
int caps_keep(uint64_t keep);

/*
 * Empties all five sets and locks the securebits, so that no exec, id change or file gives any back. A process that has none may not touch its
 * bounding set; with no_new_privs that one has no effect either, so 0.
 */
int caps_drop(void);

#endif

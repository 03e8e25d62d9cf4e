/*
 * caps.h: stopping to be privileged. Capabilities are sets of bits, 1 << CAP_…; ambient ones are Linux 4.3.
 */
#ifndef COFFER_SYS_CAPS_H
#define COFFER_SYS_CAPS_H

#include <stdint.h>

/*
 * Becomes another user and group, without supplementary groups, and keeps these capabilities (and the bounding set) of those
 * that it has. What the kernel takes away meanwhile is given back: the process may write its own id maps (dumpable).
 * The parent-death signal is gone: set it again.
 */
int caps_become(uint32_t uid, uint32_t gid, uint64_t keep);

/* Keeps these of the capabilities that the process has, for itself alone: what it executes has none of them. */
int caps_keep(uint64_t keep);

/*
 * Empties all five sets and locks the securebits, so that no exec, id change or file gives any back. A process that has none may not touch its
 * bounding set; with no_new_privs that one has no effect either, so 0.
 */
int caps_drop(void);

#endif

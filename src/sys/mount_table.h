/*
 * mount_table.h: rights of mounts on kernels without mount_setattr (before 5.12), by way of /proc/self/mountinfo.
 */
#ifndef COFFER_SYS_MOUNT_TABLE_H
#define COFFER_SYS_MOUNT_TABLE_H

#include <stdbool.h>

/*
 * Adds MS_ flags to the mount that `fd` is the root of, keeping those that it has; with `recursive` also to all mounts below. -E2BIG for more
 * than 256 of them.
 */
int mount_table_restrict(int fd, unsigned long flags, bool recursive);

#endif

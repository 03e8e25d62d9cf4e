/*
 * tag.h: what comes of a process, whatever it does to be forgotten: daemons leave their group and their session, and have another parent. What
 * nobody can take off is a hard limit (only lowering it needs no privilege, and a filter can refuse that), and every child inherits it. So a process
 * is tagged by its limit of real-time processor time, RLIMIT_RTTIME, which says nothing else where nobody has real-time priority.
 */
#ifndef COFFER_SYS_TAG_H
#define COFFER_SYS_TAG_H

#include <stdint.h>

/* Tags the calling process and all that comes of it. -EPERM where it could not be found by it again. */
int tag_set(uint32_t tag);
/*
 * Kills what has the tag and can be seen in proc, a procfs; none of it can fork once it has been met. Returns how many there were that are no zombies: until
 * that is 0 there may be more. Processes of other users are not met.
 */
unsigned tag_kill(int proc, uint32_t tag);

#endif

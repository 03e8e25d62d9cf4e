/*
 * descend.h: killing everything that comes of a process, where no pid namespace does it. Needs CONFIG_PROC_CHILDREN.
 */
#ifndef COFFER_SYS_DESCEND_H
#define COFFER_SYS_DESCEND_H

/* From now on what loses its parent among this process's descendants becomes its child. */
int descend_adopt(void);
/* Opens the list of this process's children; it can be read after Landlock would refuse to open it. */
int descend_open(void);
/* Kills and reaps children, and theirs as they come up, until there is nothing left. `children` is that list. */
void descend_kill(int children);

#endif

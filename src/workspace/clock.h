/*
 * clock.h: whether a ctime is evidence. A file's ctime cannot be set, only the clock can: so what has an older one than the workspace has been as it is
 * since before, unless the wall clock was set back in between.
 */
#ifndef COFFER_WORKSPACE_CLOCK_H
#define COFFER_WORKSPACE_CLOCK_H

#include "workspace/record.h"

/* The wall clock in the steps that file systems take their times in; the boot's name and the clocks' distance. */
int clock_read(int64_t *ret_wall_ns, struct workspace_clock *ret_clock);
/* Waits, a few milliseconds at most, until whatever changes from now on has a later ctime than all that changed before the call: a file system steps
 * with the kernel's tick, or takes the exact time of what was looked at in between (multigrain times, 6.13). Errors: -errno. */
int clock_pass(void);
/* Was a thing with this ctime there, as it is, when the record was made? `wall_ns` and `now` are what clock_read says. */
bool clock_proves(const struct workspace_record *record, int64_t wall_ns, const struct workspace_clock *now, int64_t ctime_ns);

#endif

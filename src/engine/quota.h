/*
 * quota.h: what a workspace holds, against what it may hold. Nobody but a privileged file system could refuse the write that goes too far, so it is
 * looked at again and again, and what runs is ended once there is too much (docs/decisions/quota.md).
 *
 * Counted are the blocks of files and the names, below the directories of OP_QUOTA. What was removed while it is open is not seen. What cannot be looked into,
 * since its owner closed it or it is too deep, counts as too much.
 */
#ifndef COFFER_ENGINE_QUOTA_H
#define COFFER_ENGINE_QUOTA_H

#include "plan/plan.h"

#include <stdbool.h>
#include <stdint.h>

struct quota_use {
	uint64_t bytes, files;
};

struct quota {
	const struct plan *plan;
	const struct plan_op *op; /* NULL: nothing is to be watched */
	struct quota_use told;    /* the least that has been in use since it was too much; 0 both: it was not */
	bool settles;             /* it was said the last time: what was written before that was heeded is not said again */
	uint64_t at_us;           /* when to look again; WATCH_NEVER: not at all */
};

/* Of the plan's QUOTA, if it has one. */
void quota_init(struct quota *quota, const struct plan *plan, uint64_t at_us);
/*
 * Looks, and says when to look next: the sooner the less there is left, but for a twentieth of the time at most. True when there is too much, and more than the last
 * time that this was said: who removes files from a workspace that is too full is let alone.
 */
bool quota_look(struct quota *quota, uint64_t now_us);
/* Is there too much now? */
bool quota_is_passed(const struct quota *quota);
/* What may still be added. The largest number: anything. */
struct quota_use quota_room(const struct plan *plan);

#endif

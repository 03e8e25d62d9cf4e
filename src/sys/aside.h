/*
 * aside.h: opens and connections that have to wait for a peer, each made by a process of its own, so that a deputy goes on answering the others, the peer among
 * them. The process shares the deputy's descriptors and leaves the new one there, its number in its exit status; the answer is the deputy's.
 * There are few places; more at once are refused.
 */
#ifndef COFFER_SYS_ASIDE_H
#define COFFER_SYS_ASIDE_H

#include "sys/deputy.h"

enum { ASIDE_MAX = 8 };

struct aside {
	struct {
		uint64_t id; /* of the call */
		pid_t pid;   /* 0: free */
		bool cloexec;
		int number;         /* of the caller's descriptor that is replaced; -1: the new one is the answer */
		struct place place; /* shared with it */
	} at[ASIDE_MAX];
};

/* Starts one, which takes the deed's place over. -ENFILE when there are too many. */
int aside_perform(struct aside *aside, uint64_t id, struct deed *deed);
/* A child of this process has ended: its call is answered, if it was for one. */
void aside_reaped(struct aside *aside, int listener, pid_t pid, int status);
/* Ends the processes whose callers are gone. Returns whether there are some left. */
bool aside_tend(struct aside *aside, int listener);

#endif

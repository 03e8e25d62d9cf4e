/*
 * notify.h: init's answers to the calls that the command's filter hands to it. Three kinds, by the call alone (compile/bpf.h):
 *
 *   refused   EPERM, and reported
 *   told      continued at once; then judged, and reported when the kernel will have refused it. Never enforcement
 *   acted     made by init itself, or refused; never continued (sys/deputy.h)
 */
#ifndef COFFER_LAUNCH_NOTIFY_H
#define COFFER_LAUNCH_NOTIFY_H

#include "launch/launch.h"
#include "plan/rules.h"
#include "sys/aside.h"

#include <linux/seccomp.h>

struct notify {
	struct launch *l;
	struct rules rules;
	struct caller_view view;
	uint64_t flags;   /* PLAN_INIT_ */
	uint64_t second;  /* of the clock, that `tokens` are for */
	unsigned tokens;  /* reports that may still be sent in it */
	uint32_t dropped; /* reports that were not */
	struct aside aside;
};

/* Before init's own filter. */
int notify_init(struct notify *n, struct launch *l);
/* Takes one call and answers it. False when the listener has nobody left to listen to. */
bool notify_answer(struct notify *n);

/* Private to notify.c and act.c. */
struct refusal {
	int errnum;
	uint32_t rule;  /* as wire.h's d */
	uint32_t extra; /* as wire.h's e */
};
/* target NULL: there is nothing to tell. */
void notify_report(struct notify *n, const struct seccomp_notif *call, const struct refusal *refusal, const char *target);
void notify_act(struct notify *n, const struct seccomp_notif *call);

#endif

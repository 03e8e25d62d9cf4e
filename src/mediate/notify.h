/*
 * notify.h: init's answers to the calls that a command's filter hands to it. Three kinds, by the call alone (compile/bpf.h):
 *
 *   refused   EPERM, and reported
 *   told      continued at once; then judged, and reported when the kernel will have refused it. Never enforcement
 *   acted     made by init itself, or refused; never continued (sys/deputy.h)
 */
#ifndef COFFER_MEDIATE_NOTIFY_H
#define COFFER_MEDIATE_NOTIFY_H

#include "plan/rules.h"
#include "sys/aside.h"
#include "sys/local.h"

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>

struct notify {
	/* of the command that is listened to; the sockets and the view may be shared with others of the same sandbox */
	int socket;   /* to its engine; -1: nobody is told */
	int listener; /* of its filter, -1: none */
	uint64_t namespaces;
	uint64_t cover; /* the device of what masks and covers are made of; 0: there is none */
	struct rules rules;
	struct caller_view *view;
	const struct local_set *listed; /* sockets of the host that are known by their inodes */
	struct local_set *made;         /* sockets that init has bound */

	uint64_t flags;   /* PLAN_INIT_ */
	uint64_t second;  /* of the clock, that `tokens` are for */
	unsigned tokens;  /* reports that may still be sent in it */
	uint32_t dropped; /* reports that were not */
	struct aside aside;
};

/* When the first group of fields has been filled. The view is one that caller_init made, before init's own filter. */
void notify_init(struct notify *n);
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

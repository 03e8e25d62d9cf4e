/*
 * deputy.h: making a call for a process that may not make it itself, as it would have been made: same result, same errno. Who decides
 * whether it may be made looks at the deed in between:
 *
 *   deputy_prepare   reads the arguments and finds out where the paths lead; changes nothing
 *   deputy_perform   makes the call, relative to the directories that were found, following no link
 *
 * The caller must have this process's root and mounts: where there is a deputy the filter refuses chroot and all that makes namespaces.
 * Between the two nothing may move: the one deputy of a sandbox makes all calls that could. The caller has the same user as
 * this process and no capabilities, so what it may do is left to the kernel. A local socket is a blank (local.h) until then, and its successor takes
 * its place: only under the number that the caller names, and the other side takes this process for the peer's pid. Differences: a terminal that is opened does not become
 * the caller's controlling one; a local socket that is bound by way of a link, or of more than one relative name, has the bare name for its address; what a process has forbidden itself (a Landlock domain or a filter of its own) does not bind its deputy.
 */
#ifndef COFFER_SYS_DEPUTY_H
#define COFFER_SYS_DEPUTY_H

#include "sys/call.h"
#include "sys/caller.h"
#include "sys/local.h"

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>

struct deed {
	const struct call *call;
	struct caller caller;
	uint64_t flags;            /* O_, RENAME_ or AT_; TRUNCATE, BIND and CONNECT: the length */
	uint32_t mode;             /* BIND, CONNECT: the descriptor of the socket */
	unsigned umask;            /* MKDIR, MKNOD, BIND, and OPEN that makes */
	struct place place, other; /* LINK and RENAME: from the first to the second */
	char text[PATH_MAX];       /* SYMLINK: the link's; BIND, CONNECT: the path in the address, or "" */
	struct sockaddr_storage address;

	/* Of sockets. To be set between the two. */
	struct local_set *known; /* where a name that is bound is remembered; NULL: nowhere */
	bool stays_inside;       /* CONNECT: whom this process cannot see is not to be met */
	bool patient;            /* CONNECT: waits until the other side takes it */
	/* Set by deputy_perform. */
	bool replaces; /* the result is a descriptor to put in the place of the caller's */
	bool cloexec;
};

/* -ENOSYS for calls that cannot be made for another (openat2: callers have another way). deputy_done in any case. */
int deputy_prepare(const struct caller_view *view, const struct seccomp_notif *call, struct deed *ret_deed);
/* Would the open wait for a peer? Then it is better made by a process that has nothing else to do. */
bool deputy_would_wait(struct deed *deed);
/*
 * 0 or a negative errno; OPEN, CONNECT and BIND of a blank: a descriptor of this process's, close-on-exec whatever the flags say. CONNECT: -EAGAIN and
 * patient set when it would have to wait, which is also better left to another.
 */
int deputy_perform(struct deed *deed);
void deputy_answer(int listener, uint64_t id, const struct deed *deed, int result);
void deputy_done(struct deed *deed);

#endif

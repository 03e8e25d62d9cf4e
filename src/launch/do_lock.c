/*
 * LOCK, the last slice before exec.
 *
 * Should: no_new_privs, Landlock, init, descriptors, filter, in that order, for each makes the next one safe or possible.
 *
 * Must not: do anything else; open anything by a path of the sandbox for more than its name.
 */
#include "launch/launch.h"

#include "plan/wire.h"
#include "sys/fd.h"
#include "sys/inside.h"
#include "sys/landlock.h"
#include "sys/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

int do_NO_NEW_PRIVS(struct launch *l, const struct plan_op *op)
{
	(void)l;
	(void)op;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

int do_LANDLOCK_OPEN(struct launch *l, const struct plan_op *op)
{
	const struct landlock_handled handled = { plan_number(op, 1), plan_number(op, 2), plan_number(op, 3) };

	l->ruleset = landlock_open((unsigned)plan_number(op, 0), &handled);
	return l->ruleset < 0 ? l->ruleset : 0;
}

/* A path that leads nowhere, through a link, or past what this user can reach: leaving a rule out only denies. */
int do_LANDLOCK_PATH(struct launch *l, const struct plan_op *op)
{
	int fd = inside_open(INSIDE_SELF, plan_text(&l->plan, op, 0)), r;

	if (fd < 0)
		return fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP || fd == -EACCES ? 0 : fd;
	r = landlock_allow(l->ruleset, fd, plan_number(op, 1));
	close(fd);
	return r;
}

int do_LANDLOCK_ENTER(struct launch *l, const struct plan_op *op)
{
	int r = landlock_enter(l->ruleset);

	(void)op;
	close(l->ruleset);
	return r;
}

/*
 * The command's process shares init's descriptors until it executes, so they are not closed but marked: exec takes its own table, and closes
 * them there. The launcher itself has opened all that there are.
 */
int do_CLOSE_FDS(struct launch *l, const struct plan_op *op)
{
	(void)l;
	(void)op;
	return fd_mark_from(3, PLAN_SLOTS_MAX + 64 + 2 * LOCAL_KNOWN_MAX);
}

int do_RESULTS(struct launch *l, const struct plan_op *op)
{
	(void)op;
	if (!l->has_results)
		return -EBADF; /* in a session it would be something else */
	return fcntl(WIRE_RESULTS_FD, F_SETFD, 0) < 0 ? -errno : 0;
}

int do_SECCOMP(struct launch *l, const struct plan_op *op)
{
	size_t bytes;
	const void *filter = plan_blob(&l->plan, op, 0, &bytes);
	int r;

	if (!plan_number(op, 1))
		return seccomp_load(filter, bytes);
	r = seccomp_load_listening(filter, bytes);
	l->listener = r;
	return r < 0 ? r : 0;
}

/*
 * Whose the sandbox is: id maps at BIRTH and ROOT, users and limits in SHED.
 *
 * SHED should: give up, one after another, what the mounts were made with; in an order in which nothing is needed that is gone.
 *
 * Must not: need a privilege that has been shed; keep one that the command has no use for.
 */
#include "launch/launch.h"

#include "sys/caps.h"
#include "sys/inside.h"
#include "sys/keyring.h"
#include "sys/limit.h"
#include "sys/mount.h"
#include "sys/ns.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static uint32_t id(const struct plan_op *op, unsigned operand)
{
	return (uint32_t)plan_number(op, operand);
}

/* A pipe is its maker's: /dev/stdout could not be opened by anybody else. What is no pipe of the engine's is left alone. */
static int give_streams(uint32_t uid, uint32_t gid)
{
	struct statfs fs;

	for (int fd = 0; fd <= 2; fd++) {
		if (fstatfs(fd, &fs) < 0)
			return -errno;
		if (fs.f_type == PIPEFS_MAGIC && fchown(fd, uid, gid) < 0)
			return -errno;
	}
	return 0;
}

int do_WARDEN_USER(struct launch *l, const struct plan_op *op)
{
	int r = give_streams(id(op, 0), id(op, 1));

	(void)l;
	/* Where unprivileged user namespaces are switched off, SPAWN needs the one that is kept. */
	return r < 0 ? r : caps_become(id(op, 0), id(op, 1), 1ull << CAP_SYS_ADMIN);
}

/* One user namespace serves all trees with the same map, and in practice all have. */
int do_TREE_IDMAP(struct launch *l, const struct plan_op *op)
{
	const struct ns_map map = { id(op, 1), id(op, 2), id(op, 3), id(op, 4) };
	int tree = l->slot[plan_number(op, 0)].fd;

	if (tree < 0)
		return 0;
	if (l->userns < 0 || memcmp(&l->map, &map, sizeof(map)) != 0) {
		if (l->userns >= 0)
			close(l->userns);
		l->map = map;
		l->userns = ns_user_open(&map);
	}
	return l->userns < 0 ? l->userns : mount_tree_idmap(tree, l->userns);
}

int do_IDMAP(struct launch *l, const struct plan_op *op)
{
	const struct ns_map map = { id(op, 0), id(op, 1), id(op, 2), id(op, 3) };

	(void)l;
	return ns_map_self(&map);
}

/* The kernel forgets the parent-death signal when ids change. */
static int become(const struct launch *l, const struct plan_op *op, uint64_t keep)
{
	int r = caps_become(id(op, 0), id(op, 1), keep);

	return r < 0 ? r : jail_watch_warden(l);
}

int do_BECOME(struct launch *l, const struct plan_op *op)
{
	if (getuid() == id(op, 0) && geteuid() == id(op, 0) && getgid() == id(op, 1) && getegid() == id(op, 1))
		return 0; /* the map of one id made it so */
	return become(l, op, UINT64_MAX);
}

/* The session itself is for the command to start, once it is a process of its own: init needs none, and each one costs the scheduler. */
int do_SESSION(struct launch *l, const struct plan_op *op)
{
	int r = keyring_leave();

	(void)op;
	l->session = true;
	/* Around us is a filter, as container engines load it, that keeps keys from the command as well; its own one does so in any case. */
	return r == -EPERM || r == -ENOSYS ? 0 : r;
}

int do_RLIMIT(struct launch *l, const struct plan_op *op)
{
	(void)l;
	return limit_set(id(op, 0), plan_number(op, 1), plan_number(op, 2));
}

int do_CHDIR(struct launch *l, const struct plan_op *op)
{
	return inside_enter(plan_text(&l->plan, op, 0));
}

int do_UMASK(struct launch *l, const struct plan_op *op)
{
	(void)l;
	(void)umask((mode_t)plan_number(op, 0));
	return 0;
}

int do_IDS(struct launch *l, const struct plan_op *op)
{
	int r = give_streams(id(op, 0), id(op, 1));

	return r < 0 ? r : become(l, op, 1ull << CAP_SETPCAP); /* CAPS_DROP, the next but one, takes the rest */
}

int do_CAPS_DROP(struct launch *l, const struct plan_op *op)
{
	(void)l;
	(void)op;
	return caps_drop();
}

/*
 * Whose the sandbox is: id maps at BIRTH and ROOT, users and limits in SHED.
 *
 * SHED should: give up, one after another, what the mounts were made with; in an order in which nothing is needed that is gone.
 *
 * Must not: need a privilege that has been shed; keep one that the command has no use for.
 */
#include "launch/launch.h"

#include "sys/caps.h"
#include "sys/keyring.h"
#include "sys/limit.h"
#include "sys/mount.h"
#include "sys/ns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static uint32_t id(const struct plan_op *op, unsigned operand)
{
	return (uint32_t)plan_number(op, operand);
}

/* A user namespace for each distinct map; the last few are kept, and are all there are in practice. */
static int map_namespace(const struct ns_map *map)
{
	static struct {
		struct ns_map map;
		int fd;
	} made[4];
	static unsigned next;

	for (unsigned i = 0; i < next && i < 4; i++)
		if (memcmp(&made[i].map, map, sizeof(*map)) == 0)
			return made[i].fd;

	int fd = ns_user_open(map);

	if (fd < 0)
		return fd;
	if (next >= 4)
		close(made[next % 4].fd);
	made[next % 4].map = *map;
	made[next++ % 4].fd = fd;
	return fd;
}

int do_TREE_IDMAP(struct launch *l, const struct plan_op *op)
{
	const struct ns_map map = { id(op, 1), id(op, 2), id(op, 3), id(op, 4) };
	int tree = l->slot[plan_number(op, 0)].fd, userns;

	if (tree < 0)
		return 0;
	userns = map_namespace(&map);
	return userns < 0 ? userns : mount_tree_idmap(tree, userns);
}

int do_IDMAP(struct launch *l, const struct plan_op *op)
{
	const struct ns_map map = { id(op, 0), id(op, 1), id(op, 2), id(op, 3) };

	(void)l;
	return ns_map_self(&map);
}

/* The kernel forgets the parent-death signal when ids change. */
static int become(uint32_t uid, uint32_t gid, uint64_t keep)
{
	int r = caps_become(uid, gid, keep);

	return r == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ? -errno : r;
}

int do_BECOME(struct launch *l, const struct plan_op *op)
{
	(void)l;
	if (getuid() == id(op, 0) && geteuid() == id(op, 0) && getgid() == id(op, 1) && getegid() == id(op, 1))
		return 0; /* the map of one id made it so */
	return become(id(op, 0), id(op, 1), UINT64_MAX);
}

int do_SESSION(struct launch *l, const struct plan_op *op)
{
	(void)op;
	l->session = true; /* the command starts one, too, once it is a process of its own */
	if (setsid() < 0 && errno != EPERM) /* EPERM: it leads one already */
		return -errno;
	return keyring_leave();
}

int do_RLIMIT(struct launch *l, const struct plan_op *op)
{
	(void)l;
	return limit_set(id(op, 0), plan_number(op, 1), plan_number(op, 2));
}

/* Not through a link of procfs, which may lead anywhere; and where it led must be below the root. */
int do_CHDIR(struct launch *l, const struct plan_op *op)
{
	struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS };
	const char *path = plan_text(&l->plan, op, 0);
	long fd = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
	char cwd[4096];
	int r;

	if (fd < 0 && errno == ENOSYS)
		r = chdir(path);
	else
		r = fd < 0 ? -1 : fchdir((int)fd);
	if (r < 0)
		return -errno;
	if (fd >= 0)
		close((int)fd);
	return syscall(SYS_getcwd, cwd, sizeof(cwd)) > 0 && cwd[0] == '/' ? 0 : -EXDEV;
}

int do_UMASK(struct launch *l, const struct plan_op *op)
{
	(void)l;
	(void)umask((mode_t)plan_number(op, 0));
	return 0;
}

int do_IDS(struct launch *l, const struct plan_op *op)
{
	(void)l;
	return become(id(op, 0), id(op, 1), 1ull << CAP_SETPCAP); /* CAPS_DROP, the next but one, takes the rest */
}

int do_CAPS_DROP(struct launch *l, const struct plan_op *op)
{
	(void)l;
	(void)op;
	return caps_drop();
}

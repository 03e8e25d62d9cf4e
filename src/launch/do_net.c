/* What else belongs to the new namespaces: their parameters, their network, their name. */
#include "launch/launch.h"

#include "sys/inside.h"
#include "sys/netlink.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* In the host's procfs, which shows each process the parameters of its own namespaces. */
int do_SYSCTL(struct launch *l, const struct plan_op *op)
{
	const char *value = plan_text(&l->plan, op, 1);
	int top = inside_open(INSIDE_SELF, "/proc/sys"), fd, r;

	if (top < 0)
		return top;
	fd = openat(top, plan_text(&l->plan, op, 0), O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	r = fd < 0 || write(fd, value, strlen(value)) < 0 ? -errno : 0;
	if (fd >= 0)
		close(fd);
	close(top);
	return r;
}

int do_LOOPBACK(struct launch *l, const struct plan_op *op)
{
	(void)l;
	(void)op;
	return netlink_loopback_up();
}

int do_HOSTNAME(struct launch *l, const struct plan_op *op)
{
	const char *name = plan_text(&l->plan, op, 0);

	return sethostname(name, strlen(name)) < 0 ? -errno : 0;
}

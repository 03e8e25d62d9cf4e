/* What else belongs to the new namespaces: their parameters, their network, their name. */
#include "launch/launch.h"

#include "plan/wire.h"
#include "sys/inside.h"
#include "sys/netlink.h"
#include "sys/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
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

/* The socket belongs to the sandbox's network, and the filter outside has it alone. */
int do_LISTEN(struct launch *l, const struct plan_op *op)
{
	const struct wire message = { .type = WIRE_LISTENER };
	const struct sockaddr_in here = { .sin_family = AF_INET,
		                          .sin_port = htons((uint16_t)plan_number(op, 0)),
		                          .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), r = 0;

	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&here, sizeof(here)) < 0 || listen(fd, SOMAXCONN) < 0)
		r = -errno;
	if (r == 0)
		r = sock_send_fd(l->socket, &message, sizeof(message), fd);
	close(fd);
	return r;
}

int do_HOSTNAME(struct launch *l, const struct plan_op *op)
{
	const char *name = plan_text(&l->plan, op, 0);

	return sethostname(name, strlen(name)) < 0 ? -errno : 0;
}

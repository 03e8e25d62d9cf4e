/* What else belongs to the new namespaces: their parameters, their network, their name. */
#include "launch/launch.h"

#include "plan/wire.h"
#include "sys/inside.h"
#include "sys/netlink.h"
#include "sys/nft.h"
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

/* ---- ways to the filter ---- */

union address {
	struct sockaddr any;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
};

/* A socket of the sandbox's loopback that the filter outside has alone. *port 0: any, and *port says which. */
static int give_socket(struct launch *l, enum wire_listener kind, sa_family_t family, uint16_t *port)
{
	const struct wire message = { .type = WIRE_LISTENER, .a = kind };
	int type = kind == WIRE_LISTENER_RESOLVER ? SOCK_DGRAM : SOCK_STREAM, fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
	    r = 0;
	union address here = { .any.sa_family = family };
	socklen_t n = family == AF_INET ? sizeof(here.four) : sizeof(here.six);

	if (fd < 0)
		return -errno;
	here.four.sin_port = htons(*port); /* in IPv6 it has the same place */
	if (family == AF_INET)
		here.four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		here.six.sin6_addr = in6addr_loopback;
	if (bind(fd, &here.any, n) < 0 || (type == SOCK_STREAM && listen(fd, SOMAXCONN) < 0) || getsockname(fd, &here.any, &n) < 0)
		r = -errno;
	if (r == 0)
		r = sock_send_fd(l->socket, &message, sizeof(message), fd);
	*port = ntohs(here.four.sin_port);
	close(fd);
	return r;
}

int do_LISTEN(struct launch *l, const struct plan_op *op)
{
	uint16_t port = (uint16_t)plan_number(op, 0);

	return give_socket(l, WIRE_LISTENER_PROXY, AF_INET, &port);
}

/* Whether there are tables for it shows last; sockets that nothing leads to do no harm. Without IPv6 there is none to lead. */
int do_REDIRECT(struct launch *l, const struct plan_op *op)
{
	struct nft_redirect redirect = { 0 };
	int r = give_socket(l, WIRE_LISTENER_TRANSPARENT, AF_INET, &redirect.tcp4);

	(void)op;
	if (r == 0)
		r = give_socket(l, WIRE_LISTENER_RESOLVER, AF_INET, &redirect.dns4);
	if (r == 0)
		r = netlink_own_everything(AF_INET);
	if (r == 0 && (give_socket(l, WIRE_LISTENER_TRANSPARENT, AF_INET6, &redirect.tcp6) < 0 || netlink_own_everything(AF_INET6) < 0))
		redirect.tcp6 = 0;
	return r == 0 ? nft_redirect(&redirect) : r;
}

int do_HOSTNAME(struct launch *l, const struct plan_op *op)
{
	const char *name = plan_text(&l->plan, op, 0);

	return sethostname(name, strlen(name)) < 0 ? -errno : 0;
}

/* What else belongs to the new namespaces: their parameters, their network, their name. */
#include "launch/launch.h"

#include "base/own.h"
#include "plan/wire.h"
#include "sys/inside.h"
#include "sys/netlink.h"
#include "sys/nft.h"
#include "sys/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* In the host's procfs, which shows each process the parameters of its own namespaces. */
int do_SYSCTL(struct launch *l, const struct plan_op *op)
{
	const char *value = plan_text(&l->plan, op, 1);
	autofd int top = inside_open(INSIDE_SELF, "/proc/sys");
	autofd int fd = top < 0 ? top : openat(top, plan_text(&l->plan, op, 0), O_WRONLY | O_NOFOLLOW | O_CLOEXEC);

	return top < 0 ? top : fd < 0 || write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

int do_LOOPBACK(struct launch *l, const struct plan_op *op)
{
	(void)l;
	(void)op;
	return netlink_loopback_up();
}

/* ---- ways to the filter ---- */

/* A socket of the sandbox's loopback that the filter outside has alone. *port 0: any, and *port says which. */
static int give_socket(struct launch *l, enum wire_listener kind, sa_family_t family, uint16_t *port)
{
	const struct wire message = { .type = WIRE_LISTENER, .a = kind };
	int fd = sock_loopback(family, kind == WIRE_LISTENER_RESOLVER ? SOCK_DGRAM : SOCK_STREAM, port), r;

	if (fd < 0)
		return fd;
	r = sock_send_fd(l->socket, &message, sizeof(message), fd);
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

/* It is the first thing that the engine says: it knows of no signal before. */
int do_AWAIT(struct launch *l, const struct plan_op *op)
{
	struct wire message;

	(void)op;
	return recv(l->socket, &message, sizeof(message), 0) == sizeof(message) && message.type == WIRE_READY ? 0 : -EPIPE;
}

int do_HOSTNAME(struct launch *l, const struct plan_op *op)
{
	const char *name = plan_text(&l->plan, op, 0);

	return sethostname(name, strlen(name)) < 0 ? -errno : 0;
}

#include "sys/netlink.h"

#include "base/own.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LOOPBACK = 1 /* the first interface of every namespace */ };

static void *take_room(struct netlink *netlink, size_t n)
{
	size_t at = netlink->n, padded = NLMSG_ALIGN(n);

	if (padded > sizeof(netlink->bytes) - at) {
		netlink->full = true;
		return NULL;
	}
	netlink->n += padded;
	return memset(netlink->bytes + at, 0, padded);
}

void netlink_begin(struct netlink *netlink, unsigned type, unsigned flags, const void *body, size_t n)
{
	struct nlmsghdr *head;

	netlink->message = netlink->n;
	head = take_room(netlink, sizeof(*head));
	if (head)
		*head = (struct nlmsghdr){ .nlmsg_type = (uint16_t)type, .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags) };

	void *room = take_room(netlink, n);

	if (room)
		memcpy(room, body, n);
}

void netlink_end(struct netlink *netlink)
{
	struct nlmsghdr head;

	if (netlink->full)
		return;
	memcpy(&head, netlink->bytes + netlink->message, sizeof(head));
	head.nlmsg_len = (uint32_t)(netlink->n - netlink->message);
	memcpy(netlink->bytes + netlink->message, &head, sizeof(head));
}

void netlink_add(struct netlink *netlink, unsigned attribute, const void *bytes, size_t n)
{
	const struct rtattr head = { .rta_len = (uint16_t)RTA_LENGTH(n), .rta_type = (uint16_t)attribute };
	unsigned char *room = take_room(netlink, RTA_LENGTH(n));

	if (!room)
		return;
	memcpy(room, &head, sizeof(head));
	memcpy(room + RTA_LENGTH(0), bytes, n);
}

size_t netlink_open(struct netlink *netlink, unsigned attribute)
{
	size_t at = netlink->n;

	netlink_add(netlink, attribute | NLA_F_NESTED, "", 0);
	return at;
}

void netlink_close(struct netlink *netlink, size_t opened)
{
	uint16_t length = (uint16_t)(netlink->n - opened);

	if (!netlink->full)
		memcpy(netlink->bytes + opened, &length, sizeof(length));
}

/* The kernel has acted when send returns, and its answer lies there. */
int netlink_send(const struct netlink *netlink, int protocol)
{
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
	} answer;
	autofd int fd = netlink->full ? -1 : socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		return netlink->full ? -ENOBUFS : -errno;
	if (send(fd, netlink->bytes, netlink->n, 0) < 0)
		return -errno;

	ssize_t n = recv(fd, &answer, sizeof(answer), MSG_DONTWAIT);

	if (n < 0)
		return -errno;
	return (size_t)n >= sizeof(answer) && answer.head.nlmsg_type == NLMSG_ERROR ? answer.error.error : -EPROTO;
}

/* ---- rtnetlink ---- */

int netlink_loopback_up(void)
{
	const struct ifinfomsg link = { .ifi_family = AF_UNSPEC, .ifi_index = LOOPBACK, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	struct netlink up = { 0 };

	netlink_begin(&up, RTM_NEWLINK, NLM_F_ACK, &link, sizeof(link));
	netlink_end(&up);
	return netlink_send(&up, NETLINK_ROUTE);
}

const unsigned char netlink_own_address[4] = { 198, 18, 0, 1 };

static int add_own_address(void)
{
	const struct ifaddrmsg link = { .ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_scope = RT_SCOPE_UNIVERSE, .ifa_index = LOOPBACK };
	struct netlink add = { 0 };

	netlink_begin(&add, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE, &link, sizeof(link));
	netlink_add(&add, IFA_LOCAL, netlink_own_address, sizeof(netlink_own_address));
	netlink_end(&add);
	return netlink_send(&add, NETLINK_ROUTE);
}

int netlink_own_everything(unsigned char family)
{
	const struct rtmsg everything = { .rtm_family = family,
		                          .rtm_table = RT_TABLE_LOCAL,
		                          .rtm_protocol = RTPROT_STATIC,
		                          .rtm_scope = RT_SCOPE_HOST,
		                          .rtm_type = RTN_LOCAL };
	const uint32_t loopback = LOOPBACK;
	struct netlink route = { 0 };
	int r = family == AF_INET ? add_own_address() : 0;

	if (r < 0)
		return r;
	netlink_begin(&route, RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE, &everything, sizeof(everything));
	netlink_add(&route, RTA_OIF, &loopback, sizeof(loopback));
	if (family == AF_INET)
		netlink_add(&route, RTA_PREFSRC, netlink_own_address, sizeof(netlink_own_address));
	netlink_end(&route);
	return netlink_send(&route, NETLINK_ROUTE);
}

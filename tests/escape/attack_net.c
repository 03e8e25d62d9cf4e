#include "attack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_alg.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int connect_to(const char *address, int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	inet_pton(AF_INET, address, &to.sin_addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return breach_if(fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0);
}

static int connect_loopback(void)
{
	return connect_to("127.0.0.1", (int)target_number("A_PORT"));
}

static int connect_mapped(void)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)target_number("A_PORT")) };
	inet_pton(AF_INET6, "::ffff:127.0.0.1", &to.sin6_addr);
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return breach_if(fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0);
}

static int connect_host_address(void)
{
	return connect_to(target("A_ADDRESS"), (int)target_number("A_PORT"));
}

static int send_datagram(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)target_number("A_UDP")) };
	inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || sendto(fd, CANARY, strlen(CANARY), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		return REFUSED;
	char answer[8];
	struct timeval wait = { 1, 0 };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	return breach_if(recv(fd, answer, sizeof(answer), 0) > 0);
}

static int unix_connect(const char *name, bool abstract, int type)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t n = strlen(name);
	if (n + 2 > sizeof(to.sun_path))
		return NO_TARGET;
	memcpy(to.sun_path + abstract, name, n);
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	socklen_t len = (socklen_t)(sizeof(sa_family_t) + n + (abstract ? 1 : 1));
	return breach_if(fd >= 0 && connect(fd, (struct sockaddr *)&to, len) == 0);
}

static int connect_unix_outside(void)
{
	return unix_connect(target_path("A_OUT", "sock"), false, SOCK_STREAM);
}

/* In a directory that is visible: a read-only mount does not stop connect(2). */
static int connect_unix_in_workspace(void)
{
	return unix_connect(target_path("A_WS", "sock"), false, SOCK_STREAM);
}

static int datagram_unix_in_workspace(void)
{
	int pair[2];
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	snprintf(to.sun_path, sizeof(to.sun_path), "%s/dgram", target("A_WS"));
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (fd >= 0 && sendto(fd, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to)) == 1)
		return BREACH;
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair))
		return REFUSED;
	return breach_if(sendto(pair[0], "x", 1, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to)) == 1);
}

static int connect_abstract(void)
{
	return unix_connect(target("A_ABSTRACT"), true, SOCK_STREAM);
}

static int open_family(int family, int type, int protocol)
{
	return breach_if(socket(family, type | SOCK_CLOEXEC, protocol) >= 0);
}

static int packet_socket(void)
{
	return open_family(AF_PACKET, SOCK_RAW, htons(3));
}

static int crypto_socket(void)
{
	return open_family(AF_ALG, SOCK_SEQPACKET, 0);
}

static int vm_socket(void)
{
	return open_family(AF_VSOCK, SOCK_STREAM, 0);
}

static int raw_socket(void)
{
	return open_family(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

static int multipath_socket(void)
{
	return open_family(AF_INET, SOCK_STREAM, 262);
}

static int event_socket(void)
{
	return open_family(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT);
}

static int audit_socket(void)
{
	return open_family(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT);
}

static int netfilter_socket(void)
{
	return open_family(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
}

static int bluetooth_or_can_socket(void)
{
	return breach_if(socket(AF_TIPC, SOCK_RDM, 0) >= 0 || socket(AF_CAN, SOCK_RAW, 1) >= 0 || socket(AF_KEY, SOCK_RAW, 2) >= 0 ||
	                 socket(AF_QIPCRTR, SOCK_DGRAM, 0) >= 0 || socket(AF_RDS, SOCK_SEQPACKET, 0) >= 0 ||
	                 socket(44 /* AF_XDP */, SOCK_RAW, 0) >= 0);
}

static int configure_interface(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	struct sockaddr_in *address = (struct sockaddr_in *)&request.ifr_addr;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	address->sin_family = AF_INET;
	inet_pton(AF_INET, "127.0.0.1", &address->sin_addr);
	return breach_if(fd >= 0 && ioctl(fd, SIOCSIFADDR, &request) == 0);
}

const struct attack net_attacks[] = {
	{ "connect_loopback", connect_loopback },
	{ "connect_mapped", connect_mapped },
	{ "connect_host_address", connect_host_address },
	{ "send_datagram", send_datagram },
	{ "connect_unix_outside", connect_unix_outside },
	{ "connect_unix_in_workspace", connect_unix_in_workspace },
	{ "datagram_unix_in_workspace", datagram_unix_in_workspace },
	{ "connect_abstract", connect_abstract },
	{ "packet_socket", packet_socket },
	{ "crypto_socket", crypto_socket },
	{ "vm_socket", vm_socket },
	{ "raw_socket", raw_socket },
	{ "multipath_socket", multipath_socket },
	{ "event_socket", event_socket },
	{ "audit_socket", audit_socket },
	{ "netfilter_socket", netfilter_socket },
	{ "bluetooth_or_can_socket", bluetooth_or_can_socket },
	{ "configure_interface", configure_interface },
	{ NULL, NULL },
};

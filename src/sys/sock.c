#include "sys/sock.h"

#include "base/own.h"
#include "sys/fd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

int sock_pair(int ret_ends[2])
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;

	autofd int ours = ends[0];
	autofd int theirs = ends[1];
	int r = fd_raise(&ours);

	if (r == 0)
		r = fd_raise(&theirs);
	if (r < 0)
		return r;
	ret_ends[0] = TAKE_FD(ours);
	ret_ends[1] = TAKE_FD(theirs);
	return 0;
}

int sock_send(int fd, const void *packet, size_t n)
{
	ssize_t sent;

	do
		sent = send(fd, packet, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

int sock_send_fds(int fd, const void *packet, size_t n, const int *passed, size_t passed_n)
{
	struct iovec part = { (void *)(uintptr_t)packet, n };
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(SOCK_FDS_MAX * sizeof(int))];
	} control = { 0 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control };
	ssize_t sent;

	if (passed_n > SOCK_FDS_MAX)
		return -EINVAL;
	message.msg_controllen = CMSG_SPACE(passed_n * sizeof(int));
	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(passed_n * sizeof(int));
	memcpy(CMSG_DATA(&control.head), passed, passed_n * sizeof(int));
	do
		sent = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

int sock_send_fd(int fd, const void *packet, size_t n, int passed)
{
	return sock_send_fds(fd, packet, n, &passed, 1);
}

/* What came, raised; what is more than was asked for is closed. Returns how many there were. There is one control message at most. */
static size_t take_descriptors(struct msghdr *message, int *ret_fds, size_t fds_n)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(message);
	size_t n = 0;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return 0;
	for (size_t at = CMSG_LEN(0); at + sizeof(int) <= c->cmsg_len; at += sizeof(int), n++) {
		autofd int fd = -1;

		memcpy(&fd, (const char *)c + at, sizeof(fd));
		if (n < fds_n && fd_raise(&fd) == 0)
			ret_fds[n] = TAKE_FD(fd);
	}
	return n;
}

/* ret_fds: -1 each, or what came. */
static ssize_t receive(int fd, struct iovec part, int *ret_fds, size_t fds_n, size_t *ret_came)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(SOCK_FDS_MAX * sizeof(int))];
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control };
	ssize_t n;

	message.msg_controllen = CMSG_SPACE(fds_n * sizeof(int));
	for (size_t i = 0; i < fds_n; i++)
		ret_fds[i] = -1;
	do
		n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	*ret_came = take_descriptors(&message, ret_fds, fds_n);
	return message.msg_flags & MSG_TRUNC ? -EMSGSIZE : n;
}

ssize_t sock_receive_fds(int fd, void *packet, size_t room, int *ret_fds, size_t fds_n)
{
	size_t came = 0;
	ssize_t n = receive(fd, (struct iovec){ packet, room }, ret_fds, fds_n, &came);
	bool complete = came == fds_n;

	if (n > 0 && came == 0)
		return n;
	for (size_t i = 0; i < fds_n; i++)
		complete = complete && ret_fds[i] >= 0;
	if (n > 0 && complete)
		return n;
	for (size_t i = 0; i < fds_n; i++)
		own_close(&ret_fds[i]);
	return n > 0 ? -EPROTO : n;
}

ssize_t sock_receive(int fd, void *packet, size_t room, int *ret_fd)
{
	size_t came;
	int one = -1;
	ssize_t n = receive(fd, (struct iovec){ packet, room }, &one, 1, &came);

	if (n < 0)
		own_close(&one);
	else
		*ret_fd = one;
	return n;
}

static socklen_t parse_address(const char *address, uint16_t port, struct sockaddr_storage *ret)
{
	struct sockaddr_in *four = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)ret;

	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, address, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons(port);
		return sizeof(*four);
	}
	if (inet_pton(AF_INET6, address, &six->sin6_addr) != 1)
		return 0;
	six->sin6_family = AF_INET6;
	six->sin6_port = htons(port);
	return sizeof(*six);
}

int sock_listen(const char *address, uint16_t port)
{
	static const int on = 1;
	struct sockaddr_storage here;
	socklen_t len = parse_address(address, port, &here);
	autofd int fd = len ? socket(here.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) : -1;

	if (!len)
		return -EINVAL;
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -errno;
	if (here.ss_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&here, len) < 0 || listen(fd, SOMAXCONN) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int sock_send_new(int fd, const void *packet, size_t n)
{
	autofd int new = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return new < 0 ? sock_send(fd, packet, n) : sock_send_fd(fd, packet, n, new);
}

int sock_loopback(int family, int type, uint16_t *port)
{
	struct sockaddr_storage here;
	socklen_t len = parse_address(family == AF_INET ? "127.0.0.1" : "::1", *port, &here);
	autofd int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&here, len) < 0 || (type == SOCK_STREAM && listen(fd, SOMAXCONN) < 0) ||
	    getsockname(fd, (struct sockaddr *)&here, &len) < 0)
		return -errno;
	*port = ntohs(((const struct sockaddr_in *)&here)->sin_port); /* in IPv6 it has the same place */
	return TAKE_FD(fd);
}

#include "sys/local.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

int local_blank(int type, int protocol)
{
	int kind = type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK), pair[2];

	if (protocol != 0 && protocol != PF_UNIX)
		return -EPROTONOSUPPORT;
	if (kind != SOCK_STREAM && kind != SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;
	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	close(pair[1]);
	return pair[0];
}

static int option(int fd, int name)
{
	int value = 0;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, name, &value, &len) < 0 ? -1 : value;
}

/* A socket that was never connected has no peer to ask for. */
bool local_is_blank(int fd)
{
	struct pollfd look = { .fd = fd };
	struct sockaddr_un peer;
	socklen_t len = sizeof(peer);
	int type = option(fd, SO_TYPE);

	if (option(fd, SO_DOMAIN) != AF_UNIX || (type != SOCK_STREAM && type != SOCK_SEQPACKET))
		return false;
	return poll(&look, 1, 0) > 0 && look.revents & POLLHUP && getpeername(fd, (struct sockaddr *)&peer, &len) == 0;
}

/* What programs set before they connect. The kernel tells twice the size of a buffer that it was told. */
static void take_options(int from, int to)
{
	static const int names[] = { SO_SNDTIMEO, SO_RCVTIMEO, SO_PASSCRED };

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct timeval value; /* the largest of them */
		socklen_t len = sizeof(value);

		if (getsockopt(from, SOL_SOCKET, names[i], &value, &len) == 0)
			(void)setsockopt(to, SOL_SOCKET, names[i], &value, len);
	}
	for (int name = SO_SNDBUF; name <= SO_RCVBUF; name++) {
		int size = option(from, name) / 2;

		if (size > 0 && size != option(to, name) / 2)
			(void)setsockopt(to, SOL_SOCKET, name, &size, sizeof(size));
	}
}

int local_successor(int blank)
{
	int type = option(blank, SO_TYPE), fd = type < 0 ? -1 : socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	take_options(blank, fd);
	return fd;
}

static void forget(struct local_set *set, unsigned i)
{
	close(set->fd[i]);
	set->n--;
	set->fd[i] = set->fd[set->n];
	set->dev[i] = set->dev[set->n];
	set->ino[i] = set->ino[set->n];
}

static void forget_nameless(struct local_set *set)
{
	struct stat st;

	for (unsigned i = set->n; i--;)
		if (fstat(set->fd[i], &st) == 0 && st.st_nlink == 0)
			forget(set, i);
}

int local_set_add(struct local_set *set, int take_fd)
{
	struct stat st;
	int r = fstat(take_fd, &st) < 0 ? -errno : S_ISSOCK(st.st_mode) ? 0 : -ENOTSOCK;

	if (r == 0 && set->n == LOCAL_KNOWN_MAX)
		forget_nameless(set);
	if (r == 0 && set->n == LOCAL_KNOWN_MAX)
		r = -ENFILE;
	if (r < 0) {
		close(take_fd);
		return r;
	}
	set->fd[set->n] = take_fd;
	set->dev[set->n] = st.st_dev;
	set->ino[set->n] = st.st_ino;
	set->n++;
	return 0;
}

bool local_set_has(const struct local_set *set, const struct stat *st)
{
	for (unsigned i = 0; i < set->n; i++)
		if (set->dev[i] == st->st_dev && set->ino[i] == st->st_ino)
			return true;
	return false;
}

/* The kernel tells a process of another namespace as 0. */
bool local_peer_is_visible(int fd)
{
	struct ucred peer = { 0 };
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.pid > 0;
}

#include "engine/live.h"

#include "base/own.h"
#include "base/path.h"
#include "engine/spawn.h"
#include "sys/fd.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

enum { ANSWER_MS = 10000 };

/* A path in an address is short; one through the directory's descriptor always is. */
static int open_at(int dir, const char *name, struct sockaddr_un *ret_address)
{
	int n, fd;

	*ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	n = snprintf(ret_address->sun_path, sizeof(ret_address->sun_path), "/proc/self/fd/%d/%s", dir, name);
	if ((size_t)n >= sizeof(ret_address->sun_path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

int live_connect(int dir, const char *name)
{
	struct sockaddr_un address;
	autofd int fd = open_at(dir, name, &address);

	if (fd < 0)
		return fd;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int live_listen(int dir, const char *name)
{
	struct sockaddr_un address;
	autofd int fd = open_at(dir, name, &address);

	if (fd < 0)
		return fd;
	(void)unlinkat(dir, name, 0); /* a dead one's */
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 || fchmodat(dir, name, 0600, 0) < 0 ||
	    listen(fd, SOMAXCONN) < 0)
		return -errno;
	return TAKE_FD(fd);
}

/* Has the peer's number been its own all the time? Before Linux 6.5 nobody can say. */
static bool is_still_there(int fd)
{
	enum { PEER_PIDFD = 77 /* SO_PEERPIDFD */ };
	int pidfd;
	socklen_t len = sizeof(pidfd);

	if (getsockopt(fd, SOL_SOCKET, PEER_PIDFD, &pidfd, &len) < 0)
		return errno == ENOPROTOOPT;

	autofd int peer = pidfd;

	return syscall(SYS_pidfd_send_signal, peer, 0, NULL, 0) == 0;
}

/* What runs in a sandbox is this user, too, and may see all sockets of the host's. */
static bool is_inside(pid_t pid)
{
	char path[sizeof("/proc//ns/user") + 3 * sizeof(pid)];
	struct stat its, ours;

	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	return stat(path, &its) < 0 || stat("/proc/self/ns/user", &ours) < 0 || its.st_dev != ours.st_dev || its.st_ino != ours.st_ino;
}

/* How many filters are on the process; 0 where the kernel does not say (before 5.9). */
static uint64_t count_filters(pid_t pid)
{
	static const char name[] = "\nSeccomp_filters:";
	char path[sizeof("/proc//status") + 3 * sizeof(pid)], text[4096];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	n = file_read_at(AT_FDCWD, path, text, sizeof(text));

	const char *line = n > 0 ? strstr(text, name) : NULL;

	return line ? strtoull(line + sizeof(name) - 1, NULL, 10) : 0;
}

/* On rung two a sandbox has this user's namespaces; but its filters, which nobody takes off. */
static bool is_filtered(pid_t pid)
{
	return count_filters(pid) > count_filters(getpid());
}

int live_check_peer(int fd, bool connects)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return -errno;
	if (peer.uid != geteuid() && peer.uid != 0)
		return -EPERM;
	return connects && peer.uid != 0 && (is_inside(peer.pid) || is_filtered(peer.pid) || !is_still_there(fd)) ? -EPERM : 0;
}

static int wait_for_packet(int fd)
{
	struct pollfd wanted = { .fd = fd, .events = POLLIN };
	int r;

	do
		r = poll(&wanted, 1, ANSWER_MS);
	while (r < 0 && errno == EINTR);
	return r == 1 ? 0 : r == 0 ? -ETIMEDOUT : -errno;
}

int live_hear_started(int socket, const char *name, uint32_t *ret_refused_op, struct err *err)
{
	struct pollfd wanted = { .fd = socket, .events = POLLIN };
	struct live_started started;
	ssize_t n;
	int r;

	do
		r = poll(&wanted, 1, -1); /* making a session may take its time; its end closes the socket */
	while (r < 0 && errno == EINTR);
	n = recv(socket, &started, sizeof(started), 0);
	if (n != (ssize_t)sizeof(started))
		return err_set(err, ERR_SETUP, EPIPE, "%s ended without a word", name);
	if (ret_refused_op)
		*ret_refused_op = started.refused_op;
	if (started.result < 0 && err)
		*err = started.err;
	return started.result;
}

int live_spawn_as(const char *program, const char *name, int *ret_socket, struct err *err)
{
	char word[32];
	char *const argv[] = { word, NULL };
	struct process process;
	int pair[2], r;
	autofd int null = fd_open_null();

	(void)snprintf(word, sizeof(word), "%s", name);
	r = null < 0 ? null : sock_pair(pair);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s cannot be started: %s", name, strerror(-r));

	autofd int ours = pair[0];
	autofd int theirs = pair[1];
	const int standard[] = { null, null, null, theirs };

	r = process_spawn(program, argv, standard, ARRAY_LEN(standard), &process);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s: %s", program, strerror(-r));
	(void)process_reap(&process); /* it has left the rest to a child of its own */
	*ret_socket = TAKE_FD(ours);
	return 0;
}

int live_spawn(const char *program, const struct live_start *start, const int fds[LIVE_START_FDS], uint32_t *ret_refused_op,
               struct err *err)
{
	static const char name[] = "coffer-session";
	char found[PATH_BYTES_MAX + 1];
	autofd int ours = -1;
	int r = program ? 0 : spawn_find(name, found, err);

	if (r == 0)
		r = live_spawn_as(program ? program : found, name, &ours, err);
	if (r < 0)
		return r;
	r = sock_send_fds(ours, start, sizeof(*start), fds, LIVE_START_FDS);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s cannot be started: %s", name, strerror(-r));
	return live_hear_started(ours, name, ret_refused_op, err);
}

int live_map_plan(int fd, struct plan *ret_plan)
{
	struct stat st;
	void *block;

	if (fstat(fd, &st) < 0)
		return -errno;
	block = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	return block == MAP_FAILED ? -errno : plan_open(block, (size_t)st.st_size, ret_plan);
}

/* Nobody is let in while somebody works on what the processes write, however long a copy takes; that ends with whoever does it. */
static bool is_held(int dir)
{
	struct stat st;

	return fstatat(dir, LIVE_PAUSED_MARK, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int take_hello(int dir, bool waits, struct live *live)
{
	int fds[LIVE_HELLO_FDS] = { -1, -1 }, r;
	ssize_t n;

	do
		r = wait_for_packet(live->socket);
	while (r == -ETIMEDOUT && waits && is_held(dir));
	n = r < 0 ? r : sock_receive_fds(live->socket, &live->hello, sizeof(live->hello), fds, LIVE_HELLO_FDS);
	autofd int template = fds[LIVE_HELLO_TEMPLATE];

	live->root = fds[LIVE_HELLO_ROOT];
	if (n < 0)
		return (int)n;
	if (n != (ssize_t)sizeof(live->hello) || live->hello.version != LIVE_VERSION || template <0)
		return n == 0 ? -ENOTCONN : -EPROTO;
	return live_map_plan(template, &live->template);
}

int live_open(int dir, const char *name, bool waits, struct live *ret_live, struct err *err)
{
	struct live live = { .socket = live_connect(dir, name), .root = -1 };
	int r = live.socket < 0 ? live.socket : live_check_peer(live.socket, false);

	if (r == 0)
		r = fd_raise(&live.socket);
	if (r == 0)
		r = take_hello(dir, waits, &live);
	if (r == 0) {
		*ret_live = live;
		return 0;
	}
	live_close(&live);
	if (r == -ENOENT || r == -ECONNREFUSED || r == -ENOTCONN || r == -ECONNRESET)
		return err_set(err, ERR_NOTFOUND, -r, "the session is not running");
	if (r == -EPROTO)
		return err_set(err, ERR_UNSUPPORTED, EPROTO, "the session was made by another version of coffer: end it with that one");
	if (r == -ETIMEDOUT || r == -EAGAIN)
		return err_set(err, ERR_BUSY, -r,
		               "the session does not answer: its supervisor has no time, or has been stopped; try again");
	return err_set(err, ERR_DENIED, -r, "the session does not answer: %s", strerror(-r));
}

void live_close(struct live *live)
{
	if (live->template.head)
		(void)munmap((void *)(uintptr_t)live->template.head, live->template.size);
	live->template.head = NULL;
	own_close(&live->socket);
	own_close(&live->root);
}

int live_ask(const struct live *live, const struct live_request *request, struct live_reply *ret_reply, struct err *err)
{
	struct live_reply reply = { .result = -EPROTO };
	int none, r = sock_send(live->socket, request, sizeof(*request));
	ssize_t n = 0;

	/* Events of the filter may stand before it. */
	while (r == 0 && n != (ssize_t)sizeof(reply)) {
		r = wait_for_packet(live->socket);
		n = r < 0 ? r : sock_receive(live->socket, &reply, sizeof(reply), &none);
		if (n == 0 || (n < 0 && n != -EMSGSIZE && n != -EAGAIN))
			r = n < 0 ? (int)n : -ENOTCONN;
	}
	if (r == 0)
		*ret_reply = reply;
	return r < 0 ? err_set(err, ERR_NOTFOUND, -r, "the session has ended") : reply.result;
}

#include "egress/opener.h"

#include "base/own.h"
#include "egress/confine.h"
#include "sys/caps.h"
#include "sys/fd.h"
#include "sys/ns.h"
#include "sys/sock.h"

#include <errno.h>
#include <linux/prctl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

int prctl(int, ...); /* sys/prctl.h repeats what linux/prctl.h has */

enum { ANSWER_MS = 2000 };

static int open_once(const struct sockaddr_un *there)
{
	autofd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)there, sizeof(*there)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

/* The answer is a number: 0 and the socket, or an errno. */
static void serve(int socket, const struct sockaddr_un *there)
{
	char request;

	while (recv(socket, &request, 1, 0) == 1) {
		autofd int fd = open_once(there);
		char answer = (char)(fd < 0 ? -fd : 0);
		int r = fd < 0 ? sock_send(socket, &answer, 1) : sock_send_fd(socket, &answer, 1, fd);

		if (r < 0)
			return;
	}
}

static _Noreturn void be_opener(int socket, const struct sockaddr_un *there)
{
	(void)syscall(SYS_close_range, 0, socket - 1, 0);
	(void)syscall(SYS_close_range, socket + 1, ~0U, 0);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && caps_drop() == 0 &&
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && confine_opener() == 0)
		serve(socket, there);
	_exit(0);
}

int opener_start(const char *path, int *ret_socket, struct err *err)
{
	struct sockaddr_un there = { .sun_family = AF_UNIX };
	int pair[2], r;
	pid_t pid;

	if (path[0] != '/' || strlen(path) >= sizeof(there.sun_path))
		return err_set(err, ERR_POLICY, ENAMETOOLONG, "/mitm/socket: an absolute path of at most %zu bytes is wanted",
		               sizeof(there.sun_path) - 1);
	memcpy(there.sun_path, path, strlen(path));
	r = sock_pair(pair);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "no socket to the opener");

	autofd int ours = pair[0];
	autofd int theirs = pair[1];

	pid = ns_fork(0);
	if (pid == 0)
		be_opener(theirs, &there);
	if (pid < 0)
		return err_set(err, ERR_SETUP, (int)-pid, "no opener");
	*ret_socket = TAKE_FD(ours);
	return 0;
}

int opener_connect(int socket)
{
	struct pollfd answered = { .fd = socket, .events = POLLIN };
	autofd int fd = -1;
	char answer = 0;
	int r = sock_send(socket, "", 1);

	if (r < 0)
		return r;
	if (poll(&answered, 1, ANSWER_MS) != 1)
		return -ETIMEDOUT;
	r = (int)sock_receive(socket, &answer, 1, &fd);
	if (r != 1)
		return r < 0 ? r : -EPIPE;
	return fd >= 0 ? TAKE_FD(fd) : -(int)(unsigned char)answer;
}

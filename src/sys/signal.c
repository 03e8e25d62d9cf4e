#include "sys/signal.h"

#include "sys/fd.h"

#include <errno.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static bool is_pending(int number)
{
	sigset_t pending;

	return sigpending(&pending) == 0 && sigismember(&pending, number) == 1;
}

int signal_guard_init(struct signal_guard *guard)
{
	sigset_t held;

	sigemptyset(&held);
	sigaddset(&held, SIGPIPE);
	sigaddset(&held, SIGTTIN);
	sigaddset(&held, SIGTTOU);
	guard->was_pending = is_pending(SIGPIPE);
	return -pthread_sigmask(SIG_BLOCK, &held, &guard->before);
}

/* A SIGPIPE of ours is taken back before the mask lets it through; one that the host had already is its own. */
void signal_guard_done(struct signal_guard *guard)
{
	static const struct timespec at_once = { 0 };
	sigset_t pipe_only;

	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	if (!guard->was_pending && is_pending(SIGPIPE))
		(void)sigtimedwait(&pipe_only, NULL, &at_once);
	(void)pthread_sigmask(SIG_SETMASK, &guard->before, NULL);
}

int signal_open(const sigset_t *signals)
{
	int fd = signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK);

	if (fd < 0)
		return -errno;

	int r = fd_raise(&fd);

	return r < 0 ? r : fd;
}

int signal_next(int fd)
{
	struct signalfd_siginfo info;

	return read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info) ? (int)info.ssi_signo : 0;
}

void signal_reset(void)
{
	enum { LIBC_FIRST = 32, LIBC_LAST = 34 };
	static const struct {
		unsigned long handler, flags, restorer, mask;
	} by_default;
	sigset_t none;

	for (int i = LIBC_FIRST; i <= LIBC_LAST; i++)
		(void)syscall(SYS_rt_sigaction, i, &by_default, NULL, sizeof(by_default.mask));
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

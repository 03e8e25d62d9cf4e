#include "sys/process.h"

#include "base/own.h"
#include "sys/fd.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __NR_pidfd_send_signal
#define __NR_pidfd_send_signal 424
#endif
#ifndef __NR_pidfd_open
#define __NR_pidfd_open 434
#endif
enum { PROCESS_P_PIDFD = 3 }; /* P_PIDFD of linux/wait.h: Linux 5.4, newer than some C libraries */

static int add_fds(posix_spawn_file_actions_t *actions, const int *fds, size_t fds_n)
{
	int r = 0;

	for (size_t i = 0; i < fds_n && r == 0; i++)
		r = posix_spawn_file_actions_adddup2(actions, fds[i], (int)i);
	return r;
}

static int set_signals(posix_spawnattr_t *attributes)
{
	sigset_t all, none;

	sigfillset(&all);
	sigemptyset(&none);

	int r = posix_spawnattr_setsigdefault(attributes, &all);

	if (r == 0)
		r = posix_spawnattr_setsigmask(attributes, &none);
	if (r == 0)
		r = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
	return r;
}

int process_spawn(const char *path, char *const argv[], const int *fds, size_t fds_n, struct process *ret_process)
{
	char *const no_environment[] = { NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	pid_t pid = -1;
	int r = posix_spawn_file_actions_init(&actions);

	if (r != 0)
		return -r;
	r = posix_spawnattr_init(&attributes);
	if (r == 0) {
		r = add_fds(&actions, fds, fds_n);
		if (r == 0)
			r = set_signals(&attributes);
		if (r == 0)
			r = posix_spawn(&pid, path, &actions, &attributes, argv, no_environment);
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&actions);
	if (r != 0)
		return -r;

	int pidfd = (int)syscall(__NR_pidfd_open, pid, 0); /* born close-on-exec */

	*ret_process = (struct process){ .pid = pid, .pidfd = pidfd };
	return 0;
}

pid_t process_fork(void)
{
	return fork();
}

int process_signal(const struct process *process, int number)
{
	if (process->pid <= 0)
		return -ESRCH; /* to kill(2) it would mean everybody */

	long r = process->pidfd >= 0 ? syscall(__NR_pidfd_send_signal, process->pidfd, number, NULL, 0) : kill(process->pid, number);

	return r < 0 ? -errno : 0;
}

static uint64_t to_us(struct timeval t)
{
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_usec;
}

/* waitid's fifth argument, which the C library hides, is the usage. */
static long wait_once(const struct process *process, siginfo_t *info, struct rusage *usage)
{
	if (process->pidfd >= 0)
		return syscall(__NR_waitid, PROCESS_P_PIDFD, process->pidfd, info, WEXITED, usage);
	return syscall(__NR_waitid, P_PID, process->pid, info, WEXITED, usage);
}

struct process_end process_reap(struct process *process)
{
	struct process_end end = { 0 };
	struct rusage usage = { 0 };
	siginfo_t info = { 0 };
	long r;

	do
		r = wait_once(process, &info, &usage);
	while (r < 0 && errno == EINTR);
	if (r == 0) {
		end.known = true;
		end.status = info.si_code == CLD_EXITED ? (info.si_status & 0xff) << 8 : info.si_status & 0x7f;
		end.user_us = to_us(usage.ru_utime);
		end.system_us = to_us(usage.ru_stime);
		end.maxrss_kib = (uint64_t)usage.ru_maxrss;
	}
	own_close(&process->pidfd);
	process->pid = -1;
	return end;
}

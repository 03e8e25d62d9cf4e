#include "attack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static int signal_victim(void)
{
	return breach_if(kill((pid_t)target_number("A_PID"), SIGCONT) == 0);
}

static int signal_victim_thread(void)
{
	long pid = target_number("A_PID");
	return breach_if(syscall(SYS_tgkill, pid, pid, 0) == 0 || syscall(SYS_pidfd_open, pid, 0) >= 0);
}

static int trace_victim(void)
{
	pid_t pid = (pid_t)target_number("A_PID");
	if (ptrace(PTRACE_SEIZE, pid, 0, 0))
		return REFUSED;
	ptrace(PTRACE_DETACH, pid, 0, 0);
	return BREACH;
}

static int trace_init(void)
{
	return breach_if(ptrace(PTRACE_SEIZE, 1, 0, 0) == 0 || getppid() == 0);
}

static int read_victim_memory(void)
{
	char path[64], text[4096];
	unsigned long from = 0;
	snprintf(path, sizeof(path), "/proc/%ld/maps", target_number("A_PID"));
	FILE *maps = fopen(path, "r");
	if (!maps || fscanf(maps, "%lx-", &from) != 1)
		return REFUSED;
	fclose(maps);
	struct iovec mine = { text, sizeof(text) }, theirs = { (void *)from, sizeof(text) };
	return breach_if(process_vm_readv((pid_t)target_number("A_PID"), &mine, 1, &theirs, 1, 0) > 0);
}

static int open_file_of(long pid, const char *name)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%ld/%s", pid, name);
	return open(path, O_RDONLY);
}

static int open_victim_memory(void)
{
	return breach_if(open_file_of(target_number("A_PID"), "mem") >= 0);
}

/* The sandbox's own init: what it holds is the way out. */
static int open_init_memory(void)
{
	return breach_if(open_file_of(1, "mem") >= 0 || open_file_of(1, "environ") >= 0);
}

static int open_init_descriptors(void)
{
	DIR *fds = opendir("/proc/1/fd");
	struct dirent *e;
	while (fds && (e = readdir(fds)))
		if (e->d_name[0] != '.')
			return BREACH;
	return REFUSED;
}

static int steal_descriptor(void)
{
	int pidfd = (int)syscall(SYS_pidfd_open, (pid_t)target_number("A_PID"), 0);
	return breach_if(pidfd >= 0 && syscall(SYS_pidfd_getfd, pidfd, 0, 0) >= 0);
}

static int steal_init_descriptor(void)
{
	int pidfd = (int)syscall(SYS_pidfd_open, 1, 0);
	for (int fd = 0; pidfd >= 0 && fd < 32; fd++)
		if (syscall(SYS_pidfd_getfd, pidfd, fd, 0) >= 0)
			return BREACH;
	return REFUSED;
}

/* Any process whose environment or command line holds the canary. */
static int scan_proc(const char *name)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;
	char path[300];
	while (proc && (e = readdir(proc))) {
		if (e->d_name[0] < '0' || e->d_name[0] > '9' || strtol(e->d_name, NULL, 10) == getpid())
			continue;
		snprintf(path, sizeof(path), "/proc/%s/%s", e->d_name, name);
		if (file_has_canary(path))
			return BREACH;
	}
	return REFUSED;
}

static int scan_environments(void)
{
	return scan_proc("environ");
}

static int scan_command_lines(void)
{
	return scan_proc("cmdline");
}

static int attach_shared_memory(void)
{
	void *map = shmat((int)target_number("A_SHM"), NULL, SHM_RDONLY);
	return breach_if(map != (void *)-1 && memmem(map, 64, CANARY, strlen(CANARY)));
}

static int open_shared_file(void)
{
	return breach_if(file_has_canary(target("A_DEVSHM")));
}

static int open_message_queue(void)
{
	return breach_if(mq_open(target("A_MQ"), O_RDONLY | O_NONBLOCK) != (mqd_t)-1);
}

static int renice_victim(void)
{
	errno = 0;
	return breach_if(setpriority(PRIO_PROCESS, (id_t)target_number("A_PID"), 5) == 0);
}

static int limit_victim(void)
{
	struct rlimit old;
	return breach_if(prlimit((pid_t)target_number("A_PID"), RLIMIT_NOFILE, NULL, &old) == 0);
}

static int move_victim(void)
{
	cpu_set_t set;
	pid_t pid = (pid_t)target_number("A_PID");
	return breach_if(sched_getaffinity(pid, sizeof(set), &set) == 0 && sched_setaffinity(pid, sizeof(set), &set) == 0);
}

static int raise_own_limits(void)
{
	struct rlimit core = { RLIM_INFINITY, RLIM_INFINITY };
	(void)setrlimit(RLIMIT_CORE, &core); /* which may say that it worked */
	(void)getrlimit(RLIMIT_CORE, &core);
	return breach_if(core.rlim_cur == RLIM_INFINITY || setpriority(PRIO_PROCESS, 0, -5) == 0);
}

/* 0 is what the kernel pipes to the host's handler, if its core_pattern names one. */
static int let_core_be_piped(void)
{
	struct rlimit core = { 0, 0 };
	(void)setrlimit(RLIMIT_CORE, &core);
	(void)prlimit(0, RLIMIT_CORE, &core, NULL);
	(void)getrlimit(RLIMIT_CORE, &core);
	return breach_if(core.rlim_cur != 1);
}

/* Not only ourselves: if more than the sandbox dies, the runner's victim is gone. */
static int signal_everybody(void)
{
	kill(-1, SIGUSR1);
	return breach_if(kill((pid_t)target_number("A_PID"), 0) == 0);
}

const struct attack process_attacks[] = {
	{ "signal_victim", signal_victim },
	{ "signal_victim_thread", signal_victim_thread },
	{ "trace_victim", trace_victim },
	{ "trace_init", trace_init },
	{ "read_victim_memory", read_victim_memory },
	{ "open_victim_memory", open_victim_memory },
	{ "open_init_memory", open_init_memory },
	{ "open_init_descriptors", open_init_descriptors },
	{ "steal_descriptor", steal_descriptor },
	{ "steal_init_descriptor", steal_init_descriptor },
	{ "scan_environments", scan_environments },
	{ "scan_command_lines", scan_command_lines },
	{ "attach_shared_memory", attach_shared_memory },
	{ "open_shared_file", open_shared_file },
	{ "open_message_queue", open_message_queue },
	{ "renice_victim", renice_victim },
	{ "limit_victim", limit_victim },
	{ "move_victim", move_victim },
	{ "raise_own_limits", raise_own_limits },
	{ "let_core_be_piped", let_core_be_piped },
	{ "signal_everybody", signal_everybody },
	{ NULL, NULL },
};

#include "sys/descend.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

int descend_adopt(void)
{
	return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ? -errno : 0;
}

int descend_open(void)
{
	int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* "12 345 ": kills each. A number that is cut off at the end of the buffer has no space behind it. */
static void kill_listed(const char *list, size_t n)
{
	pid_t pid = 0;

	for (size_t i = 0; i < n; i++) {
		if (list[i] >= '0' && list[i] <= '9') {
			pid = pid * 10 + (list[i] - '0');
			continue;
		}
		if (pid > 1)
			(void)kill(pid, SIGKILL);
		pid = 0;
	}
}

/* A listed child has not been reaped, so its number is nobody else's. What it leaves becomes ours, and is met in a later round. */
void descend_kill(int children)
{
	char list[4096];

	for (;;) {
		ssize_t n = pread(children, list, sizeof(list), 0);

		if (n > 0)
			kill_listed(list, (size_t)n);
		if (waitpid(-1, NULL, n > 0 ? 0 : WNOHANG) < 0 && errno == ECHILD)
			return;
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}

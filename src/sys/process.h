/*
 * process.h: starting a program and learning how it ended, inside a process that is somebody else's and may have threads.
 *
 * Nothing of the host changes: no fork of its memory, no signal handler, no working directory. If the host itself waits for every child,
 * or ignores SIGCHLD, only the status is lost.
 */
#ifndef COFFER_SYS_PROCESS_H
#define COFFER_SYS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process {
	pid_t pid;
	int pidfd; /* -1 on kernels before 5.3 */
};

/*
 * Starts path in a session of its own, with argv, an empty environment, default signals, and descriptors fds[0..fds_n) as 0, 1, …; each
 * of them is close-on-exec and ≥ fds_n (sys/fd.h). Returns when the program has been executed, or -errno of why it could not be. What the
 * host holds that is not close-on-exec is inherited: the program's first deed must be to close it.
 */
int process_spawn(const char *path, char *const argv[], const int *fds, size_t fds_n, struct process *ret_process);

struct process_end {
	bool known;
	int status;                              /* as waitpid gives it */
	uint64_t user_us, system_us, maxrss_kib; /* of the process and all that it waited for */
};

/*
 * fork(2), and the one place for it (tools/words). For programs of coffer's own that are small and have no other threads, and whose child goes on with what they are;
 * never for what is started in a caller's process, where it would copy that, and find its locks held.
 */
pid_t process_fork(void);

/* Sends a signal to the process itself, never to one that has inherited its number (where there are pidfds). */
int process_signal(const struct process *process, int number);
/* Waits for the end, then forgets the process. */
struct process_end process_reap(struct process *process);

#endif

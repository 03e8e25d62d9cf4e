#include "sys/aside.h"

#include "sys/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FAILED = 128 /* exit status: this and the errno; below it, a descriptor */ };

int aside_perform(struct aside *aside, uint64_t id, struct deed *deed)
{
	unsigned i = 0;
	long pid;
	int r;

	while (i < ASIDE_MAX && aside->at[i].pid)
		i++;
	if (i == ASIDE_MAX)
		return -ENFILE;
	pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		r = deputy_perform(deed);
		if (r >= FAILED) /* no status can tell its number, and the table is everybody's */
			close(r);
		_exit(r < FAILED ? (r < 0 ? FAILED - r : r) : FAILED + EMFILE);
	}
	aside->at[i].id = id;
	aside->at[i].pid = (pid_t)pid;
	aside->at[i].cloexec = deed->cloexec;
	aside->at[i].number = deed->call->kind == CALL_OPEN ? -1 : (int)deed->mode;
	aside->at[i].place = deed->place;
	place_init(&deed->place);
	return 0;
}

static void answer(struct aside *aside, int listener, unsigned i, int status)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : FAILED + EINTR;

	if (code < FAILED && aside->at[i].number >= 0)
		seccomp_answer_replace(listener, aside->at[i].id, code, aside->at[i].number, aside->at[i].cloexec);
	else if (code < FAILED)
		seccomp_answer_open(listener, aside->at[i].id, code, aside->at[i].cloexec);
	else
		(void)seccomp_answer(listener, aside->at[i].id, FAILED - code);
	aside->at[i].pid = 0;
	place_done(&aside->at[i].place);
}

void aside_reaped(struct aside *aside, int listener, pid_t pid, int status)
{
	for (unsigned i = 0; i < ASIDE_MAX; i++)
		if (aside->at[i].pid == pid)
			answer(aside, listener, i, status);
}

bool aside_tend(struct aside *aside, int listener)
{
	bool left = false;

	for (unsigned i = 0; i < ASIDE_MAX; i++) {
		if (!aside->at[i].pid)
			continue;
		left = true;
		if (!seccomp_is_waiting(listener, aside->at[i].id))
			(void)kill(aside->at[i].pid, SIGKILL);
	}
	return left;
}

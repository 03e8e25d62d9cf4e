#include "sys/process.h"

#include "sys/fd.h"
#include "unit/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs a shell script and gives what it wrote to descriptor 3. */
static struct process_end run(const char *script, char *ret_text, size_t room)
{
	char shell[] = "sh", option[] = "-c", *copy = strdup(script);
	char *const argv[] = { shell, option, copy, NULL };
	struct process process;
	int ends[2], null = fd_open_null();
	size_t len = 0;
	ssize_t n;

	assert_int_equal(fd_pipe(ends), 0);
	assert_int_equal(process_spawn("/bin/sh", argv, (const int[]){ null, null, null, ends[1] }, 4, &process), 0);
	free(copy);
	close(ends[1]);
	close(null);
	while ((n = read(ends[0], ret_text + len, room - 1 - len)) > 0)
		len += (size_t)n;
	ret_text[len] = '\0';
	close(ends[0]);
	return process_reap(&process);
}

static void a_clean_start(void **state)
{
	char text[256];
	struct process_end end;
	sigset_t some;

	(void)state;
	signal(SIGUSR1, SIG_IGN);
	sigemptyset(&some);
	sigaddset(&some, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &some, NULL);
	end = run("kill -s USR1 $$; echo not reached >&3", text, sizeof(text));
	assert_true(end.known);
	assert_true(WIFSIGNALED(end.status) && WTERMSIG(end.status) == SIGUSR1);
	end = run("kill -s USR2 $$; echo not reached >&3", text, sizeof(text));
	assert_true(WIFSIGNALED(end.status) && WTERMSIG(end.status) == SIGUSR2);
	signal(SIGUSR1, SIG_DFL);
	pthread_sigmask(SIG_UNBLOCK, &some, NULL);

	setenv("COFFER_TEST_SECRET", "x", 1);
	end = run("echo \"${COFFER_TEST_SECRET-unset}\" >&3; exit 7", text, sizeof(text));
	assert_true(WIFEXITED(end.status) && WEXITSTATUS(end.status) == 7);
	assert_string_equal(text, "unset\n");
	end = run("exec cat /proc/self/stat >&3", text, sizeof(text));
	assert_int_equal(end.status, 0);

	int pid, group, session;

	assert_int_equal(sscanf(text, "%d (%*[^)]) %*c %*d %d %d", &pid, &group, &session), 3);
	assert_int_equal(pid, group);
	assert_int_equal(pid, session);
	assert_true(end.maxrss_kib > 0);
}

static void what_cannot_be_started(void **state)
{
	char name[] = "none";
	char *const argv[] = { name, NULL };
	struct process process;

	(void)state;
	assert_int_equal(process_spawn("/does/not/exist", argv, NULL, 0, &process), -ENOENT);
	assert_int_equal(process_spawn("/etc/passwd", argv, NULL, 0, &process), -EACCES);
}

static void a_host_that_reaps(void **state)
{
	char shell[] = "sh", option[] = "-c", script[] = "exit 3";
	char *const argv[] = { shell, option, script, NULL };
	struct process process;

	(void)state;
	assert_int_equal(process_spawn("/bin/sh", argv, NULL, 0, &process), 0);
	while (waitpid(-1, NULL, 0) != process.pid)
		;
	assert_false(process_reap(&process).known);

	signal(SIGCHLD, SIG_IGN);
	assert_int_equal(process_spawn("/bin/sh", argv, NULL, 0, &process), 0);
	assert_false(process_reap(&process).known);
	signal(SIGCHLD, SIG_DFL);
}

static void signals(void **state)
{
	char name[] = "sleep", time[] = "100";
	char *const argv[] = { name, time, NULL };
	struct process process;

	(void)state;
	assert_int_equal(process_spawn("/bin/sleep", argv, NULL, 0, &process), 0);
	assert_int_equal(process_signal(&process, SIGTERM), 0);

	struct process_end end = process_reap(&process);

	assert_true(end.known && WIFSIGNALED(end.status) && WTERMSIG(end.status) == SIGTERM);
	assert_int_equal(process.pidfd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clean_start),
		cmocka_unit_test(what_cannot_be_started),
		cmocka_unit_test(a_host_that_reaps),
		cmocka_unit_test(signals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

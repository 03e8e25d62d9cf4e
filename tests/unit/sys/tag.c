/* What has a tag is met, whatever it did to get away. */
#include "sys/tag.h"

#include "unit/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TAG = 4711, OTHER = 4712 };

/* A process with a tag, and the pid of a grandchild of its own that has left its session. */
static pid_t start(uint32_t tag, pid_t *ret_hidden)
{
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		if (tag_set(tag) < 0)
			_exit(1);
		if (fork() == 0) {
			pid_t self;

			setsid();
			if (fork())
				_exit(0);
			self = getpid();
			(void)!write(ends[1], &self, sizeof(self));
			for (;;)
				pause();
		}
		for (;;)
			pause();
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], ret_hidden, sizeof(*ret_hidden)), sizeof(*ret_hidden));
	close(ends[0]);
	return pid;
}

static bool is_alive(pid_t pid)
{
	char path[64], line[256] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	(void)!fgets(line, sizeof(line), file);
	fclose(file);
	return strrchr(line, ')')[2] != 'Z';
}

static void test_all_of_one_tag_and_no_other(void **state)
{
	pid_t hidden, other_hidden, pid = start(TAG, &hidden), other = start(OTHER, &other_hidden);
	int proc = open("/proc", O_PATH | O_DIRECTORY);

	(void)state;
	for (int turn = 0; tag_kill(proc, TAG) && turn < 1000; turn++)
		usleep(1000);
	assert_false(is_alive(pid));
	assert_false(is_alive(hidden));
	assert_true(is_alive(other));
	assert_true(is_alive(other_hidden));
	for (int turn = 0; tag_kill(proc, OTHER) && turn < 1000; turn++)
		usleep(1000);
	assert_false(is_alive(other_hidden));
	close(proc);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* Without privileges the hard limit only goes down, so a tag cannot become another one that is larger; lowering is the filter's to refuse. */
static void test_it_is_inherited_and_hard(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		struct rlimit limit;

		if (tag_set(TAG) < 0 || (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0)))
			_exit(1);
		if (getrlimit(RLIMIT_RTTIME, &limit) < 0)
			_exit(2);
		limit.rlim_max++;
		_exit(setrlimit(RLIMIT_RTTIME, &limit) == 0 ? 3 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_of_one_tag_and_no_other),
		cmocka_unit_test(test_it_is_inherited_and_hard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

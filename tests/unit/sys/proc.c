#include "sys/proc.h"

#include "unit/unit.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void burn(long ms)
{
	struct timespec now;

	do
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	while (now.tv_sec * 1000 + now.tv_nsec / 1000000 < ms);
}

/* A child whose own child burns 200 ms and goes on, and who burnt 100 ms himself by a child that is gone. */
static void a_tree(void)
{
	if (fork() == 0) {
		burn(100);
		_exit(0);
	}
	wait(NULL);
	if (fork() == 0) {
		burn(200);
		pause();
	}
	pause();
}

static void the_living_and_the_dead(void **state)
{
	struct proc_usage usage = { 0 };
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		setpgid(0, 0);
		a_tree();
		_exit(0);
	}
	for (int i = 0; i < 500 && usage.user_us + usage.system_us < 290000; i++) {
		assert_int_equal(proc_usage(child, &usage), 0);
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
	assert_in_range(usage.user_us + usage.system_us, 280000, 400000);
	assert_in_range(usage.memory_kib, 100, 1 << 20);
	kill(-child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_int_equal(proc_usage(child, &usage), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(the_living_and_the_dead) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

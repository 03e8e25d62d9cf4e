#include "engine/watch.h"

#include "unit/engine/course.h"

static void wall_time(void **state)
{
	struct course *c = new_course();
	uint64_t start = now_ms();

	(void)state;
	c->plan.wall_ms = 500;
	run(c, "echo before; sleep 100 & sleep 100");
	assert_int_equal(c->outcome.exit_code, 124);
	assert_int_equal(c->outcome.cause, CAUSE_TIMEOUT);
	assert_int_equal(c->outcome.signal, SIGKILL);
	assert_int_equal(c->limited, CAUSE_TIMEOUT);
	assert_string_equal(c->out[1], "before\n");
	assert_in_range(now_ms() - start, 500, 3000);
	assert_in_range(c->outcome.duration_ms, 500, 3000);
}

static void wall_time_of_a_launcher_that_does_not_hear(void **state)
{
	struct course *c = new_course();

	(void)state;
	c->plan.wall_ms = 50;
	run_words(c, (const char *const[]){ "deaf", NULL });
	assert_int_equal(c->r, 0);
	assert_int_equal(c->outcome.cause, CAUSE_TIMEOUT);
}

static void output(void **state)
{
	struct course *c = new_course();

	(void)state;
	c->plan.output_bytes = 1000;
	run(c, "echo error >&2; yes");
	assert_int_equal(c->outcome.cause, CAUSE_OUTPUT);
	assert_int_equal(c->outcome.exit_code, 137);
	assert_int_equal(c->out_len[1], 1000);
	assert_memory_equal(c->out[1], "y\ny\ny\n", 6);
	assert_string_equal(c->out[2], "error\n");
	assert_int_equal(c->outcome.stdout_bytes, 1000);
	assert_true(c->outcome.stdout_truncated);
	assert_false(c->outcome.stderr_truncated);

	/* Exactly as much as is allowed is allowed. */
	c = new_course();
	c->plan.output_bytes = 1000;
	run(c, "head -c 1000 /dev/zero; head -c 1000 /dev/zero >&2");
	assert_int_equal(c->outcome.cause, CAUSE_EXIT);
	assert_int_equal(c->outcome.stdout_bytes, 1000);
	assert_int_equal(c->outcome.stderr_bytes, 1000);
	assert_false(c->outcome.stdout_truncated);
}

static void processor_time(void **state)
{
	struct course *c = new_course();

	(void)state;
	c->plan.cpu_ms = 200;
	c->plan.wall_ms = 20000;
	run(c, "(while :; do :; done) & while :; do :; done");
	assert_int_equal(c->outcome.cause, CAUSE_CPU);
	assert_int_equal(c->outcome.exit_code, 137);
	assert_in_range(c->outcome.cpu_user_us + c->outcome.cpu_system_us, 190000, 2000000);
}

static void cancelled(void **state)
{
	struct course *c = new_course();
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	c->options.cancel_fd = ends[0];
	if (fork() == 0) {
		usleep(50000);
		_exit(write(ends[1], "x", 1) != 1);
	}
	run(c, "sleep 100");
	assert_int_equal(c->outcome.cause, CAUSE_CANCELLED);
	assert_int_equal(c->outcome.exit_code, 137);
	assert_int_equal(c->events[ENGINE_LIMITED], 0);
	wait(NULL);
	close(ends[0]);
	close(ends[1]);
}

static void signals_are_forwarded(void **state)
{
	struct course *c = new_course();
	sigset_t forward, before;

	(void)state;
	sigemptyset(&forward);
	sigaddset(&forward, SIGTERM);
	sigaddset(&forward, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &forward, &before);
	c->options.forward = &forward;

	pid_t us = getpid(), sender = fork();

	if (sender == 0) {
		usleep(300000);
		kill(us, SIGUSR1);
		usleep(100000);
		_exit(kill(us, SIGTERM));
	}
	run(c, "trap 'echo usr1' USR1; trap 'echo term; exit 5' TERM; while :; do sleep 0.02; done");
	assert_string_equal(c->out[1], "usr1\nterm\n");
	assert_int_equal(c->outcome.exit_code, 5);
	waitpid(sender, NULL, 0);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Sends us each of the signals after the time given with it, 0 ends the list. */
static pid_t send_later(const int *ms_and_signals)
{
	pid_t us = getpid(), sender = fork();

	if (sender != 0)
		return sender;
	for (; ms_and_signals[0]; ms_and_signals += 2) {
		usleep((useconds_t)ms_and_signals[0] * 1000);
		kill(us, ms_and_signals[1]);
	}
	_exit(0);
}

static void the_second_interrupt_is_the_end(void **state)
{
	static const int once[] = { 300, SIGINT, 2, SIGINT, 500, SIGTERM, 0 }, twice[] = { 300, SIGINT, 400, SIGINT, 0 };
	static const char script[] = "trap 'echo int' INT; trap 'exit 5' TERM; while :; do sleep 0.02; done";
	struct course *c = new_course();
	sigset_t forward, before;
	pid_t sender;

	(void)state;
	sigemptyset(&forward);
	sigaddset(&forward, SIGINT);
	sigaddset(&forward, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &forward, &before);
	c->options.forward = &forward;
	c->plan.wall_ms = 20000;

	sender = send_later(once); /* one key, two signals: the command decides */
	run(c, script);
	waitpid(sender, NULL, 0);
	assert_int_equal(c->outcome.cause, CAUSE_EXIT);
	assert_int_equal(c->outcome.exit_code, 5);

	c = new_course();
	c->options.forward = &forward;
	c->plan.wall_ms = 20000;
	sender = send_later(twice);
	run(c, script);
	waitpid(sender, NULL, 0);
	assert_int_equal(c->outcome.cause, CAUSE_CANCELLED);
	assert_int_equal(c->outcome.exit_code, 137);
	assert_string_equal(c->out[1], "int\n");
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(wall_time),
		RUN_TEST(wall_time_of_a_launcher_that_does_not_hear),
		RUN_TEST(output),
		RUN_TEST(processor_time),
		RUN_TEST(cancelled),
		RUN_TEST(signals_are_forwarded),
		RUN_TEST(the_second_interrupt_is_the_end),
	};

	(void)argc;
	fake_main(argv);
	return RUN_ALL(tests);
}

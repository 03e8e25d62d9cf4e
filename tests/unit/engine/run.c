#include "engine/engine.h"

#include "base/own.h"
#include "unit/engine/course.h"

#include <pthread.h>

/* ---- how it ends ---- */

static void exit_status(void **state)
{
	struct course *c = new_course();

	(void)state;
	run(c, "exit 7");
	assert_int_equal(c->outcome.exit_code, 7);
	assert_int_equal(c->outcome.cause, CAUSE_EXIT);
	assert_int_equal(c->events[ENGINE_STARTED], 1);
	assert_int_equal(c->events[ENGINE_EXITED], 1);
	assert_true(c->outcome.max_memory_bytes > 0);
	assert_true(c->outcome.duration_us > 0);
}

static void end_by_signal(void **state)
{
	struct course *c = new_course();

	(void)state;
	run(c, "kill -TERM $$");
	assert_int_equal(c->outcome.exit_code, 128 + SIGTERM);
	assert_int_equal(c->outcome.signal, SIGTERM);
	assert_int_equal(c->outcome.cause, CAUSE_SIGNAL);
}

/* The kernel's own signals of a limit: from the command, and as the status of a shell whose child they ended. */
static void end_by_signal_of_a_limit(void **state)
{
	static const char *const scripts[][2] = { { "kill -XFSZ $$", "kill -XCPU $$" },
		                                  { "sh -c 'kill -XFSZ $$'; exit $?", "sh -c 'kill -XCPU $$'; exit $?" } };
	struct course *c = new_course();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		c->plan.cpu_ms = c->plan.file_bytes = 0;
		run(c, scripts[i][0]);
		assert_int_equal(c->outcome.cause, i == 0 ? CAUSE_SIGNAL : CAUSE_EXIT);
		run(c, scripts[i][1]);
		assert_int_equal(c->outcome.cause, i == 0 ? CAUSE_SIGNAL : CAUSE_EXIT);
		c->plan.cpu_ms = 100000;
		c->plan.file_bytes = 1 << 20;
		run(c, scripts[i][0]);
		assert_int_equal(c->outcome.cause, CAUSE_FILE_SIZE);
		run(c, scripts[i][1]);
		assert_int_equal(c->outcome.cause, CAUSE_CPU);
	}
}

static void a_step_fails(void **state)
{
	struct course *c = new_course();

	(void)state;
	run_words(c, (const char *const[]){ "fail", "2", "13", NULL });
	assert_int_equal(c->r, -EACCES);
	assert_int_equal(c->err.code, ERR_SETUP);
	assert_string_equal(c->err.where, "default");
	assert_non_null(strstr(c->err.text, "CAPS_DROP"));
	assert_non_null(strstr(c->err.text, strerror(EACCES)));

	run_words(c, (const char *const[]){ "fail", "1", "1", NULL });
	assert_int_equal(c->r, -EPERM);
	assert_int_equal(c->err.code, ERR_UNSUPPORTED);
	run_words(c, (const char *const[]){ "fail", "1", "12", NULL });
	assert_int_equal(c->err.code, ERR_SETUP);
	run_words(c, (const char *const[]){ "fail", "-1", "22", NULL });
	assert_int_equal(c->r, -EINVAL);
	assert_int_equal(c->err.code, ERR_INTERNAL);
}

static void a_command_that_cannot_be_executed(void **state)
{
	struct course *c = new_course();

	(void)state;
	run_words(c, (const char *const[]){ "fail", "7", "2", NULL });
	assert_int_equal(c->r, 0);
	assert_int_equal(c->outcome.exit_code, 127);
	assert_int_equal(c->outcome.cause, CAUSE_EXIT);
	assert_string_equal(c->err.text, "fail: not found");
	run_words(c, (const char *const[]){ "fail", "7", "13", NULL });
	assert_int_equal(c->r, 0);
	assert_int_equal(c->outcome.exit_code, 126);
	assert_string_equal(c->err.text, "fail: Permission denied");
}

static void a_launcher_that_says_nothing(void **state)
{
	struct course *c = new_course();

	(void)state;
	run_words(c, (const char *const[]){ "mute", NULL });
	assert_int_equal(c->r, -EPIPE);
	assert_int_equal(c->err.code, ERR_INTERNAL);
	run_words(c, (const char *const[]){ "crash", NULL });
	assert_int_equal(c->r, -EPIPE);
	assert_non_null(strstr(c->err.text, "signal 9"));
}

static void no_launcher(void **state)
{
	struct course *c = new_course();

	(void)state;
	c->options.launcher = "/does/not/exist";
	run_words(c, (const char *const[]){ "run", "true", NULL });
	assert_int_equal(c->r, -ENOENT);
	assert_int_equal(c->err.code, ERR_SETUP);
	c->options.launcher = NULL;
	run_words(c, (const char *const[]){ "run", "true", NULL });
	assert_true(c->r == -ENOENT || c->r == 0);
}

/* ---- hosts of many kinds ---- */

static void a_host_that_reaps_every_child(void **state)
{
	struct course *c = new_course();

	(void)state;
	signal(SIGCHLD, SIG_IGN);
	run(c, "exit 4");
	signal(SIGCHLD, SIG_DFL);
	assert_int_equal(c->outcome.exit_code, 4);
}

static void a_host_without_streams(void **state)
{
	struct course *c = new_course();
	int saved[3];

	(void)state;
	for (int i = 0; i < 3; i++)
		saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 100), close(i);
	run(c, "echo out; echo error >&2; cat");
	for (int i = 0; i < 3; i++)
		dup2(saved[i], i), close(saved[i]);
	assert_string_equal(c->out[1], "out\n");
	assert_string_equal(c->out[2], "error\n");
}

static void *run_many(void *result)
{
	struct arena own;
	int failed = 0;

	arena_init(&own, 16 << 20);
	for (int i = 0; i < 20; i++) {
		struct engine_run_options options;
		struct outcome outcome = { 0 };
		const struct fake_plan none = { 0 };
		struct plan plan = fake_plan(&own, &none, (const char *const[]){ "run", "exit 9", NULL });

		engine_run_options_init(&options);
		options.launcher = "/proc/self/exe";
		failed += engine_run(&plan, &options, &own, &outcome, NULL) != 0 || outcome.exit_code != 9;
	}
	arena_done(&own);
	*(int *)result = failed;
	return NULL;
}

static void threads(void **state)
{
	pthread_t thread[8];
	int failed[8];

	(void)state;
	for (int i = 0; i < 8; i++)
		pthread_create(&thread[i], NULL, run_many, &failed[i]);
	for (int i = 0; i < 8; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(failed[i], 0);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(exit_status),
		RUN_TEST(end_by_signal),
		RUN_TEST(end_by_signal_of_a_limit),
		RUN_TEST(a_step_fails),
		RUN_TEST(a_command_that_cannot_be_executed),
		RUN_TEST(a_launcher_that_says_nothing),
		RUN_TEST(no_launcher),
		RUN_TEST(a_host_that_reaps_every_child),
		RUN_TEST(a_host_without_streams),
		RUN_TEST(threads),
	};

	(void)argc;
	fake_main(argv);
	return RUN_ALL(tests);
}

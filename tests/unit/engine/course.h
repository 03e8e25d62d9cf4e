/* course.h: one run of the engine with the launcher of fake.h, and what came of it. Each test program's main begins with fake_main. */
#ifndef COFFER_TESTS_UNIT_ENGINE_COURSE_H
#define COFFER_TESTS_UNIT_ENGINE_COURSE_H

#include "engine/engine.h"
#include "sys/file.h"
#include "unit/engine/fake.h"
#include "unit/unit.h"

static struct arena arena;
static char state_dir[64];

/* A run and what came of it. */
struct course {
	struct fake_plan plan;
	struct engine_run_options options;
	struct outcome outcome;
	struct err err;
	int r;
	unsigned events[ENGINE_EXITED + 1];
	enum outcome_cause limited;
	char out[3][1 << 16];
	size_t out_len[3];
};

__attribute__((unused)) static void take_event(void *context, const struct engine_event *event)
{
	struct course *c = context;

	c->events[event->type]++;
	if (event->type == ENGINE_LIMITED)
		c->limited = event->cause;
	if (event->type != ENGINE_OUTPUT)
		return;

	size_t room = sizeof(c->out[0]) - c->out_len[event->stream];
	size_t n = event->len < room ? event->len : room;

	memcpy(c->out[event->stream] + c->out_len[event->stream], event->bytes, n);
	c->out_len[event->stream] += n;
}

__attribute__((unused)) static struct course *new_course(void)
{
	struct course *c = arena_alloc(&arena, sizeof(*c));

	engine_run_options_init(&c->options);
	c->options.launcher = "/proc/self/exe";
	c->options.run_id = "unit0000test";
	c->options.state_dir = state_dir;
	c->options.on_event = take_event;
	c->options.context = c;
	return c;
}

__attribute__((unused)) static void run_words(struct course *c, const char *const *words)
{
	struct plan plan = fake_plan(&arena, &c->plan, words);

	c->r = engine_run(&plan, &c->options, &arena, &c->outcome, &c->err);
}

__attribute__((unused)) static void run(struct course *c, const char *script)
{
	run_words(c, (const char *const[]){ c->plan.terminal ? "tty" : "run", script, NULL });
	if (c->r < 0)
		fail_msg("%s", c->err.text);
}

__attribute__((unused)) static int count_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static int fds_before;

__attribute__((unused)) static int begin(void **state)
{
	(void)state;
	arena_init(&arena, 64 << 20);
	fds_before = count_fds();
	return 0;
}

__attribute__((unused)) static int end(void **state)
{
	(void)state;
	arena_done(&arena);
	return count_fds() == fds_before ? 0 : -1;
}

/* Helpers of some of the tests. */
__attribute__((unused)) static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

__attribute__((unused)) static int make_state(void **state)
{
	(void)state;
	snprintf(state_dir, sizeof(state_dir), "/tmp/coffer-unit-XXXXXX");
	return mkdtemp(state_dir) ? 0 : -1;
}

__attribute__((unused)) static int drop_state(void **state)
{
	(void)state;
	return file_remove_tree(AT_FDCWD, state_dir);
}

/* Each test starts with an empty arena and must leave no descriptor. */
#define RUN_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
#define RUN_ALL(tests) cmocka_run_group_tests(tests, make_state, drop_state)

#endif

#include "engine/prepare.h"

#include "sys/file.h"
#include "unit/engine/fake.h"
#include "unit/unit.h"

static const char run_id[] = "unit0000prep";
static struct arena arena;
static struct facts facts;
static char top[64];

static int begin(void **state)
{
	(void)state;
	arena_init(&arena, 8 << 20);
	snprintf(top, sizeof(top), "/tmp/coffer-unit-XXXXXX");
	return mkdtemp(top) && engine_probe(&arena, &facts, NULL) == 0 ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	arena_done(&arena);
	return file_remove_tree(AT_FDCWD, top);
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static const char *scratch(void)
{
	return arena_printf(&arena, "%s/coffer-%s", top, run_id);
}

static const char *pids_dir(void)
{
	if (facts.pids.version == FACTS_CGROUP_NONE)
		SKIP_BECAUSE("no cgroup can be made here");
	return arena_printf(&arena, "%s/coffer-%s", facts.pids.dir, run_id);
}

static void add_scratch(struct plan_build *b)
{
	plan_add(b, OP_SCRATCH_MAKE, "default", scratch(), (uint64_t)01777, (uint64_t)getuid(), (uint64_t)getgid());
}

static void add_cgroup(struct plan_build *b)
{
	uint64_t controller = facts.pids.version == FACTS_CGROUP_V2 ? PLAN_CGROUP_V2 : PLAN_CGROUP_V1_PIDS;

	plan_add(b, OP_CGROUP_MAKE, "--processes", controller, pids_dir());
	plan_add(b, OP_CGROUP_SET, "--processes", arena_printf(&arena, "%s/pids.max", pids_dir()), "20");
	plan_add(b, OP_CGROUP_JOIN, "--processes", arena_printf(&arena, "%s/cgroup.procs", pids_dir()));
}

static void add_bad_cgroup(struct plan_build *b)
{
	plan_add(b, OP_SCRATCH_MAKE, "default", scratch(), (uint64_t)0700, (uint64_t)getuid(), (uint64_t)getgid());
	plan_add(b, OP_CGROUP_MAKE, "--memory", (uint64_t)PLAN_CGROUP_V2, "/does/not/exist/coffer-unit0000prep");
}

static struct engine_run_options options(void)
{
	struct engine_run_options o;

	engine_run_options_init(&o);
	o.launcher = "/proc/self/exe";
	o.run_id = run_id;
	o.state_dir = arena_printf(&arena, "%s/state", top);
	return o;
}

static struct plan make_plan(void (*add)(struct plan_build *b))
{
	const struct fake_plan wish = { .wall_ms = 5000, .output_bytes = 77, .prepare = add };

	return fake_plan(&arena, &wish, (const char *const[]){ "run", "exit 3", NULL });
}

static int count_journals(void)
{
	struct file_dir dir;
	const char *name;
	unsigned char type;
	int n = 0, fd = open(arena_printf(&arena, "%s/state/journal", top), O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	file_dir_init(&dir, fd);
	while (file_dir_next(&dir, &name, &type) > 0)
		n++;
	close(fd);
	return n;
}

static void nothing_to_undo(void **state)
{
	struct plan plan = make_plan(NULL);
	struct engine_run_options o = options();
	struct prepared prepared;

	(void)state;
	prepared_init(&prepared);
	assert_int_equal(prepare(&plan, &o, &arena, &prepared, NULL), 0);
	assert_int_equal(prepared.wall_ms, 5000);
	assert_int_equal(prepared.output_bytes, 77);
	assert_true(prepared.cpu_ms == UINT64_MAX);
	assert_false(exists(o.state_dir));
	prepared_undo(&prepared);
}

static void scratch_directory(void **state)
{
	struct plan plan = make_plan(add_scratch);
	struct engine_run_options o = options();
	struct prepared prepared;
	struct stat st;

	(void)state;
	prepared_init(&prepared);
	assert_int_equal(prepare(&plan, &o, &arena, &prepared, NULL), 0);
	assert_int_equal(lstat(scratch(), &st), 0);
	assert_int_equal(st.st_mode & 07777, 01777);
	assert_int_equal(mkdir(arena_printf(&arena, "%s/left", scratch()), 0), 0);
	assert_int_equal(count_journals(), 1);
	prepared_undo(&prepared);
	assert_false(exists(scratch()));
	assert_int_equal(count_journals(), 0);
}

static void what_was_there_stays(void **state)
{
	struct plan plan = make_plan(add_scratch);
	struct engine_run_options o = options();
	struct prepared prepared;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(mkdir(scratch(), 0700), 0);
	prepared_init(&prepared);
	assert_int_equal(prepare(&plan, &o, &arena, &prepared, &err), -EEXIST);
	assert_int_equal(err.code, ERR_SETUP);
	assert_non_null(strstr(err.text, "SCRATCH_MAKE"));
	prepared_undo(&prepared);
	assert_true(exists(scratch()));
	assert_int_equal(count_journals(), 0);
}

static void a_step_fails(void **state)
{
	struct plan plan = make_plan(add_bad_cgroup);
	struct engine_run_options o = options();
	struct outcome outcome;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(engine_run(&plan, &o, &arena, &outcome, &err), -ENOENT);
	assert_string_equal(err.where, "--memory");
	assert_non_null(strstr(err.text, "CGROUP_MAKE"));
	assert_false(exists(scratch()));
	assert_int_equal(count_journals(), 0);
}

static void a_run_in_a_cgroup(void **state)
{
	struct plan plan = make_plan(add_cgroup);
	struct engine_run_options o = options();
	struct outcome outcome;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(engine_run(&plan, &o, &arena, &outcome, &err), 0);
	assert_int_equal(outcome.exit_code, 3);
	assert_false(exists(pids_dir()));
	assert_int_equal(count_journals(), 0);
}

/* The whole process is killed at some moment; gc finds all that it left. */
static void killed_at_any_moment(void **state)
{
	struct plan plan = make_plan(add_cgroup);
	struct engine_run_options o = options();

	(void)state;
	for (int i = 0; i < 60; i++) {
		pid_t child = fork();

		if (child == 0) {
			struct outcome outcome;

			for (;;)
				engine_run(&plan, &o, &arena, &outcome, NULL);
		}
		usleep((useconds_t)(500 + 331 * i));
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		/* A launcher that was just being born holds the lock until it is itself. */
		for (int try = 0; try < 200 && exists(pids_dir()); try++) {
			assert_true(engine_gc(o.state_dir, NULL) >= 0);
			usleep(10000);
		}
		assert_true(engine_gc(o.state_dir, NULL) >= 0);
		assert_false(exists(pids_dir()));
		assert_int_equal(count_journals(), 0);
	}
}

static void torture(void **state)
{
#ifdef COFFER_TORTURE
	struct plan plan = make_plan(add_cgroup);
	struct engine_run_options o = options();

	(void)state;
	for (o.torture_op = 0; o.torture_op < 3; o.torture_op++) {
		struct outcome outcome;
		struct err err = { 0 };

		assert_int_equal(engine_run(&plan, &o, &arena, &outcome, &err), -EIO);
		assert_non_null(strstr(err.text, plan_op_info(plan.op[o.torture_op].code)->name));
		assert_false(exists(pids_dir()));
		assert_int_equal(count_journals(), 0);
	}
#else
	(void)state;
	SKIP_BECAUSE("not a torture build");
#endif
}

#define RUN_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(nothing_to_undo), RUN_TEST(scratch_directory), RUN_TEST(what_was_there_stays),
		RUN_TEST(a_step_fails),    RUN_TEST(a_run_in_a_cgroup), RUN_TEST(killed_at_any_moment),
		RUN_TEST(torture),
	};

	(void)argc;
	fake_main(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

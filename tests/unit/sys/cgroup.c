#include "sys/cgroup.h"

#include "engine/engine.h"
#include "unit/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct arena arena;
static struct facts facts;

static int probe(void **state)
{
	(void)state;
	arena_init(&arena, 1 << 20);
	return engine_probe(&arena, &facts, NULL);
}

static int forget(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

/* A fresh cgroup's path below a place of the facts. */
static const char *fresh(const struct facts_controller *place)
{
	if (place->version == FACTS_CGROUP_NONE)
		SKIP_BECAUSE("no cgroup can be made here");
	return arena_printf(&arena, "%s/coffer-unit-%d", place->dir, (int)getpid());
}

static const char *below(const char *dir, const char *name)
{
	return arena_printf(&arena, "%s/%s", dir, name);
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static enum cgroup_account account(const struct facts_controller *place, enum cgroup_account v1)
{
	return place->version == FACTS_CGROUP_V2 ? CGROUP_V2 : v1;
}

static pid_t start_in(const char *dir, void (*deed)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		int fd = open(below(dir, "cgroup.procs"), O_WRONLY | O_CLOEXEC);

		if (write(fd, "0", 1) != 1)
			_exit(99);
		deed();
		_exit(0);
	}
	return pid;
}

static void limits_are_read_back(void **state)
{
	const char *dir = fresh(&facts.pids);

	(void)state;
	assert_int_equal(cgroup_make(dir), 0);
	assert_int_equal(cgroup_make(dir), -EEXIST);
	assert_int_equal(cgroup_set(below(dir, "pids.max"), "17"), 0);
	assert_int_equal(cgroup_set(below(dir, "pids.max"), "max"), 0);
	assert_true(cgroup_set(below(dir, "pids.max"), "many") < 0);
	assert_int_equal(cgroup_set(below(dir, "pids.nonsense"), "1"), -ENOENT);
	assert_int_equal(cgroup_remove(dir), 0);
	assert_int_equal(cgroup_remove(dir), 0);
	assert_false(exists(dir));
}

static void sizes_are_rounded(void **state)
{
	const char *dir = fresh(&facts.memory);
	const char *file = below(dir, facts.memory.version == FACTS_CGROUP_V2 ? "memory.max" : "memory.limit_in_bytes");

	(void)state;
	assert_int_equal(cgroup_make(dir), 0);
	assert_int_equal(cgroup_set(file, "67108864"), 0);
	assert_int_equal(cgroup_set(file, "67110000"), 0);
	assert_int_equal(cgroup_set(file, facts.memory.version == FACTS_CGROUP_V2 ? "max" : "-1"), 0);
	assert_int_equal(cgroup_remove(dir), 0);
}

static void fork_in_vain(void)
{
	for (int i = 0; i < 10; i++)
		if (fork() == 0) {
			pause();
			_exit(0);
		}
	pause();
}

static void processes_are_counted_and_killed(void **state)
{
	const char *dir = fresh(&facts.pids);
	struct cgroup_usage usage = { 0 };
	int status;

	(void)state;
	assert_int_equal(cgroup_make(dir), 0);
	assert_int_equal(cgroup_set(below(dir, "pids.max"), "5"), 0);

	pid_t pid = start_in(dir, fork_in_vain);

	for (int i = 0; i < 500 && usage.forks_refused < 5; i++) {
		nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
		cgroup_read_hits(dir, account(&facts.pids, CGROUP_V1_PIDS), &usage);
	}
	cgroup_read(dir, account(&facts.pids, CGROUP_V1_PIDS), &usage);
	assert_true(usage.forks_refused >= 5);
	assert_true(usage.processes_peak == 5 || usage.processes_peak == 0);
	/* Our child stays a zombie until we wait; it is no longer in the cgroup. */
	assert_int_equal(cgroup_kill(dir), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_int_equal(cgroup_remove(dir), 0);
}

static void removing_kills_and_goes_deep(void **state)
{
	const char *dir = fresh(&facts.pids);

	(void)state;
	assert_int_equal(cgroup_make(dir), 0);
	assert_int_equal(mkdir(below(dir, "a"), 0755), 0);
	assert_int_equal(mkdir(below(dir, "a/b"), 0755), 0);
	assert_int_equal(mkdir(below(dir, "c"), 0755), 0);

	pid_t pid = start_in(below(dir, "a/b"), fork_in_vain);

	nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	assert_int_equal(cgroup_remove(dir), 0);
	assert_false(exists(dir));
	waitpid(pid, NULL, 0);
}

static void eat(void)
{
	volatile char *p = malloc(256 << 20);

	for (size_t i = 0; p && i < 256 << 20; i += 4096)
		p[i] = 1;
}

static void memory_is_counted(void **state)
{
	const char *dir = fresh(&facts.memory);
	bool v2 = facts.memory.version == FACTS_CGROUP_V2;
	struct cgroup_usage usage = { 0 };
	int status;

	(void)state;
	assert_int_equal(cgroup_make(dir), 0);
	assert_int_equal(cgroup_set(below(dir, v2 ? "memory.max" : "memory.limit_in_bytes"), "33554432"), 0);
	if (facts.swap_accounting)
		assert_int_equal(cgroup_set(below(dir, v2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes"), v2 ? "0" : "33554432"), 0);

	pid_t pid = start_in(dir, eat);

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	cgroup_read(dir, account(&facts.memory, CGROUP_V1_MEMORY), &usage);
	cgroup_read_hits(dir, account(&facts.memory, CGROUP_V1_MEMORY), &usage);
	assert_int_equal(usage.oom_kills, 1);
	assert_in_range(usage.memory_peak_bytes, 30 << 20, 32 << 20);
	assert_int_equal(cgroup_remove(dir), 0);
}

static void burn(void)
{
	struct timespec now;

	do
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	while (now.tv_nsec < 100000000);
}

/* Version 2, which may be there beside version 1. */
static void version_2(void **state)
{
	const char *top = exists("/sys/fs/cgroup/cgroup.controllers") ? "/sys/fs/cgroup" : "/sys/fs/cgroup/unified";
	const char *dir = arena_printf(&arena, "%s/coffer-unit-%d", top, (int)getpid());
	uint64_t us;

	(void)state;
	if (geteuid() != 0 || mkdir(dir, 0755) < 0)
		SKIP_BECAUSE("no version 2 cgroup can be made at the top here");
	if (exists("/sys/fs/cgroup/unified") && exists(below(top, "cgroup.controllers"))) {
		/* A controller that the parent has not handed down yet. */
		assert_int_equal(cgroup_set(below(dir, "hugetlb.2MB.max"), "2097152"), 0);
	}

	pid_t pid = start_in(dir, burn);

	waitpid(pid, NULL, 0);
	assert_int_equal(cgroup_read_cpu(dir, CGROUP_V2, &us), 0);
	assert_true(us >= 90000);
	pid = start_in(dir, fork_in_vain);
	nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	assert_int_equal(cgroup_remove(dir), 0);
	waitpid(pid, NULL, 0);
	if (exists("/sys/fs/cgroup/unified")) {
		int fd = open(below(top, "cgroup.subtree_control"), O_WRONLY | O_CLOEXEC);

		(void)!write(fd, "-hugetlb", 8);
		close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_are_read_back),
		cmocka_unit_test(sizes_are_rounded),
		cmocka_unit_test(processes_are_counted_and_killed),
		cmocka_unit_test(removing_kills_and_goes_deep),
		cmocka_unit_test(memory_is_counted),
		cmocka_unit_test(version_2),
	};

	return cmocka_run_group_tests(tests, probe, forget);
}

#include "engine/journal.h"

#include "engine/engine.h"
#include "sys/file.h"
#include "unit/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char run_id[] = "unit0000jrnl";
static struct arena arena;
static char top[64];
static const char *state_dir;

static int begin(void **state)
{
	(void)state;
	arena_init(&arena, 1 << 20);
	snprintf(top, sizeof(top), "/tmp/coffer-unit-XXXXXX");
	if (!mkdtemp(top))
		return -1;
	state_dir = arena_printf(&arena, "%s/a/state", top);
	return 0;
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

/* Two trees that a run would have made. */
static struct inverse_vec two_trees(void)
{
	struct inverse_vec inverses = { 0 };

	for (int i = 0; i < 2; i++)
		*inverse_vec_add(&inverses, &arena) =
		    (struct inverse){ PLAN_INVERSE_REMOVE_TREE, arena_printf(&arena, "%s/coffer-%s-%d", top, run_id, i) };
	return inverses;
}

static void make(const struct inverse_vec *inverses)
{
	for (size_t i = 0; i < inverses->n; i++) {
		assert_int_equal(mkdir(inverses->at[i].path, 0700), 0);
		assert_int_equal(mkdir(arena_printf(&arena, "%s/x", inverses->at[i].path), 0700), 0);
	}
}

static const char *journal_path(void)
{
	return arena_printf(&arena, "%s/journal/%s", state_dir, run_id);
}

static void a_run_that_ends(void **state)
{
	struct inverse_vec inverses = two_trees();
	struct journal journal;
	struct err err = { 0 };
	struct stat st;

	(void)state;
	assert_int_equal(journal_begin(state_dir, run_id, &inverses, &journal, &err), 0);
	assert_true(exists(journal_path()));
	assert_int_equal(stat(state_dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(engine_gc(state_dir, &err), 0); /* it is ours: we are alive */
	assert_true(exists(journal_path()));
	assert_int_equal(journal_begin(state_dir, run_id, &inverses, &(struct journal){ 0 }, &err), -EEXIST);
	assert_int_equal(err.code, ERR_BUSY);
	journal_end(&journal, false);
	assert_false(exists(journal_path()));
}

static void die_with_a_journal(const struct inverse_vec *inverses)
{
	struct journal journal;
	pid_t child = fork();

	if (child == 0) {
		if (journal_begin(state_dir, run_id, inverses, &journal, NULL) < 0)
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void a_run_that_was_killed(void **state)
{
	struct inverse_vec inverses = two_trees();

	(void)state;
	die_with_a_journal(&inverses);
	make(&inverses);
	assert_true(exists(journal_path()));
	assert_int_equal(engine_gc(state_dir, NULL), 1);
	assert_false(exists(journal_path()));
	for (size_t i = 0; i < inverses.n; i++)
		assert_false(exists(inverses.at[i].path));
	assert_int_equal(engine_gc(state_dir, NULL), 0);
}

static void the_next_start_clears_away(void **state)
{
	struct inverse_vec inverses = two_trees();
	struct journal journal;

	(void)state;
	die_with_a_journal(&inverses);
	make(&inverses);
	assert_int_equal(journal_begin(state_dir, "unit0000next", &inverses, &journal, NULL), 0);
	assert_false(exists(journal_path()));
	assert_false(exists(inverses.at[0].path));
	journal_end(&journal, false);
}

static void a_journal_that_is_kept(void **state)
{
	struct inverse_vec inverses = two_trees();
	struct journal journal;

	(void)state;
	assert_int_equal(journal_begin(state_dir, run_id, &inverses, &journal, NULL), 0);
	journal_end(&journal, true);
	assert_true(exists(journal_path()));
	assert_int_equal(engine_gc(state_dir, NULL), 1);
}

static void put(const char *path, const void *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, bytes, n), n);
	close(fd);
}

/* Whatever stands in the directory, nothing but what bears a run's name is removed. */
static void journals_are_not_believed(void **state)
{
	struct inverse_vec inverses = two_trees();
	struct journal journal;
	char text[512];
	int len;

	(void)state;
	assert_int_equal(journal_begin(state_dir, run_id, &inverses, &journal, NULL), 0);
	journal_end(&journal, false);

	const char *victim = arena_printf(&arena, "%s/victim", top);

	assert_int_equal(mkdir(victim, 0700), 0);
	len = snprintf(text, sizeof(text), "coffer journal 1%ct%s%ct%s/../victim%ct%ct/%cc/%cx", 0, victim, 0, top, 0, 0, 0, 0);
	put(journal_path(), text, (size_t)len);
	assert_int_equal(engine_gc(state_dir, NULL), 1);
	assert_true(exists(victim));

	static const char *const odd[] = { "", "c", "coffer journal 1", "coffer journal 2", "no end" };

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		put(journal_path(), odd[i], strlen(odd[i]));
		assert_int_equal(engine_gc(state_dir, NULL), 1);
	}
	assert_int_equal(symlink(victim, journal_path()), 0);
	assert_int_equal(engine_gc(state_dir, NULL), 0);
	assert_int_equal(unlink(journal_path()), 0);
	assert_int_equal(mkfifo(journal_path(), 0600), 0);
	assert_true(engine_gc(state_dir, NULL) >= 0);
	assert_true(exists(victim));
}

static void the_directory_must_be_private(void **state)
{
	struct inverse_vec inverses = two_trees();
	struct journal journal;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(engine_gc(state_dir, &err), 0); /* none: nothing to do */
	assert_int_equal(mkdir(arena_printf(&arena, "%s/a", top), 0700), 0);
	assert_int_equal(mkdir(state_dir, 0700), 0);
	assert_int_equal(chmod(state_dir, 0755), 0);
	assert_int_equal(journal_begin(state_dir, run_id, &inverses, &journal, &err), -EPERM);
	assert_int_equal(err.code, ERR_DENIED);
	assert_int_equal(engine_gc(state_dir, &err), -EPERM);
	assert_int_equal(rmdir(state_dir), 0);
	assert_int_equal(symlink("/tmp", state_dir), 0);
	assert_true(journal_begin(state_dir, run_id, &inverses, &journal, &err) < 0);
	assert_int_equal(journal_begin(NULL, run_id, &inverses, &journal, &err), -EINVAL);
	assert_int_equal(journal_begin(state_dir, "../x", &inverses, &journal, &err), -EINVAL);
	assert_int_equal(err.code, ERR_USAGE);
}

/* Many at once: each gets its journal, none is swept away while its owner lives. */
static void many_at_once(void **state)
{
	enum { WORKERS = 8, ROUNDS = 100 };
	struct inverse_vec inverses = { 0 };

	(void)state;
	*inverse_vec_add(&inverses, &arena) = (struct inverse){ PLAN_INVERSE_REMOVE_TREE, "/none/of-anybody" };
	for (int i = 0; i < WORKERS; i++) {
		if (fork() != 0)
			continue;
		for (int round = 0; round < ROUNDS; round++) {
			const char *name = arena_printf(&arena, "worker%d", i);
			struct journal journal;
			struct stat st;

			if (journal_begin(state_dir, name, &inverses, &journal, NULL) < 0)
				_exit(1);
			engine_gc(state_dir, NULL);
			if (fstat(journal.file, &st) < 0 || st.st_nlink != 1 || st.st_size == 0)
				_exit(2);
			journal_end(&journal, false);
		}
		_exit(0);
	}
	for (int i = 0, status; i < WORKERS; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
}

#define RUN_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(a_run_that_ends),        RUN_TEST(a_run_that_was_killed),     RUN_TEST(the_next_start_clears_away),
		RUN_TEST(a_journal_that_is_kept), RUN_TEST(journals_are_not_believed), RUN_TEST(the_directory_must_be_private),
		RUN_TEST(many_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

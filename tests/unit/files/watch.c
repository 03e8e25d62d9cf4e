#include "files/watch.h"

#include "unit/files/tree.h"
#include "unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct files_watch *watch;

static int drop(void **state)
{
	files_watch_close(&watch);
	return tree_drop(state);
}

/* What is told until 50 ms pass without anything: "create a|move b c|…", directories with a '/' behind them. */
static const char *told(void)
{
	static char text[1 << 20];
	struct files_event event;
	size_t n = 0;

	text[0] = '\0';
	while (files_watch_next(watch, 50, &event, &tree.err) == 1 && n < sizeof(text))
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s %s%s%s%s|", files_change_name(event.change),
		                      event.from ? event.from : "", event.from ? " " : "", event.path, event.directory ? "/" : "");
	return text;
}

static void start(bool recursive)
{
	assert_int_equal(files_watch_open(&tree.files, ".", recursive, &watch, &tree.err), 0);
}

static void changes(void **state)
{
	(void)state;
	tree_mkdir("d");
	tree_put("old", "x");
	start(true);
	assert_string_equal(told(), "");
	tree_put("d/a", "");
	assert_string_equal(told(), "create d/a|");
	tree_put("d/a", "x");
	assert_string_equal(told(), "modify d/a|");
	assert_int_equal(renameat(tree.root, "d/a", tree.root, "b"), 0);
	assert_string_equal(told(), "move d/a b|");
	assert_int_equal(unlinkat(tree.root, "b", 0), 0);
	tree_link("../out", "link");
	assert_string_equal(told(), "delete b|create link|");
	assert_int_equal(files_write(&tree.files, "w", &(struct files_write){ .bytes = "x", .n = 1, .mode = 0600 }, &tree.err), 0);
	assert_string_equal(told(), "create w|");
	assert_int_equal(unlinkat(tree.root, "d", AT_REMOVEDIR), 0);
	assert_string_equal(told(), "delete d/|");
}

static void directories_that_come_and_move(void **state)
{
	(void)state;
	start(true);
	tree_mkdir("a");
	tree_mkdir("a/b");
	tree_put("a/b/c", "");
	assert_string_equal(told(), "create a/|create a/b/|create a/b/c|");
	tree_put("a/b/d", "");
	assert_string_equal(told(), "create a/b/d|");
	assert_int_equal(renameat(tree.root, "a", tree.root, "z"), 0);
	tree_put("z/b/e", "");
	assert_string_equal(told(), "move a z/|create z/b/e|");
	assert_int_equal(renameat(tree.root, "z", tree.top_fd, "away"), 0);
	assert_string_equal(told(), "delete z/|");

	int fd = openat(tree.top_fd, "away/b/f", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	close(fd);
	assert_string_equal(told(), "");
	assert_int_equal(renameat(tree.top_fd, "away", tree.root, "back"), 0);
	assert_string_equal(told(), "create back/|create back/b/|create back/b/c|create back/b/d|create back/b/e|create back/b/f|");
	tree_put("back/b/g", "");
	assert_string_equal(told(), "create back/b/g|");
}

static void one_level(void **state)
{
	(void)state;
	tree_mkdir("d");
	start(false);
	tree_put("d/a", "");
	tree_put("b", "");
	assert_string_equal(told(), "create b|");
	files_watch_close(&watch);
	assert_int_equal(files_watch_open(&tree.files, "d", true, &watch, &tree.err), 0);
	tree_put("d/c", "");
	assert_string_equal(told(), "create d/c|");
	assert_int_equal(files_remove(&tree.files, "d", true, &tree.err), 0);
	assert_non_null(strstr(told(), "gone /|"));
}

/* A tree that is made by somebody else while it is discovered: each file is told once. */
static void build(void)
{
	char name[64];

	for (unsigned i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "d%u", i);
		(void)!mkdir(name, 0755);
		for (unsigned j = 0; j < 5; j++) {
			snprintf(name, sizeof(name), "d%u/s%u", i, j);
			(void)!mkdir(name, 0755);
			snprintf(name, sizeof(name), "d%u/s%u/f", i, j);
			close(open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
		}
	}
	for (;;)
		pause();
}

static void nothing_is_lost_or_told_twice(void **state)
{
	static unsigned char seen[200][5];
	struct files_event event;
	unsigned n = 0, i, j;

	(void)state;
	start(true);
	tree_disturb(build);
	while (files_watch_next(watch, 1000, &event, &tree.err) == 1) {
		assert_int_equal(event.change, FILES_CREATED);
		if (!event.directory && sscanf(event.path, "d%u/s%u/f", &i, &j) == 2) {
			assert_int_equal(seen[i][j]++, 0);
			n++;
		}
	}
	assert_int_equal(n, 1000);
}

static void too_much_is_told_as_overflow(void **state)
{
	char name[32];
	const char *text;

	(void)state;
	start(true);
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		tree_put(name, "");
		assert_int_equal(unlinkat(tree.root, name, 0), 0);
	}
	tree_mkdir("late");
	text = told();
	assert_non_null(strstr(text, "overflow |"));
	tree_put("late/file", "");
	assert_string_equal(told(), "create late/file|");
}

static void ceilings(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		char name[8];

		snprintf(name, sizeof(name), "d%u", i);
		tree_mkdir(name);
	}
	tree.files.entries_max = 5;
	assert_int_equal(files_watch_open(&tree.files, ".", true, &watch, &tree.err), -E2BIG);
	assert_null(watch);
	tree.files.entries_max = 100;
	tree_link("../out", "out");
	assert_int_equal(files_watch_open(&tree.files, "out", true, &watch, &tree.err), -EXDEV);
}

#define IN_TREE(test) cmocka_unit_test_setup_teardown(test, tree_make, drop)
int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_TREE(changes),
		IN_TREE(directories_that_come_and_move),
		IN_TREE(one_level),
		IN_TREE(nothing_is_lost_or_told_twice),
		IN_TREE(too_much_is_told_as_overflow),
		IN_TREE(ceilings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "files/files.h"

#include "unit/files/tree.h"
#include "unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* The paths of a list, each with a space behind it. */
static const char *names(const struct files_list *list)
{
	static char text[4096];
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < list->entries.n; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s ", list->entries.at[i].path);
	return text;
}

static void fill(void)
{
	tree_mkdir("src");
	tree_mkdir("src/b");
	tree_mkdir("src/.git");
	tree_put("src/a.c", "12");
	tree_put("src/b/c.c", "");
	tree_put("src/b/d.h", "");
	tree_put("src/.git/x.c", "");
	tree_put("z.c", "");
	tree_link("src", "link");
	tree_link("../out", "out");
	assert_int_equal(mkfifoat(tree.root, "pipe", 0600), 0);
}

static void lists(void **state)
{
	struct files_list list;

	(void)state;
	fill();
	assert_int_equal(files_list(&tree.files, ".", 1, &tree.arena, &list, &tree.err), 0);
	assert_string_equal(names(&list), "link out pipe src z.c ");
	assert_int_equal(list.cut, FILES_WHOLE);
	assert_int_equal(list.entries.at[0].stat.kind, FILES_SYMLINK);
	assert_int_equal(list.entries.at[2].stat.kind, FILES_OTHER);
	assert_int_equal(list.entries.at[3].stat.kind, FILES_DIRECTORY);
	assert_int_equal(files_list(&tree.files, "src", 1, &tree.arena, &list, &tree.err), 0);
	assert_string_equal(names(&list), "src/.git src/a.c src/b ");
	assert_int_equal(list.entries.at[1].stat.size, 2);
	assert_int_equal(files_list(&tree.files, "link", 2, &tree.arena, &list, &tree.err), 0);
	assert_string_equal(names(&list), "link/.git link/.git/x.c link/a.c link/b link/b/c.c link/b/d.h ");
	assert_int_equal(files_list(&tree.files, "", 99, &tree.arena, &list, &tree.err), 0);
	assert_int_equal(list.entries.n, 11);
	assert_int_equal(files_list(&tree.files, "out", 1, &tree.arena, &list, &tree.err), -EXDEV);
	assert_int_equal(files_list(&tree.files, "z.c", 1, &tree.arena, &list, &tree.err), -ENOTDIR);
	assert_int_equal(files_list(&tree.files, "none", 1, &tree.arena, &list, &tree.err), -ENOENT);
	assert_int_equal(files_list(&tree.files, ".", 0, &tree.arena, &list, &tree.err), -EINVAL);
}

static void ceilings(void **state)
{
	struct files_list list;

	(void)state;
	fill();
	tree.files.entries_max = 3;
	assert_int_equal(files_list(&tree.files, ".", 9, &tree.arena, &list, &tree.err), 0);
	assert_int_equal(list.entries.n, 3);
	assert_int_equal(list.cut, FILES_CUT_ENTRIES);
	assert_string_equal(files_cut_name(list.cut), "entries");
	tree.files.entries_max = 100;
	tree.files.depth_max = 1;
	assert_int_equal(files_list(&tree.files, ".", 9, &tree.arena, &list, &tree.err), 0);
	assert_int_equal(list.cut, FILES_CUT_DEPTH);
	if (geteuid() == 0)
		return;
	tree.files.depth_max = 9;
	assert_int_equal(fchmodat(tree.root, "src/b", 0, 0), 0);
	assert_int_equal(files_list(&tree.files, ".", 9, &tree.arena, &list, &tree.err), 0);
	assert_int_equal(list.cut, FILES_CUT_UNREADABLE);
}

static void matches(const char *pattern, const char *want)
{
	struct files_list list;

	assert_int_equal(files_glob(&tree.files, pattern, &tree.arena, &list, &tree.err), 0);
	assert_string_equal(names(&list), want);
}

static void globs(void **state)
{
	struct files_list list;

	(void)state;
	fill();
	matches("*.c", "z.c ");
	matches("**/*.c", "src/.git/x.c src/a.c src/b/c.c z.c ");
	matches("src/*", "src/.git src/a.c src/b ");
	matches("src/b/[cd].?", "src/b/c.c src/b/d.h ");
	matches("./src/../src/a.c", "src/a.c ");
	matches("none/*", "");
	matches("none", "");
	matches("link/*.c", "link/a.c ");
	assert_int_equal(files_glob(&tree.files, "../*", &tree.arena, &list, &tree.err), -EINVAL);
	assert_int_equal(files_glob(&tree.files, "out/*", &tree.arena, &list, &tree.err), -EXDEV);
}

/* What is deeper than FILES_DEPTH_MAX, and names that are not text. */
static void odd_trees(void **state)
{
	struct files_list list;
	int at = dup(tree.root);

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(mkdirat(at, "d", 0755), 0);

		int next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		close(at);
		at = next;
	}
	close(at);
	tree.files.depth_max = 100000;
	assert_int_equal(files_list(&tree.files, ".", 100000, &tree.arena, &list, &tree.err), 0);
	assert_int_equal(list.entries.n, FILES_DEPTH_MAX + 1);
	assert_int_equal(list.cut, FILES_CUT_DEPTH);
	assert_int_equal(files_remove(&tree.files, "d", true, &tree.err), 0);
	tree_put("\xff\xfe\n\x1b[2J", "");
	assert_int_equal(files_list(&tree.files, ".", 1, &tree.arena, &list, &tree.err), 0);
	assert_string_equal(names(&list), "\xff\xfe\n\x1b[2J ");
}

static void swap(void)
{
	(void)!rename("x", "y");
	(void)!symlink("../out", "x");
	(void)!unlink("x");
	(void)!rename("y", "x");
}

static void a_walk_does_not_leave_by_a_swapped_directory(void **state)
{
	struct files_list list;

	(void)state;
	tree_mkdir("x");
	tree_put("x/own", "");
	tree_disturb(swap);
	for (unsigned i = 0; i < 3000; i++) {
		struct arena arena;

		arena_init(&arena, 1 << 20);
		assert_int_equal(files_list(&tree.files, ".", 5, &arena, &list, &tree.err), 0);
		assert_null(strstr(names(&list), "secret"));
		if (files_glob(&tree.files, "x/*", &arena, &list, NULL) == 0)
			assert_null(strstr(names(&list), "secret"));
		arena_done(&arena);
	}
}

#define IN_TREE(test) cmocka_unit_test_setup_teardown(test, tree_make, tree_drop)
int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_TREE(lists),
		IN_TREE(ceilings),
		IN_TREE(globs),
		IN_TREE(odd_trees),
		IN_TREE(a_walk_does_not_leave_by_a_swapped_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "files/files.h"

#include "sys/file.h"
#include "unit/files/tree.h"
#include "unit/unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int copy(const char *from, const char *to)
{
	return files_copy(&tree.files, from, to, &tree.err);
}

static void things(void **state)
{
	struct files_stat st;
	const struct timespec times[2] = { { 1000, 0 }, { 1234567, 890 } };
	char target[PATH_BYTES_MAX + 1];

	(void)state;
	tree_put("a", "content");
	assert_int_equal(fchmodat(tree.root, "a", 04750, 0), 0);
	assert_int_equal(utimensat(tree.root, "a", times, 0), 0);
	tree_link("../out/secret", "link");
	assert_int_equal(copy("a", "new/b"), 0);
	assert_string_equal(tree_get("new/b"), "content");
	assert_int_equal(files_stat(&tree.files, "new/b", false, &st, &tree.err), 0);
	assert_int_equal(st.mode, 0750);
	assert_int_equal(st.mtime.tv_sec, 1234567);
	assert_int_equal(copy("link", "link2"), 0);
	assert_int_equal(files_readlink(&tree.files, "link2", target, &tree.err), 0);
	assert_string_equal(target, "../out/secret");
	assert_int_equal(copy("a", "new/b"), -EEXIST);
	assert_int_equal(copy("none", "x"), -ENOENT);
	assert_int_equal(copy("a", "../out/x"), -EINVAL);
}

static void trees(void **state)
{
	struct files_stat st;

	(void)state;
	tree_mkdir("d");
	tree_mkdir("d/ro");
	tree_mkdir("d/empty");
	tree_put("d/ro/file", "x");
	tree_link("../../../out", "d/ro/link");
	tree_put("d/\xff\n name", "y");
	assert_int_equal(fchmodat(tree.root, "d/ro", 0555, 0), 0);
	assert_int_equal(copy("d", "e"), 0);
	assert_string_equal(tree_get("e/ro/file"), "x");
	assert_string_equal(tree_get("e/\xff\n name"), "y");
	assert_int_equal(files_stat(&tree.files, "e/ro", false, &st, &tree.err), 0);
	assert_int_equal(st.mode, 0555);
	assert_int_equal(files_stat(&tree.files, "e/ro/link", false, &st, &tree.err), 0);
	assert_int_equal(st.kind, FILES_SYMLINK);
	assert_true(tree_has("e/empty"));
	assert_int_equal(copy("d", "d/inside"), -EINVAL);
	assert_non_null(strstr(tree.err.text, "into itself"));
	assert_false(tree_has("d/inside"));
}

/* Each fails, and nothing is left of it. */
static void all_or_nothing(void **state)
{
	(void)state;
	tree_mkdir("d");
	tree_put("d/a", "12345");
	tree_put("d/b", "12345");
	tree_mkdir("d/c");
	tree_put("d/c/d", "12345");
	tree.files.bytes_max = 14;
	assert_int_equal(copy("d", "e"), -EFBIG);
	tree.files.bytes_max = 15;
	tree.files.entries_max = 3;
	assert_int_equal(copy("d", "e"), -E2BIG);
	tree.files.entries_max = 4;
	tree.files.depth_max = 0;
	assert_int_equal(copy("d", "e"), -E2BIG);
	tree.files.depth_max = 1;
	assert_int_equal(copy("d", "e"), 0);
	assert_int_equal(mkfifoat(tree.root, "d/c/fifo", 0666), 0);
	tree.files.entries_max = 100;
	assert_int_equal(copy("d", "f"), -EINVAL);
	assert_non_null(strstr(tree.err.text, "d/c/fifo"));
	assert_int_equal(copy("d/c/fifo", "f"), -EINVAL);
	if (geteuid() != 0) {
		assert_int_equal(unlinkat(tree.root, "d/c/fifo", 0), 0);
		assert_int_equal(fchmodat(tree.root, "d/c", 0, 0), 0);
		assert_int_equal(copy("d", "f"), -EACCES);
	}

	struct files_list list;

	assert_int_equal(files_list(&tree.files, ".", 1, &tree.arena, &list, &tree.err), 0);
	assert_int_equal(list.entries.n, 2);
}

#define IN_TREE(test) cmocka_unit_test_setup_teardown(test, tree_make, tree_drop)
int main(void)
{
	const struct CMUnitTest tests[] = { IN_TREE(things), IN_TREE(trees), IN_TREE(all_or_nothing) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

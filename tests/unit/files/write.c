#include "files/files.h"

#include "sys/file.h"
#include "unit/files/tree.h"
#include "unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int put(const char *path, const char *text)
{
	return files_write(&tree.files, path, &(struct files_write){ .bytes = text, .n = strlen(text), .mode = FILES_KEEP_MODE },
	                   &tree.err);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	return fstatat(tree.root, path, &st, AT_SYMLINK_NOFOLLOW) == 0 ? st.st_mode & 07777 : 0;
}

static unsigned names_in_root(void)
{
	struct file_dir dir;
	const char *name;
	unsigned char type;
	unsigned n = 0;

	lseek(tree.root, 0, SEEK_SET);
	file_dir_init(&dir, tree.root);
	while (file_dir_next(&dir, &name, &type) > 0)
		n++;
	return n;
}

static void writes(void **state)
{
	struct files_write script = { .bytes = "#!", .n = 2, .mode = 06755 };

	(void)state;
	assert_int_equal(put("a/b/c", "one"), 0);
	assert_string_equal(tree_get("a/b/c"), "one");
	assert_int_equal(mode_of("a/b/c"), 0644);
	assert_int_equal(files_write(&tree.files, "x", &script, &tree.err), 0);
	assert_int_equal(mode_of("x"), 0755);
	assert_int_equal(put("x", "two"), 0);
	assert_int_equal(mode_of("x"), 0755);
	script.exclusive = true;
	assert_int_equal(files_write(&tree.files, "x", &script, &tree.err), -EEXIST);
	script.sync = true;
	assert_int_equal(files_write(&tree.files, "new", &script, &tree.err), 0);
	assert_int_equal(put("a", "x"), -EISDIR);
	assert_int_equal(put("x/y", "x"), -ENOTDIR);
	assert_int_equal(put(".", "x"), -EINVAL);
	assert_int_equal(put("../out/new", "x"), -EINVAL);
	tree.files.bytes_max = 2;
	assert_int_equal(put("x", "three"), -EFBIG);
	assert_string_equal(tree_get("x"), "two");
	assert_int_equal(names_in_root(), 3);
}

static void writes_what_a_descriptor_gives(void **state)
{
	int ends[2];
	struct files_write what = { .mode = 0600 };

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "from a pipe", 11), 11);
	close(ends[1]);
	what.from = ends[0];
	assert_int_equal(files_write(&tree.files, "f", &what, &tree.err), 0);
	assert_string_equal(tree_get("f"), "from a pipe");
	close(ends[0]);
	what.from = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	tree.files.bytes_max = 1 << 20;
	assert_int_equal(files_write(&tree.files, "f", &what, &tree.err), -EFBIG);
	close(what.from);
	assert_string_equal(tree_get("f"), "from a pipe");
	assert_int_equal(names_in_root(), 1);
}

static void links_are_replaced_not_followed(void **state)
{
	(void)state;
	tree_link("../out/secret", "link");
	tree_link("../out", "dir");
	assert_int_equal(put("link", "mine"), 0);
	assert_string_equal(tree_get("link"), "mine");
	assert_int_equal(put("dir/new", "x"), -EXDEV);
	tree_link("../out/secret", "log");
	assert_int_equal(files_append(&tree.files, "log", "x", 1, &tree.err), -ELOOP);
	assert_int_equal(files_append(&tree.files, "dir/new", "x", 1, &tree.err), -EXDEV);
	assert_int_equal(files_mkdir(&tree.files, "dir/new", 0755, true, &tree.err), -EXDEV);
}

static void appends(void **state)
{
	(void)state;
	assert_int_equal(files_append(&tree.files, "d/log", "one", 3, &tree.err), 0);
	assert_int_equal(files_append(&tree.files, "d/log", "two", 3, &tree.err), 0);
	assert_string_equal(tree_get("d/log"), "onetwo");
	tree.files.bytes_max = 6;
	assert_int_equal(files_append(&tree.files, "d/log", "x", 1, &tree.err), -EFBIG);
	assert_int_equal(mkfifoat(tree.root, "fifo", 0666), 0);
	assert_int_equal(files_append(&tree.files, "fifo", "x", 1, &tree.err), -EINVAL);
	assert_int_equal(put("fifo", "x"), 0);
	assert_string_equal(tree_get("fifo"), "x");
}

static void directories(void **state)
{
	(void)state;
	assert_int_equal(files_mkdir(&tree.files, "a", 0700, false, &tree.err), 0);
	assert_int_equal(mode_of("a"), 0700);
	assert_int_equal(files_mkdir(&tree.files, "a", 0700, false, &tree.err), -EEXIST);
	assert_int_equal(tree.err.code, ERR_BUSY);
	assert_string_equal(tree.err.text, "a: File exists");
	assert_int_equal(files_mkdir(&tree.files, "a", 0700, true, &tree.err), 0);
	assert_int_equal(files_mkdir(&tree.files, ".", 0700, true, &tree.err), 0);
	assert_int_equal(files_mkdir(&tree.files, "b/c/d", 0755, false, &tree.err), -ENOENT);
	assert_int_equal(files_mkdir(&tree.files, "b/c/d", 0755, true, &tree.err), 0);
	tree_put("file", "");
	assert_int_equal(files_mkdir(&tree.files, "file", 0755, true, &tree.err), -EEXIST);
	assert_int_equal(files_mkdir(&tree.files, "file/x", 0755, true, &tree.err), -ENOTDIR);
}

static void moves(void **state)
{
	(void)state;
	tree_put("a", "a");
	tree_put("b", "b");
	tree_link("../out/secret", "link");
	tree_link("../out", "dir");
	assert_int_equal(files_move(&tree.files, "a", "b", false, &tree.err), -EEXIST);
	assert_int_equal(files_move(&tree.files, "a", "b", true, &tree.err), 0);
	assert_string_equal(tree_get("b"), "a");
	assert_int_equal(files_move(&tree.files, "b", "new/sub/c", false, &tree.err), 0);
	assert_string_equal(tree_get("new/sub/c"), "a");
	assert_int_equal(files_move(&tree.files, "none", "x", false, &tree.err), -ENOENT);
	assert_int_equal(files_move(&tree.files, "new", "new/sub/x", false, &tree.err), -EINVAL);
	assert_int_equal(files_move(&tree.files, "link", "link2", false, &tree.err), 0);
	assert_true(tree_has("link2"));
	assert_int_equal(files_move(&tree.files, "new/sub/c", "dir/c", false, &tree.err), -EXDEV);
	assert_int_equal(files_move(&tree.files, "dir/secret", "mine", false, &tree.err), -EXDEV);
	assert_int_equal(files_move(&tree.files, "new/sub/c", "../out/c", false, &tree.err), -EINVAL);
}

static void removes(void **state)
{
	(void)state;
	tree_put("file", "");
	tree_link("../out", "link");
	tree_mkdir("empty");
	tree_mkdir("dir");
	tree_mkdir("dir/sub");
	tree_put("dir/sub/file", "");
	tree_link("../../../out", "dir/sub/link");
	assert_int_equal(files_remove(&tree.files, "file", false, &tree.err), 0);
	assert_int_equal(files_remove(&tree.files, "link/secret", true, &tree.err), -EXDEV);
	assert_int_equal(files_remove(&tree.files, "link", true, &tree.err), 0);
	assert_int_equal(files_remove(&tree.files, "empty", false, &tree.err), 0);
	assert_int_equal(files_remove(&tree.files, "dir", false, &tree.err), -ENOTEMPTY);
	assert_int_equal(fchmodat(tree.root, "dir/sub", 0, 0), 0);
	assert_int_equal(fchmodat(tree.root, "dir", 0, 0), 0);
	assert_int_equal(files_remove(&tree.files, "dir", true, &tree.err), 0);
	assert_int_equal(files_remove(&tree.files, "dir", true, &tree.err), -ENOENT);
	assert_int_equal(files_remove(&tree.files, ".", true, &tree.err), -EINVAL);
	assert_int_equal(names_in_root(), 0);
}

static void removes_what_is_deep(void **state)
{
	int at = dup(tree.root);

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		assert_int_equal(mkdirat(at, "d", 0755), 0);

		int next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		close(at);
		at = next;
	}
	close(at);
	assert_int_equal(files_remove(&tree.files, "d", true, &tree.err), 0);
	assert_int_equal(names_in_root(), 0);
}

static void refill(void)
{
	static unsigned n;
	char name[32];

	(void)!mkdir("busy", 0755);
	snprintf(name, sizeof(name), "busy/%u", n++ % 1000);
	(void)!mkdir(name, 0755);
	snprintf(name, sizeof(name), "busy/%u/f", n % 1000);
	close(open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
}

static void removing_what_is_refilled_ends(void **state)
{
	uint64_t start = files_now_ms();

	(void)state;
	tree_disturb(refill);
	for (unsigned i = 0; i < 5; i++) {
		tree.files.deadline_ms = files_now_ms() + 200;
		(void)files_remove(&tree.files, "busy", true, NULL);
	}
	tree_quiet();
	assert_true(files_now_ms() - start < 10000);
	tree.files.deadline_ms = 0;
	(void)files_remove(&tree.files, "busy", true, NULL);
	assert_false(tree_has("busy"));
}

static void swap(void)
{
	(void)!rename("x", "y");
	(void)!symlink("../out", "x");
	(void)!unlink("x");
	(void)!rename("y", "x");
}

/* tree_drop looks whether anything arrived outside. */
static void nothing_is_written_through_a_swapped_directory(void **state)
{
	unsigned written = 0;

	(void)state;
	tree_mkdir("x");
	tree_disturb(swap);
	for (unsigned i = 0; i < 5000; i++) {
		written += put("x/planted", "x") == 0;
		written += put("x/secret", "x") == 0;
		(void)files_append(&tree.files, "x/secret", "x", 1, NULL);
		(void)files_mkdir(&tree.files, "x/d/e", 0755, true, NULL);
		(void)files_move(&tree.files, "x/planted", "x/moved", true, NULL);
		(void)files_remove(&tree.files, "x/secret", true, NULL);
		(void)files_copy(&tree.files, "x/moved", "x/copied", NULL);
		(void)files_remove(&tree.files, "x/copied", true, NULL);
	}
	tree_quiet();
	assert_true(written > 0);
}

#define IN_TREE(test) cmocka_unit_test_setup_teardown(test, tree_make, tree_drop)
int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_TREE(writes),
		IN_TREE(writes_what_a_descriptor_gives),
		IN_TREE(links_are_replaced_not_followed),
		IN_TREE(appends),
		IN_TREE(directories),
		IN_TREE(moves),
		IN_TREE(removes),
		IN_TREE(removes_what_is_deep),
		IN_TREE(removing_what_is_refilled_ends),
		IN_TREE(nothing_is_written_through_a_swapped_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

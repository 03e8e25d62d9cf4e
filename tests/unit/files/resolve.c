#include "files/resolve.h"

#include "unit/files/tree.h"
#include "unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static void paths(void **state)
{
	static const struct {
		const char *path, *normal;
	} cases[] = {
		{ "", "." },         { ".", "." },           { "./", "." },
		{ "a", "a" },        { "a/", "a" },          { "a//b/./c", "a/b/c" },
		{ "a/../b", "b" },   { "a/b/../../c", "c" }, { "a/..", "." },
		{ "a\\b", "a\\b" },  { "...", "..." },       { "..a/.b", "..a/.b" },
		{ "a/b/..", "a" },   { "..", NULL },         { "../a", NULL },
		{ "a/../..", NULL }, { "a/../../b", NULL },  { "/a", NULL },
		{ "/", NULL },
	};
	char normal[PATH_BYTES_MAX + 1], name[300];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int r = files_normalize(cases[i].path, normal, &tree.err);

		if (cases[i].normal) {
			assert_int_equal(r, 0);
			assert_string_equal(normal, cases[i].normal);
		} else {
			assert_int_equal(r, -EINVAL);
			assert_int_equal(tree.err.code, ERR_POLICY);
			assert_non_null(strstr(tree.err.text, cases[i].path));
		}
	}
	memset(name, 'n', 256);
	name[256] = '\0';
	assert_int_equal(files_normalize(name, normal, &tree.err), -ENAMETOOLONG);
	name[255] = '\0';
	assert_int_equal(files_normalize(name, normal, &tree.err), 0);
}

static void links(void **state)
{
	struct files_stat st;
	char target[PATH_BYTES_MAX + 1];

	(void)state;
	tree_mkdir("dir");
	tree_put("dir/file", "x");
	tree_link("dir", "inside");
	tree_link("../out", "outside");
	tree_link("/etc", "absolute");
	tree_link("/proc/self/root", "magic");
	tree_link("loop", "loop");
	assert_int_equal(files_stat(&tree.files, "inside/file", true, &st, &tree.err), 0);
	assert_int_equal(st.kind, FILES_FILE);
	assert_int_equal(files_stat(&tree.files, "inside", false, &st, &tree.err), 0);
	assert_int_equal(st.kind, FILES_SYMLINK);
	assert_int_equal(files_stat(&tree.files, "inside", true, &st, &tree.err), 0);
	assert_int_equal(st.kind, FILES_DIRECTORY);
	assert_int_equal(files_stat(&tree.files, "outside", false, &st, &tree.err), 0);
	assert_int_equal(files_stat(&tree.files, "outside", true, &st, &tree.err), -EXDEV);
	assert_int_equal(tree.err.code, ERR_DENIED);
	assert_string_equal(tree.err.text, "outside: leads out of the workspace");
	assert_int_equal(files_stat(&tree.files, "outside/secret", false, &st, &tree.err), -EXDEV);
	assert_int_equal(files_stat(&tree.files, "absolute/passwd", false, &st, &tree.err), -EXDEV);
	assert_int_equal(files_stat(&tree.files, "magic/etc/passwd", false, &st, &tree.err), -EXDEV);
	assert_int_equal(files_stat(&tree.files, "loop", true, &st, &tree.err), -ELOOP);
	assert_int_equal(files_stat(&tree.files, "none", true, &st, &tree.err), -ENOENT);
	assert_int_equal(tree.err.code, ERR_NOTFOUND);
	assert_int_equal(files_stat(&tree.files, "", true, &st, &tree.err), 0);
	assert_int_equal(files_readlink(&tree.files, "outside", target, &tree.err), 0);
	assert_string_equal(target, "../out");
	assert_int_equal(files_readlink(&tree.files, "dir", target, &tree.err), -EINVAL);
}

static void parents(void **state)
{
	struct place_below place;

	(void)state;
	tree_link("a/b", "into");
	tree_link("../out", "outside");
	assert_int_equal(resolve_parent(&tree.files, ".", RESOLVE_PARENTS_MADE, &place, &tree.err), -EINVAL);
	assert_int_equal(resolve_parent(&tree.files, "a/b/c/file", RESOLVE_PARENTS_EXIST, &place, &tree.err), -ENOENT);
	assert_int_equal(resolve_parent(&tree.files, "a/b/c/file", RESOLVE_PARENTS_MADE, &place, &tree.err), 0);
	assert_string_equal(place.name, "file");
	place_below_done(&place);
	assert_true(tree_has("a/b/c"));
	assert_int_equal(resolve_parent(&tree.files, "into/d/e/file", RESOLVE_PARENTS_MADE, &place, &tree.err), 0);
	place_below_done(&place);
	assert_true(tree_has("a/b/d/e"));
	assert_int_equal(resolve_parent(&tree.files, "outside/d/file", RESOLVE_PARENTS_MADE, &place, &tree.err), -EXDEV);
	assert_int_equal(resolve_parent(&tree.files, "outside/file", RESOLVE_PARENTS_EXIST, &place, &tree.err), -EXDEV);
}

/* "x" is a directory of ours at one moment and a link to the outside at the next. */
static void swap(void)
{
	(void)!rename("x", "y");
	(void)!symlink("../out", "x");
	(void)!unlink("x");
	(void)!rename("y", "x");
}

static void a_path_that_is_swapped_never_leads_out(void **state)
{
	unsigned inside = 0;
	struct files_stat st;

	(void)state;
	tree_mkdir("x");
	tree_put("x/own", "own");
	tree_disturb(swap);
	for (unsigned i = 0; i < 20000; i++) {
		assert_true(files_stat(&tree.files, "x/secret", true, &st, NULL) < 0);
		inside += files_stat(&tree.files, "x/own", true, &st, NULL) == 0;
	}
	tree_quiet();
	assert_true(inside > 0);
}

static void time_runs_out(void **state)
{
	struct files_stat st;

	(void)state;
	tree.files.deadline_ms = files_now_ms();
	assert_int_equal(files_stat(&tree.files, ".", true, &st, &tree.err), -ETIMEDOUT);
	assert_int_equal(tree.err.code, ERR_LIMIT);
}

#define IN_TREE(test) cmocka_unit_test_setup_teardown(test, tree_make, tree_drop)
int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_TREE(paths), IN_TREE(links), IN_TREE(parents), IN_TREE(a_path_that_is_swapped_never_leads_out), IN_TREE(time_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

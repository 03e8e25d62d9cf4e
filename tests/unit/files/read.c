#include "files/files.h"

#include "unit/files/tree.h"
#include "unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct str bytes;

static int make(void **state)
{
	str_init(&bytes, 1 << 20);
	return tree_make(state);
}

static int drop(void **state)
{
	str_done(&bytes);
	return tree_drop(state);
}

static int get(const char *path, uint64_t offset, uint64_t n)
{
	str_clear(&bytes);
	return files_read(&tree.files, path, (struct files_range){ offset, n }, &bytes, &tree.err);
}

static void whole_and_ranges(void **state)
{
	(void)state;
	tree_put("a", "0123456789");
	assert_int_equal(get("a", 0, 0), 0);
	assert_string_equal(bytes.text, "0123456789");
	assert_int_equal(get("a", 3, 4), 0);
	assert_string_equal(bytes.text, "3456");
	assert_int_equal(get("a", 8, 100), 0);
	assert_string_equal(bytes.text, "89");
	assert_int_equal(get("a", 10, 1), 0);
	assert_int_equal(bytes.len, 0);
	assert_int_equal(get("a", UINT64_MAX, 1), -EINVAL);
	assert_int_equal(get("none", 0, 0), -ENOENT);
	tree.files.bytes_max = 9;
	assert_int_equal(get("a", 0, 0), -EFBIG);
	assert_int_equal(tree.err.code, ERR_LIMIT);
	assert_int_equal(bytes.len, 0);
	assert_int_equal(get("a", 0, 9), 0);
	assert_int_equal(get("a", 1, 0), 0);
}

static void other_kinds_are_not_opened(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_int_equal(mkfifoat(tree.root, "fifo", 0666), 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/ws/socket", tree.top);
	assert_int_equal(bind(s, (struct sockaddr *)&address, sizeof(address)), 0);
	close(s);
	tree_mkdir("dir");
	tree_link("fifo", "link");
	assert_int_equal(get("fifo", 0, 0), -EINVAL);
	assert_non_null(strstr(tree.err.text, "not a regular file"));
	assert_int_equal(get("link", 0, 0), -EINVAL);
	assert_int_equal(get("socket", 0, 0), -EINVAL);
	assert_int_equal(get("dir", 0, 0), -EISDIR);
	if (mknodat(tree.root, "null", S_IFCHR | 0666, 1 << 8 | 3) == 0)
		assert_int_equal(get("null", 0, 0), -EINVAL);
}

static void links_that_stay_inside_are_followed(void **state)
{
	(void)state;
	tree_put("a", "x");
	tree_mkdir("d");
	tree_link("../a", "d/link");
	tree_link("../out/secret", "out");
	tree_link("/proc/self/environ", "environ");
	assert_int_equal(get("d/link", 0, 0), 0);
	assert_string_equal(bytes.text, "x");
	assert_int_equal(get("out", 0, 0), -EXDEV);
	assert_int_equal(get("environ", 0, 0), -EXDEV);
}

static void swap(void)
{
	(void)!symlink("../out/secret", "fresh");
	(void)!rename("fresh", "f");
	(void)!mkfifo("fresh", 0666);
	(void)!rename("fresh", "f");

	int fd = open("fresh", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	(void)!write(fd, "own", 3);
	close(fd);
	(void)!rename("fresh", "f");
}

static void a_file_that_is_swapped_is_itself_or_an_error(void **state)
{
	unsigned own = 0;

	(void)state;
	tree_put("f", "own");
	tree_disturb(swap);
	for (unsigned i = 0; i < 10000; i++)
		if (get("f", 0, 0) == 0) {
			assert_string_equal(bytes.text, "own");
			own++;
		}
	tree_quiet();
	assert_true(own > 0);
}

static void grow(void)
{
	static const char zeros[4096];
	int fd = open("f", O_WRONLY | O_APPEND | O_CLOEXEC);
	struct stat st;

	(void)!write(fd, zeros, sizeof(zeros));
	if (fstat(fd, &st) == 0 && st.st_size > 1 << 20)
		(void)!ftruncate(fd, 0);
	close(fd);
}

static void a_file_that_grows_ends_at_the_ceiling(void **state)
{
	(void)state;
	tree_put("f", "");
	tree.files.bytes_max = 64 << 10;
	tree_disturb(grow);
	for (unsigned i = 0; i < 300; i++) {
		int r = get("f", 0, 0);

		assert_true(r == 0 || r == -EFBIG);
		assert_true(bytes.len <= tree.files.bytes_max);
	}
}

static void page(const char *text, struct files_page_wish wish, const char *content, struct files_page want)
{
	struct files_page got;

	tree_put("t", text);
	assert_int_equal(files_read_page(&tree.files, "t", &wish, &bytes, &got, &tree.err), 0);
	assert_string_equal(bytes.text, content);
	assert_int_equal(got.start_line, want.start_line);
	assert_int_equal(got.end_line, want.end_line);
	assert_int_equal(got.next_line, want.next_line);
	assert_int_equal(got.truncated, want.truncated);
}

#define WISH(...) ((struct files_page_wish){ __VA_ARGS__ })
#define PAGE(...) ((struct files_page){ __VA_ARGS__ })

static void pages(void **state)
{
	(void)state;
	page("one\ntwo\nthree\nfour\n", WISH(2, 2, 1024), "two\nthree\n", PAGE(2, 3, 4, FILES_BY_LINES));
	page("one\ntwo\n", WISH(10, 2, 1024), "", PAGE(10, 0, 0, FILES_NOT_TRUNCATED));
	page("abc\xf0\x9f\x98\x80"
	     "def\nnext\n",
	     WISH(1, 2, 6), "abc", PAGE(1, 1, 0, FILES_BY_BYTES));
	page("one\ntwo\nthree\n", WISH(1, 3, 4), "one\n", PAGE(1, 1, 2, FILES_BY_BYTES));
	page("one\ntwo", WISH(1, 500, 65536), "one\ntwo", PAGE(1, 2, 0, FILES_NOT_TRUNCATED));
	page("one\ntwo\n", WISH(1, 2, 8), "one\ntwo\n", PAGE(1, 2, 0, FILES_NOT_TRUNCATED));
	page("one\ntwo\n", WISH(1, 2, 6), "one\ntw", PAGE(1, 2, 0, FILES_BY_BYTES));
	page("one\ntwo\nx", WISH(1, 2, 100), "one\ntwo\n", PAGE(1, 2, 3, FILES_BY_LINES));
	page("\n\n\n", WISH(2, 1, 100), "\n", PAGE(2, 2, 3, FILES_BY_LINES));
	page("", WISH(1, 1, 100), "", PAGE(1, 0, 0, FILES_NOT_TRUNCATED));
	page("\xc3\xa9", WISH(1, 1, 1), "", PAGE(1, 0, 0, FILES_BY_BYTES));
	page("a\xff\xff", WISH(1, 1, 2), "a\xff", PAGE(1, 1, 0, FILES_BY_BYTES)); /* no character, and so none that is cut */
}

/* Lines that lie over the ends of the pieces that are read. */
static void pages_of_long_files(void **state)
{
	size_t n = 300000;
	char *text = malloc(n + 1);
	struct files_page got;

	(void)state;
	for (size_t i = 0; i < n; i++)
		text[i] = i % 100 == 99 ? '\n' : 'x';
	text[n] = '\0';
	tree_put("t", text);
	for (uint64_t line = 1; line <= 3000; line += 500) {
		struct files_page_wish wish = { line, 500, 65536 };

		assert_int_equal(files_read_page(&tree.files, "t", &wish, &bytes, &got, &tree.err), 0);
		assert_int_equal(bytes.len, 50000);
		assert_int_equal(got.end_line, line + 499);
		assert_int_equal(got.next_line, line + 500 <= 3000 ? line + 500 : 0);
	}
	free(text);
	assert_int_equal(files_read_page(&tree.files, "t", &WISH(0, 1, 1), &bytes, &got, &tree.err), -EINVAL);
}

#define IN_TREE(test) cmocka_unit_test_setup_teardown(test, make, drop)
int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_TREE(whole_and_ranges),
		IN_TREE(other_kinds_are_not_opened),
		IN_TREE(links_that_stay_inside_are_followed),
		IN_TREE(a_file_that_is_swapped_is_itself_or_an_error),
		IN_TREE(a_file_that_grows_ends_at_the_ceiling),
		IN_TREE(pages),
		IN_TREE(pages_of_long_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

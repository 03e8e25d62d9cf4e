#include "files/files.h"

#include "unit/files/tree.h"
#include "unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct files_matches found;

static const char *grep(struct files_grep wish)
{
	static char text[4096];
	size_t n = 0;

	text[0] = '\0';
	assert_int_equal(files_grep(&tree.files, &wish, &tree.arena, &found, &tree.err), 0);
	for (size_t i = 0; i < found.matches.n && n < sizeof(text); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s:%d:%d:%s|", found.matches.at[i].path, (int)found.matches.at[i].line,
		                      (int)found.matches.at[i].column, found.matches.at[i].text);
	return text;
}

static void finds(void **state)
{
	(void)state;
	tree_mkdir("d");
	tree_put("d/a.c", "int main\n  main();\r\nnone");
	tree_put("d/b.h", "main");
	tree_put("c.txt", "a+b\nx main");
	tree_link("../out/secret", "d/link");
	tree_link("../out", "out");
	assert_int_equal(mkfifoat(tree.root, "d/fifo", 0666), 0);
	assert_string_equal(grep((struct files_grep){ .pattern = "main" }),
	                    "c.txt:2:3:x main|d/a.c:1:5:int main|d/a.c:2:3:  main();|d/b.h:1:1:main|");
	assert_int_equal(found.files, 3);
	assert_string_equal(grep((struct files_grep){ .pattern = "^\\s+main" }), "d/a.c:2:1:  main();|");
	assert_string_equal(grep((struct files_grep){ .pattern = "e$", .only = "*.c" }), "d/a.c:3:4:none|");
	assert_string_equal(grep((struct files_grep){ .pattern = "main", .only = "d/*.h" }), "d/b.h:1:1:main|");
	assert_string_equal(grep((struct files_grep){ .pattern = "a+b", .plain = true }), "c.txt:1:1:a+b|");
	assert_string_equal(grep((struct files_grep){ .pattern = "main", .path = "d/b.h" }), "d/b.h:1:1:main|");
	assert_string_equal(grep((struct files_grep){ .pattern = "secret" }), "");
	assert_string_equal(grep((struct files_grep){ .pattern = "main", .matches_max = 2 }), "c.txt:2:3:x main|d/a.c:1:5:int main|");
	assert_int_equal(found.cut, FILES_CUT_ENTRIES);
}

static void refusals(void **state)
{
	(void)state;
	assert_int_equal(files_grep(&tree.files, &(struct files_grep){ .pattern = "(" }, &tree.arena, &found, &tree.err), -EINVAL);
	assert_non_null(strstr(tree.err.text, "pattern \"(\": "));
	tree_link("../out/secret", "link");
	assert_int_equal(files_grep(&tree.files, &(struct files_grep){ .pattern = "s", .path = "link" }, &tree.arena, &found, &tree.err),
	                 -EXDEV);
	assert_int_equal(files_grep(&tree.files, &(struct files_grep){ .pattern = "s", .path = "../out" }, &tree.arena, &found, &tree.err),
	                 -EINVAL);
}

static void long_lines_and_bytes(void **state)
{
	size_t n = 3 * FILES_LINE_MAX;
	char *text = malloc(n + 32);
	int fd;

	(void)state;
	memset(text, 'x', n);
	memcpy(text + 1000, "early", 5);
	memcpy(text + FILES_LINE_MAX + 10, "late", 4);
	snprintf(text + n, 32, "\nearly second\n");
	tree_put("long", text);
	assert_non_null(strstr(grep((struct files_grep){ .pattern = "early" }), "long:1:1001:xxx"));
	assert_int_equal(found.matches.n, 2);
	assert_int_equal(found.matches.at[0].text_len, FILES_LINE_SHOWN_MAX);
	assert_true(found.matches.at[0].line_cut);
	assert_int_equal(found.matches.at[1].line, 2);
	assert_string_equal(grep((struct files_grep){ .pattern = "late" }), "");
	tree_put("binary", "early");
	fd = openat(tree.root, "binary", O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "\0x", 2, 100), 2);
	close(fd);
	(void)grep((struct files_grep){ .pattern = "early" });
	assert_int_equal(found.binary, 1);
	assert_int_equal(found.matches.n, 2);
	tree.files.bytes_max = 1000;
	(void)grep((struct files_grep){ .pattern = "early" });
	assert_int_equal(found.cut, FILES_CUT_BYTES);
	free(text);
}

/* What makes a backtracking engine run for years. */
static void time_is_bounded(void **state)
{
	char *text = malloc(FILES_LINE_MAX + 1);
	uint64_t start = files_now_ms();

	(void)state;
	memset(text, 'a', FILES_LINE_MAX);
	text[FILES_LINE_MAX] = '\0';
	tree_put("f", text);
	assert_string_equal(grep((struct files_grep){ .pattern = "(a*)*b" }), "");
	assert_true(files_now_ms() - start < 20000);
	free(text);
}

#define IN_TREE(test) cmocka_unit_test_setup_teardown(test, tree_make, tree_drop)
int main(void)
{
	const struct CMUnitTest tests[] = { IN_TREE(finds), IN_TREE(refusals), IN_TREE(long_lines_and_bytes), IN_TREE(time_is_bounded) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

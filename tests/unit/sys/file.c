#include "sys/file.h"

#include "unit/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char top[64];
static int top_fd;

static int make_top(void **state)
{
	(void)state;
	snprintf(top, sizeof(top), "/tmp/coffer-unit-XXXXXX");
	if (!mkdtemp(top))
		return -1;
	top_fd = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return top_fd < 0;
}

static int drop_top(void **state)
{
	(void)state;
	close(top_fd);

	int r = file_remove_tree(AT_FDCWD, top);

	return r == 0 || r == -ENOENT ? 0 : -1;
}

static void put(const char *name, const char *text)
{
	int fd = openat(top_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void small_files(void **state)
{
	char text[16];
	uint64_t number;

	(void)state;
	put("a", "123456\n");
	assert_int_equal(file_read_at(top_fd, "a", text, sizeof(text)), 7);
	assert_string_equal(text, "123456\n");
	assert_int_equal(file_read_at(top_fd, "a", text, 7), -EFBIG);
	assert_int_equal(file_read_at(top_fd, "none", text, sizeof(text)), -ENOENT);
	assert_int_equal(file_read_number_at(top_fd, "a", &number), 0);
	assert_int_equal(number, 123456);
	put("a", "max\n");
	assert_int_equal(file_read_number_at(top_fd, "a", &number), 0);
	assert_true(number == UINT64_MAX);
	put("a", "many");
	assert_int_equal(file_read_number_at(top_fd, "a", &number), -EINVAL);
	assert_int_equal(file_write_at(top_fd, "a", "7"), 0);
	assert_int_equal(file_write_at(top_fd, "none", "7"), -ENOENT);
}

static void links(void **state)
{
	char real[256], wanted[256];

	(void)state;
	assert_int_equal(mkdirat(top_fd, "dir", 0700), 0);
	put("dir/file", "x");
	assert_int_equal(symlinkat("dir", top_fd, "link"), 0);
	assert_int_equal(symlinkat("loop", top_fd, "loop"), 0);
	assert_int_equal(file_open_path(top_fd, "link/file", FILE_NO_LINKS), -ELOOP);
	assert_int_equal(file_open_path(top_fd, "loop", FILE_LINKS), -ELOOP);
	assert_int_equal(file_open_dir(top_fd, "link"), -ENOTDIR);
	assert_int_equal(file_open_dir_below(top_fd, "link"), -ELOOP);

	int fd = file_open_path(top_fd, "link/file", FILE_LINKS);

	assert_true(fd >= 0);
	assert_int_equal(file_real_path(fd, real, sizeof(real)), 0);
	snprintf(wanted, sizeof(wanted), "%s/dir/file", top);
	assert_string_equal(real, wanted);
	assert_int_equal(file_real_path(fd, real, 4), -ENAMETOOLONG);
	close(fd);
}

static void directories(void **state)
{
	struct file_dir dir;
	const char *name;
	unsigned char type;
	unsigned files = 0, dirs = 0;

	(void)state;
	assert_int_equal(mkdirat(top_fd, "many", 0700), 0);
	for (int i = 0; i < 2000; i++) {
		char path[64];

		snprintf(path, sizeof(path), "many/a file with a rather long name %d", i);
		put(path, "");
	}
	assert_int_equal(mkdirat(top_fd, "many/new\nline", 0700), 0);

	int fd = file_open_dir(top_fd, "many");

	file_dir_init(&dir, fd);
	while (file_dir_next(&dir, &name, &type) > 0) {
		files += type == DT_REG;
		dirs += type == DT_DIR && strcmp(name, "new\nline") == 0;
	}
	assert_int_equal(files, 2000);
	assert_int_equal(dirs, 1);
	close(fd);
}

static void removing_follows_nothing(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(mkdirat(top_fd, "kept", 0700), 0);
	put("kept/file", "x");
	assert_int_equal(mkdirat(top_fd, "tree", 0700), 0);
	assert_int_equal(symlinkat("../kept", top_fd, "tree/link"), 0);
	assert_int_equal(mkdirat(top_fd, "tree/.lifted-0", 0700), 0);
	put("tree/.lifted-0/file", "x");
	assert_int_equal(mkdirat(top_fd, "tree/shut", 0700), 0);
	assert_int_equal(mkdirat(top_fd, "tree/shut/in", 0700), 0);
	put("tree/shut/in/file", "x");
	assert_int_equal(fchmodat(top_fd, "tree/shut/in", 0, 0), 0);
	assert_int_equal(fchmodat(top_fd, "tree/shut", 0, 0), 0);
	assert_int_equal(mkfifoat(top_fd, "tree/fifo", 0), 0);

	assert_int_equal(file_remove_tree(top_fd, "tree"), 0);
	assert_int_equal(fstatat(top_fd, "tree", &st, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(fstatat(top_fd, "kept/file", &st, 0), 0);
	assert_int_equal(file_remove_tree(top_fd, "tree"), -ENOENT);
	assert_int_equal(symlinkat("kept", top_fd, "link2"), 0);
	assert_int_equal(file_remove_tree(top_fd, "link2"), 0);
	assert_int_equal(fstatat(top_fd, "kept/file", &st, 0), 0);
}

/* Deeper than a path can be long, and than there are descriptors. */
static void removing_goes_deep(void **state)
{
	enum { DEPTH = 6000 };
	struct stat st;
	int at = dup(top_fd);

	(void)state;
	for (int i = 0; i < DEPTH; i++) {
		assert_int_equal(mkdirat(at, "deep", 0700), 0);

		int next = openat(at, "deep", O_PATH | O_DIRECTORY | O_CLOEXEC);

		assert_true(next >= 0);
		close(at);
		at = next;
	}
	close(at);
	assert_int_equal(file_remove_tree(top_fd, "deep"), 0);
	assert_int_equal(fstatat(top_fd, "deep", &st, AT_SYMLINK_NOFOLLOW), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_files),        cmocka_unit_test(links),
		cmocka_unit_test(directories),        cmocka_unit_test(removing_follows_nothing),
		cmocka_unit_test(removing_goes_deep),
	};

	return cmocka_run_group_tests(tests, make_top, drop_top);
}

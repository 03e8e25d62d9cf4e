#include "unit/files/tree.h"

#include "sys/file.h"
#include "unit/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct tree tree;
static pid_t disturber;

int tree_make(void **state)
{
	(void)state;
	snprintf(tree.top, sizeof(tree.top), "/tmp/coffer-files-XXXXXX");
	if (!mkdtemp(tree.top))
		return -1;
	tree.top_fd = open(tree.top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mkdirat(tree.top_fd, "ws", 0755) < 0 || mkdirat(tree.top_fd, "out", 0755) < 0)
		return -1;
	tree.root = openat(tree.top_fd, "ws", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	files_init(&tree.files, tree.root);
	err_clear(&tree.err);
	arena_init(&tree.arena, 64 << 20);

	int fd = openat(tree.top_fd, "out/secret", O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
	bool written = write(fd, "secret\n", 7) == 7;

	close(fd);
	return written ? 0 : -1;
}

/* Nothing has changed outside, and nothing has been added there. */
static bool outside_is_whole(void)
{
	char text[64];
	struct stat st;
	struct file_dir dir;
	const char *name;
	unsigned char type;
	int fd = openat(tree.top_fd, "out", O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = 0, top = 0;

	file_dir_init(&dir, fd);
	while (file_dir_next(&dir, &name, &type) > 0)
		n++;
	close(fd);
	lseek(tree.top_fd, 0, SEEK_SET);
	file_dir_init(&dir, tree.top_fd);
	while (file_dir_next(&dir, &name, &type) > 0)
		top++;
	return n == 1 && top == 2 && fstatat(tree.top_fd, "out/secret", &st, 0) == 0 && (st.st_mode & 07777) == 0640 && st.st_nlink == 1 &&
	       file_read_at(tree.top_fd, "out/secret", text, sizeof(text)) == 7 && strcmp(text, "secret\n") == 0;
}

int tree_drop(void **state)
{
	bool whole = outside_is_whole();

	(void)state;
	tree_quiet();
	arena_done(&tree.arena);
	close(tree.root);
	close(tree.top_fd);
	return file_remove_tree(AT_FDCWD, tree.top) == 0 && whole ? 0 : -1;
}

void tree_put(const char *path, const char *text)
{
	int fd = openat(tree.root, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

void tree_mkdir(const char *path)
{
	assert_int_equal(mkdirat(tree.root, path, 0755), 0);
}

void tree_link(const char *target, const char *path)
{
	assert_int_equal(symlinkat(target, tree.root, path), 0);
}

const char *tree_get(const char *path)
{
	static char text[64 << 10];

	return file_read_at(tree.root, path, text, sizeof(text)) < 0 ? "(none)" : text;
}

bool tree_has(const char *path)
{
	struct stat st;

	return fstatat(tree.root, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

void tree_disturb(void (*swap)(void))
{
	disturber = fork();
	assert_true(disturber >= 0);
	if (disturber > 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (fchdir(tree.root) < 0)
		_exit(1);
	for (;;)
		swap();
}

void tree_quiet(void)
{
	if (disturber <= 0)
		return;
	kill(disturber, SIGKILL);
	waitpid(disturber, NULL, 0);
	disturber = 0;
}

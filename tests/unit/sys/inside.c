#include "sys/inside.h"

#include "unit/unit.h"

#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int root;

static int make_tree(void **state)
{
	static char folder[] = "/tmp/coffer-inside.XXXXXX";

	*state = mkdtemp(folder);
	root = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (!*state || root < 0 || mkdirat(root, "d", 0755) || mkdirat(root, "d/e", 0755))
		return -1;
	return symlinkat("/etc", root, "abs") || symlinkat("d", root, "rel") || symlinkat("..", root, "d/up") ||
	       close(openat(root, "d/f", O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
}

static int remove_tree(void **state)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", (const char *)*state);
	return system(command);
}

static int open_and_close(const char *path)
{
	int fd = inside_open(root, path);

	if (fd < 0)
		return fd;
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_true(fcntl(fd, F_GETFL) & O_PATH);
	close(fd);
	return 0;
}

static void check_opening(void)
{
	char long_name[NAME_MAX + 3] = "/";
	const char *name;
	int fd;

	memset(long_name + 1, 'x', NAME_MAX + 1);
	assert_int_equal(open_and_close("/"), 0);
	assert_int_equal(open_and_close("/d"), 0);
	assert_int_equal(open_and_close("/d/e"), 0);
	assert_int_equal(open_and_close("/d/f"), 0);
	assert_int_equal(open_and_close("/d/f/x"), -ENOTDIR);
	assert_int_equal(open_and_close("/etc"), -ENOENT);
	assert_int_equal(open_and_close("/abs"), -ELOOP);
	assert_int_equal(open_and_close("/abs/passwd"), -ELOOP);
	assert_int_equal(open_and_close("/rel"), -ELOOP);
	assert_int_equal(open_and_close("/rel/f"), -ELOOP);
	assert_int_equal(open_and_close("/d/up"), -ELOOP);
	assert_int_equal(open_and_close(long_name), -ENAMETOOLONG);
	fd = inside_open_parent(root, "/d/new", &name);
	assert_true(fd >= 0);
	assert_string_equal(name, "new");
	close(fd);
	fd = inside_open_parent(root, "/new", &name);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(inside_open_parent(root, "/", &name), -EBUSY);
	assert_int_equal(inside_open_parent(root, "/rel/new", &name), -ELOOP);
	fd = inside_open(INSIDE_SELF, "/proc/self");
	assert_int_equal(fd, -ELOOP);
	fd = inside_open(INSIDE_SELF, "/tmp");
	assert_true(fd >= 0);
	close(fd);
}

static void paths_stay_below_the_root(void **state)
{
	(void)state;
	check_opening();
}

/* The same answers from a kernel without openat2. */
static void also_when_walked_by_hand(void **state)
{
	const struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		struct sock_fprog program = { 4, (struct sock_filter *)(uintptr_t)code };

		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program))
			_exit(2);
		check_opening();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

static int ask(int dir, void *context)
{
	(void)dir;
	return --*(int *)context < 0 ? -EXDEV : 0;
}

static void directories_are_made_where_they_may_be(void **state)
{
	mode_t before = umask(0);
	struct stat st;
	int times = 0;

	(void)state;
	assert_int_equal(inside_make_dir(root, "/d/e", 0700, ask, &times), 0); /* it is there */
	assert_int_equal(inside_make_dir(root, "/d/f", 0700, ask, &times), -ENOTDIR);
	assert_int_equal(inside_make_dir(root, "/d/up", 0700, ask, &times), -ENOTDIR);
	assert_int_equal(inside_make_dir(root, "/new", 0700, ask, &times), -EXDEV);
	times = 2;
	assert_int_equal(inside_make_dir(root, "/a/b/c", 0711, ask, &times), -EXDEV);
	times = 1;
	assert_int_equal(inside_make_dir(root, "/a/b/c", 0711, ask, &times), 0);
	assert_int_equal(fstatat(root, "a/b", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(fstatat(root, "a/b/c", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0711);
	times = 9;
	assert_int_equal(inside_make_dir(root, "/rel/x/y", 0711, ask, &times), -ELOOP);
	assert_int_equal(inside_make_dir(root, "/abs/x", 0711, ask, &times), -ELOOP);
	umask(before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_stay_below_the_root),
		cmocka_unit_test(also_when_walked_by_hand),
		cmocka_unit_test(directories_are_made_where_they_may_be),
	};

	return cmocka_run_group_tests(tests, make_tree, remove_tree);
}

#include "sys/fd.h"

#include "unit/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void kinds(void **state)
{
	int pipes[2], pair[2];

	(void)state;
	assert_int_equal(fd_look(-1).kind, FD_CLOSED);
	assert_int_equal(fd_look(9999).kind, FD_CLOSED);
	assert_int_equal(fd_pipe(pipes), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(fd_look(pipes[0]).kind, FD_PIPE);
	assert_int_equal(fd_look(pipes[0]).ino, fd_look(pipes[1]).ino);
	assert_int_equal(fd_look(pair[0]).kind, FD_SOCKET);

	static const struct {
		const char *path;
		enum fd_kind kind;
	} files[] = { { "/dev/null", FD_NULL },
		      { "/dev/zero", FD_OTHER },
		      { "/proc/self/exe", FD_FILE },
		      { "/", FD_OTHER },
		      { "/dev/ptmx", FD_TERMINAL } };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		int fd = open(files[i].path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

		assert_true(fd >= 0);
		assert_int_equal(fd_look(fd).kind, files[i].kind);
		close(fd);
	}
	for (int i = 0; i < 2; i++) {
		close(pipes[i]);
		close(pair[i]);
	}
}

/* A host may have closed its own standard streams. */
static void low_numbers_are_left(void **state)
{
	int saved = dup(0), ends[2];

	(void)state;
	assert_true(saved > 0);
	close(0);

	int low = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int moved = low;

	assert_int_equal(low, 0);
	assert_int_equal(fd_raise(&moved), 0);
	assert_true(moved >= FD_LOWEST);
	assert_int_equal(fcntl(0, F_GETFD), -1);
	assert_true(fcntl(moved, F_GETFD) & FD_CLOEXEC);
	close(moved);

	assert_int_equal(fd_pipe(ends), 0);
	assert_true(ends[0] >= FD_LOWEST && ends[1] >= FD_LOWEST);
	assert_int_equal(fcntl(0, F_GETFD), -1);
	dup2(saved, 0);
	close(saved);
	close(ends[0]);
	close(ends[1]);
}

static void opening_again_leaves_the_first_as_it_was(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(fd_pipe(ends), 0);

	int again = fd_open_again(ends[1], O_WRONLY);

	assert_true(again >= FD_LOWEST);
	assert_true(fcntl(again, F_GETFL) & O_NONBLOCK);
	assert_false(fcntl(ends[1], F_GETFL) & O_NONBLOCK);
	assert_int_equal(write(again, "x", 1), 1);
	assert_true(fd_open_again(9999, O_RDONLY) < 0);
	close(again);
	close(ends[0]);
	close(ends[1]);
}

static void null_is_the_device(void **state)
{
	int fd = fd_open_null();

	(void)state;
	assert_true(fd >= FD_LOWEST);
	assert_int_equal(fd_look(fd).kind, FD_NULL);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
}

static void closed_standard_streams_lead_nowhere(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	if (child == 0) {
		close(0);
		close(2);
		if (fd_fill_standard() < 0 || fd_look(0).kind != FD_NULL || fd_look(2).kind != FD_NULL)
			_exit(1);
		_exit(fd_look(1).kind == FD_CLOSED || fcntl(0, F_GETFD) & FD_CLOEXEC);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds),
		cmocka_unit_test(low_numbers_are_left),
		cmocka_unit_test(opening_again_leaves_the_first_as_it_was),
		cmocka_unit_test(null_is_the_device),
		cmocka_unit_test(closed_standard_streams_lead_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

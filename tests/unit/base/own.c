#include "base/own.h"

#include "unit/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void test_close_at_end_of_scope(void **state)
{
	(void)state;
	int seen;

	{
		autofd int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

		seen = fd;
		assert_true(is_open(fd));
	}
	assert_false(is_open(seen));
}

static void test_close_keeps_errno_and_marks_slot(void **state)
{
	(void)state;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), none = -1;

	errno = ENOTTY;
	own_close(&fd);
	assert_int_equal(errno, ENOTTY);
	assert_int_equal(fd, -1);
	own_close(&none);
	assert_int_equal(none, -1);

	int bad = 1 << 20;

	own_close(&bad);
	assert_int_equal(errno, ENOTTY);
}

static void test_take_moves_out(void **state)
{
	(void)state;
	char *kept;
	int kept_fd;

	{
		autofree char *text = strdup("moved");
		autofree char *freed = strdup("freed at the end of the scope");
		autofree char *none = NULL;
		autofd int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

		kept = TAKE_PTR(text);
		kept_fd = TAKE_FD(fd);
		assert_null(text);
		assert_null(none);
		assert_non_null(freed);
		assert_int_equal(fd, -1);
	}
	assert_string_equal(kept, "moved");
	assert_true(is_open(kept_fd));
	free(kept);
	close(kept_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_close_at_end_of_scope),
		cmocka_unit_test(test_close_keeps_errno_and_marks_slot),
		cmocka_unit_test(test_take_moves_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

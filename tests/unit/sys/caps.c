#include "sys/caps.h"

#include "unit/unit.h"

#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OTHER = 54321 };
static char place[64], file[96];

static int make(void **state)
{
	(void)state;
	snprintf(place, sizeof(place), "/tmp/coffer-caps.XXXXXX");
	assert_non_null(mkdtemp(place));
	snprintf(file, sizeof(file), "%s/f", place);
	return 0;
}

static int drop(void **state)
{
	(void)state;
	(void)unlink(file);
	return rmdir(place);
}

static int open_file(int flags)
{
	int fd = open(file, flags | O_CLOEXEC, 0600);

	if (fd >= 0)
		(void)close(fd);
	return fd < 0 ? -errno : 0;
}

static void as_itself(void **state)
{
	struct caps_files before;

	(void)state;
	assert_int_equal(caps_files_as(geteuid(), getegid(), &before), 0);
	assert_false(before.changed);
	assert_int_equal(open_file(O_WRONLY | O_CREAT), 0);
	caps_files_back(&before);
}

/* What root may read, the other may not; what the other makes is the other's; and back again. */
static void as_another(void **state)
{
	struct caps_files before;
	gid_t groups[2] = { 7, 8 };
	struct stat st;

	(void)state;
	if (geteuid() != 0)
		SKIP_BECAUSE("only root may work as others do");
	assert_int_equal(setgroups(2, groups), 0);
	assert_int_equal(open_file(O_WRONLY | O_CREAT), 0);
	assert_int_equal(chown(place, OTHER, OTHER), 0);
	assert_int_equal(caps_files_as(OTHER, OTHER + 1, &before), 0);
	assert_int_equal(getgroups(2, groups), 0);
	assert_int_equal(open_file(O_RDONLY), -EACCES);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(open_file(O_WRONLY | O_CREAT), 0);
	assert_int_equal(geteuid(), 0);
	caps_files_back(&before);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_uid, OTHER);
	assert_int_equal(st.st_gid, OTHER + 1);
	assert_int_equal(open_file(O_RDONLY), 0);
	assert_int_equal(getgroups(2, groups), 2);
	assert_int_equal(groups[1], 8);
}

static void refused(void **state)
{
	struct caps_files before;

	(void)state;
	if (geteuid() == 0)
		SKIP_BECAUSE("root may work as others do");
	assert_int_equal(caps_files_as(OTHER, OTHER, &before), -EPERM);
	assert_int_equal(open_file(O_WRONLY | O_CREAT), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(as_itself, make, drop),
		cmocka_unit_test_setup_teardown(as_another, make, drop),
		cmocka_unit_test_setup_teardown(refused, make, drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

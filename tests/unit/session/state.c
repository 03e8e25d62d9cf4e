#include "session/state.h"

#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct arena arena;
static char top[64];

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, 1 << 20);
	snprintf(top, sizeof(top), "/tmp/coffer-unit.XXXXXX");
	return mkdtemp(top) ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	arena_done(&arena);
	snprintf(command, sizeof(command), "rm -rf '%s'", top);
	return system(command);
}

static void test_run_ids(void **state)
{
	char one[STATE_RUN_ID_MAX], two[STATE_RUN_ID_MAX];

	(void)state;
	assert_int_equal(state_run_id(one, NULL), 0);
	assert_int_equal(state_run_id(two, NULL), 0);
	assert_int_equal(strlen(one), 12);
	assert_int_equal(strspn(one, "0123456789abcdef"), 12);
	assert_string_not_equal(one, two);
	assert_int_equal(state_run_bits("00000000beef"), 0xbeef);
	assert_int_equal(state_run_bits("x"), 0);
}

static void test_runtime_directory_first(void **state)
{
	const char *dir = NULL;
	char expected[96];

	(void)state;
	snprintf(expected, sizeof(expected), "%s/coffer", top);
	setenv("XDG_RUNTIME_DIR", top, 1);
	assert_int_equal(state_dir_find(&arena, &dir, NULL), 0);
	assert_string_equal(dir, expected);
	assert_int_equal(access(dir, F_OK), -1);
}

/* A directory that others may write, or somebody else's, is no place for state. */
static void test_runtime_directory_of_others(void **state)
{
	const char *dir = NULL;

	(void)state;
	assert_int_equal(chmod(top, 0777), 0);
	setenv("XDG_RUNTIME_DIR", top, 1);
	setenv("HOME", "/home/u", 1);
	assert_int_equal(state_dir_find(&arena, &dir, NULL), 0);
	assert_string_equal(dir, geteuid() == 0 ? "/run/coffer" : "/home/u/.local/state/coffer");
	setenv("XDG_RUNTIME_DIR", "relative", 1);
	assert_int_equal(state_dir_find(&arena, &dir, NULL), 0);
	assert_string_equal(dir, geteuid() == 0 ? "/run/coffer" : "/home/u/.local/state/coffer");
}

static void test_made_private_and_checked(void **state)
{
	struct err err = { 0 };
	struct stat st;
	char dir[96], link[96];

	(void)state;
	snprintf(dir, sizeof(dir), "%s/a/b/coffer", top);
	assert_int_equal(state_dir_make(dir, &err), 0);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(state_dir_make(dir, &err), 0);
	assert_int_equal(chmod(dir, 0750), 0);
	assert_int_equal(state_dir_make(dir, &err), -EPERM);
	assert_non_null(strstr(err.text, "chmod 0700"));
	snprintf(link, sizeof(link), "%s/link", top);
	assert_int_equal(symlink(dir, link), 0);
	assert_true(state_dir_make(link, &err) < 0);
}

static void test_of_another_user(void **state)
{
	struct err err = { 0 };

	(void)state;
	if (geteuid() != 0)
		SKIP_BECAUSE("only root can give a directory away");
	assert_int_equal(chmod(top, 0700), 0);
	assert_int_equal(chown(top, 65534, 65534), 0);
	assert_int_equal(state_dir_make(top, &err), -EPERM);
	assert_int_equal(err.code, ERR_DENIED);
}

/* Somebody else's directory of that name is in nobody's way. */
static void test_scratch(void **state)
{
	const char *dir = NULL;

	(void)state;
	assert_int_equal(state_scratch_find(&arena, NULL, &dir, NULL), 0);
	assert_non_null(strstr(dir, "/var/tmp/coffer-"));
	assert_int_equal(state_scratch_make(top, NULL), 0);
	if (geteuid() != 0)
		SKIP_BECAUSE("only root can give a directory away");
	assert_int_equal(chown(top, 65534, 65534), 0);
	assert_int_equal(state_scratch_make(top, NULL), -EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_run_ids, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_runtime_directory_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_runtime_directory_of_others, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_made_private_and_checked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_of_another_user, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_scratch, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("session/state", tests, NULL, NULL);
}

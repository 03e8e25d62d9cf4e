#include "session/record.h"

#include "session/summary.h"

#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct arena arena;
static char top[64], state_dir[80];

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, 16 << 20);
	snprintf(top, sizeof(top), "/tmp/coffer-unit.XXXXXX");
	assert_non_null(mkdtemp(top));
	snprintf(state_dir, sizeof(state_dir), "%s/state", top);
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	arena_done(&arena);
	snprintf(command, sizeof(command), "rm -rf '%s'", top);
	return system(command);
}

static void write_one(const char *id, const char *text)
{
	assert_int_equal(record_write(state_dir, id, text, strlen(text), NULL), 0);
}

static int read_one(const char *id, const char **ret_text, struct err *err)
{
	size_t n = 0;
	return record_read(state_dir, id, &arena, ret_text, &n, err);
}

static void test_none_yet(void **state)
{
	struct err err = { 0 };
	const char *text = NULL;

	(void)state;
	assert_int_equal(read_one(NULL, &text, &err), -ENOENT);
	assert_int_equal(err.code, ERR_NOTFOUND);
	assert_null(text);
}

static void test_last_and_by_name(void **state)
{
	const char *text = NULL;
	struct err err = { 0 };

	(void)state;
	write_one("aaa111", "first");
	usleep(10000);
	write_one("aab222", "second");
	assert_int_equal(read_one(NULL, &text, &err), 0);
	assert_string_equal(text, "second");
	assert_int_equal(read_one("aaa", &text, &err), 0);
	assert_string_equal(text, "first");
	assert_int_equal(read_one("aa", &text, &err), -EINVAL);
	assert_int_equal(err.code, ERR_USAGE);
	assert_int_equal(read_one("zz", &text, &err), -ENOENT);
	assert_non_null(strstr(err.text, "aab222"));
}

static void test_state_is_private(void **state)
{
	struct stat st;
	struct err err = { 0 };

	(void)state;
	write_one("abc", "x");
	assert_int_equal(stat(state_dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(chmod(state_dir, 0755), 0);
	assert_int_equal(record_write(state_dir, "abd", "x", 1, &err), -EPERM);
	assert_int_equal(err.code, ERR_DENIED);
}

static void test_ring(void **state)
{
	const char *text = NULL;
	char id[16];

	(void)state;
	for (int i = 0; i < RECORD_RING_MAX + 5; i++) {
		snprintf(id, sizeof(id), "r%05d", i);
		write_one(id, id);
		usleep(2000);
	}
	assert_int_equal(read_one("r00004", &text, NULL), -ENOENT);
	assert_int_equal(read_one("r00005", &text, NULL), 0);
	assert_int_equal(read_one(NULL, &text, NULL), 0);
	assert_string_equal(text, "r00036");
}

static void test_names_stay_below(void **state)
{
	const char *text = NULL;

	(void)state;
	assert_int_equal(record_write(state_dir, "../x", "x", 1, NULL), -EINVAL);
	write_one("abc", "x");
	assert_int_equal(read_one("../", &text, NULL), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_none_yet, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_last_and_by_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_state_is_private, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ring, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_names_stay_below, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("session/record", tests, NULL, NULL);
}

#include "engine/quota.h"

#include "base/arena.h"
#include "base/own.h"
#include "engine/watch.h"
#include "plan/build.h"
#include "sys/file.h"

#include "unit/unit.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char top[64];
static struct arena arena;

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, 1 << 20);
	snprintf(top, sizeof(top), "/tmp/coffer-unit-XXXXXX");
	return mkdtemp(top) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&arena);
	return file_remove_tree(AT_FDCWD, top);
}

/* A plan of a watch alone would not be complete: quota.c asks for operations by their code, and so does this. */
static struct plan plan_of(uint64_t bytes, uint64_t files)
{
	const char *dirs[] = { top, "/nonexistent/layers" };
	const struct text_vec list = { .at = dirs, .n = 2 };
	const char *paths[] = { "/bin/true" }, *argv[] = { "true" }, *env[] = { "A=1" };
	const struct text_vec places = { .at = paths, .n = 1 }, words = { .at = argv, .n = 1 }, variables = { .at = env, .n = 1 };
	const struct sock_filter filter = { 0x06, 0, 0, 0x7fff0000 }; /* allow all */
	struct plan_build b;
	struct plan plan = { 0 };
	struct err err = { 0 };

	plan_build_init(&b, &arena);
	plan_add(&b, OP_QUOTA, "--workspace-size", &list, bytes, files);
	plan_add(&b, OP_NO_NEW_PRIVS, "default");
	plan_add(&b, OP_CLOSE_FDS, "default");
	plan_add(&b, OP_SECCOMP, "default", (const unsigned char *)&filter, sizeof(filter), (uint64_t)0);
	plan_add(&b, OP_EXEC, "default", &places, &words, &variables);
	if (plan_build_done(&b, &plan, &err) < 0)
		fail_msg("%s", err.text);
	return plan;
}

static int make_file(const char *name, size_t bytes)
{
	autofd int dir = file_open_dir(AT_FDCWD, top);
	autofd int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	static const char block[4096] = { 1 };

	for (size_t done = 0; done < bytes; done += sizeof(block))
		assert_int_equal(write(fd, block, sizeof(block)), sizeof(block));
	return 0;
}

static void make_link(const char *from, const char *to)
{
	autofd int dir = file_open_dir(AT_FDCWD, top);

	assert_int_equal(linkat(dir, from, dir, to, 0), 0);
}

static void test_blocks_and_names_are_counted(void **state)
{
	struct plan plan = plan_of(1 << 20, 10);
	struct quota_use room = quota_room(&plan);

	(void)state;
	assert_int_equal(room.bytes, 1 << 20);
	assert_int_equal(room.files, 10);
	make_file("a", 256 << 10);
	room = quota_room(&plan);
	assert_in_range(room.bytes, (768 << 10) - 8192, 768 << 10);
	assert_int_equal(room.files, 9);
	make_link("a", "b"); /* another name of the same blocks */
	room = quota_room(&plan);
	assert_in_range(room.bytes, (768 << 10) - 8192, 768 << 10);
	assert_int_equal(room.files, 8);
}

static void test_too_much_is_said_when_it_grows(void **state)
{
	struct plan plan = plan_of(64 << 10, UINT64_MAX);
	struct quota quota;
	uint64_t now = watch_clock_us();
	char path[96];

	(void)state;
	quota_init(&quota, &plan, 0);
	assert_false(quota_look(&quota, now));
	assert_true(quota.at_us > now);
	make_file("a", 48 << 10);
	assert_false(quota_look(&quota, watch_clock_us()));
	make_file("b", 48 << 10);
	assert_true(quota_is_passed(&quota));
	assert_true(quota_look(&quota, watch_clock_us()));
	make_file("late", 4096);                            /* on its way when it was said */
	assert_false(quota_look(&quota, watch_clock_us())); /* said */
	make_file("c", 4096);
	assert_true(quota_look(&quota, watch_clock_us()));
	snprintf(path, sizeof(path), "%s/a", top);
	unlink(path); /* who clears up is let alone */
	assert_false(quota_look(&quota, watch_clock_us()));
	assert_false(quota_is_passed(&quota));
	make_file("a", 48 << 10);
	assert_true(quota_look(&quota, watch_clock_us()));
}

static void test_what_cannot_be_counted_is_too_much(void **state)
{
	struct plan plan = plan_of(UINT64_MAX - 1, UINT64_MAX - 1);
	struct quota quota;
	int dir = file_open_dir(AT_FDCWD, top);

	(void)state;
	quota_init(&quota, &plan, 0);
	for (int i = 0; i < 210; i++) {
		int next;

		assert_false(i < 190 && i % 50 == 0 && quota_is_passed(&quota));
		assert_int_equal(mkdirat(dir, "d", 0700), 0);
		next = openat(dir, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(dir);
		dir = next;
	}
	close(dir);
	assert_true(quota_is_passed(&quota));
	assert_int_equal(quota_room(&plan).bytes, 0);
}

static void test_no_quota_is_any_room(void **state)
{
	struct plan plan = plan_of(1, 1), none = plan;
	struct plan_head head = *plan.head;
	struct quota quota;

	(void)state;
	head.op_count = 0;
	none.head = &head;
	quota_init(&quota, &none, 0);
	assert_true(quota.at_us == WATCH_NEVER);
	assert_false(quota_is_passed(&quota));
	assert_true(quota_room(&none).bytes == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_blocks_and_names_are_counted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_too_much_is_said_when_it_grows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_cannot_be_counted_is_too_much, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_quota_is_any_room, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

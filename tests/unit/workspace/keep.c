#include "workspace/keep.h"

#include "unit/workspace/top.h"

#include "workspace/clock.h"

static void lists(void **state)
{
	static const char odd[] = "a b\n%\xff/\x01";
	struct arena arena;
	struct keep_text lines;
	struct str list;
	char text[1024], *line;
	ssize_t n;
	int fd;

	(void)state;
	str_init(&list, KEEP_LIST_MAX);
	keep_list_start(&list, "things");
	str_add(&list, "-5 ");
	keep_put_path(&list, odd);
	str_add(&list, "\n7 ");
	keep_put_path(&list, "");
	str_add(&list, "\n");
	assert_int_equal(keep_list_write(top_fd, "list", &list), 0);
	str_done(&list);
	arena_init(&arena, 1 << 20);
	assert_int_equal(keep_list_read(top_fd, "list", "things", &arena, &lines), 0);
	int64_t number;

	line = keep_line(&lines);
	assert_true(keep_take_number(&line, &number) && number == -5);
	assert_string_equal(keep_take_path(&line), odd);
	assert_null(line);
	line = keep_line(&lines);
	assert_true(keep_take_number(&line, &number) && number == 7);
	assert_string_equal(keep_take_path(&line), "");
	assert_null(keep_line(&lines));
	/* Another list, and every cut and every flipped byte. */
	assert_int_equal(keep_list_read(top_fd, "list", "others", &arena, &lines), -EBADMSG);
	fd = openat(top_fd, "list", O_RDONLY | O_CLOEXEC);
	n = read(fd, text, sizeof(text));
	close(fd);
	for (ssize_t i = 0; i < n; i++) {
		fd = openat(top_fd, "list", O_WRONLY | O_TRUNC | O_CLOEXEC);
		assert_int_equal(write(fd, text, (size_t)i), i);
		assert_int_equal(keep_list_read(top_fd, "list", "things", &arena, &lines), -EBADMSG);
		text[i] ^= 1;
		assert_int_equal(pwrite(fd, text, (size_t)n, 0), n);
		assert_int_equal(keep_list_read(top_fd, "list", "things", &arena, &lines), -EBADMSG);
		text[i] ^= 1;
		close(fd);
	}
	assert_int_equal(keep_list_read(top_fd, "none", "things", &arena, &lines), -ENOENT);
	arena_done(&arena);
}

static void malformed_words(void **state)
{
	static const char *const bad[] = { "%0", "%", "%GG", "%00", "" };
	uint8_t hash[32];
	int64_t number;
	uint64_t count;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char text[16], *line = text;

		snprintf(text, sizeof(text), "x%s", bad[i]);
		if (*bad[i])
			assert_null(keep_take_path(&line));
		snprintf(text, sizeof(text), "%s!", bad[i]);
		line = text;
		assert_false(keep_take_number(&line, &number));
		line = text;
		assert_false(keep_take_hash(&line, hash));
	}
	char minus[] = "-1", *line = minus;

	assert_false(keep_take_unsigned(&line, &count));
}

static void clocks(void **state)
{
	struct workspace_record record = { .created_ns = 1000000000000, .seen_ns = 1000000000000 };
	struct workspace_clock now;
	int64_t wall;

	(void)state;
	assert_int_equal(clock_read(&wall, &now), 0);
	assert_true(wall > 1600000000000000000);
	record.clock = now;
	assert_true(clock_proves(&record, wall, &now, 999999999999));
	assert_false(clock_proves(&record, wall, &now, 1000000000000)); /* the same step of the clock */
	assert_false(clock_proves(&record, wall, &now, 1000000000001));
	now.offset_ns -= 5000000; /* slewed back by 5 ms */
	assert_true(clock_proves(&record, wall, &now, 999990000000));
	assert_false(clock_proves(&record, wall, &now, 999999999999));
	now.offset_ns -= 3600000000000; /* set back by an hour */
	assert_false(clock_proves(&record, wall, &now, 5));
	now = record.clock;
	record.seen_ns = wall + 1;
	assert_false(clock_proves(&record, wall, &now, 5));
	record.seen_ns = wall;
	snprintf(record.clock.boot, sizeof(record.clock.boot), "another");
	now.offset_ns -= 3600000000000; /* means nothing across boots */
	assert_true(clock_proves(&record, wall, &now, 5));
}

/* What was written a moment ago, and looked at in between, is older than what clock_read says after clock_pass. */
static void passing(void **state)
{
	struct workspace_clock now;
	struct stat st;
	int64_t wall;

	(void)state;
	for (int i = 0; i < 100; i++) {
		top_put("fresh", "one");
		assert_int_equal(fstatat(top_fd, "fresh", &st, 0), 0);
		top_put("fresh", "two");
		assert_int_equal(clock_pass(), 0);
		assert_int_equal(clock_read(&wall, &now), 0);
		assert_int_equal(fstatat(top_fd, "fresh", &st, 0), 0);
		assert_true((int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec < wall);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { TOP_TEST(lists), TOP_TEST(malformed_words), TOP_TEST(clocks), TOP_TEST(passing) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

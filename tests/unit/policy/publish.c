#include "policy/publish.h"

#include "unit/unit.h"

#include <errno.h>

static void test_what_it_says(void **state)
{
	static const struct {
		const char *text, *address;
		unsigned port, inner;
	} good[] = {
		{ "8080", "127.0.0.1", 8080, 8080 },
		{ "8080:80", "127.0.0.1", 8080, 80 },
		{ "1:65535", "127.0.0.1", 1, 65535 },
		{ "192.0.2.1:8080", "192.0.2.1", 8080, 8080 },
		{ "0.0.0.0:8080:80", "0.0.0.0", 8080, 80 },
		{ "[::1]:8080", "::1", 8080, 8080 },
		{ "[2001:DB8:0:0::1]:8080:80", "2001:db8::1", 8080, 80 },
	};
	struct arena arena;

	(void)state;
	arena_init(&arena, 1 << 16);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct published published;

		assert_int_equal(publish_parse(&arena, good[i].text, &published), 0);
		assert_string_equal(published.text, good[i].text);
		assert_string_equal(published.address, good[i].address);
		assert_int_equal(published.port, good[i].port);
		assert_int_equal(published.inner, good[i].inner);
	}
	arena_done(&arena);
}

static void test_what_it_cannot_be(void **state)
{
	static const char *const bad[] = {
		"",
		"0",
		"65536",
		"99999999999",
		"08",
		"+8",
		" 8",
		"8 ",
		"8080:",
		":8080",
		"8080:0",
		"8080:80:1",
		"8080:65536",
		"localhost:8080",
		"*:8080",
		"1.2.3:8080",
		"1.2.3.4",
		"1.2.3.4:",
		"1.2.3.256:8080",
		"[::1]",
		"[::1]8080",
		"[::1:8080",
		"::1:8080",
		"[]:8080",
		"[1.2.3.4]:80",
		"[::1%lo]:80",
		"127.1:8080",
		"http://1.2.3.4:80",
	};
	struct arena arena;
	struct published published = { .port = 7 };

	(void)state;
	arena_init(&arena, 1 << 16);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (publish_parse(&arena, bad[i], &published) != -EINVAL)
			fail_msg("\"%s\" is taken for a port", bad[i]);
	assert_int_equal(published.port, 7);
	arena_done(&arena);
}

static void test_sameness(void **state)
{
	struct published one, other;
	struct arena arena;

	(void)state;
	arena_init(&arena, 1 << 16);
	assert_int_equal(publish_parse(&arena, "80", &one), 0);
	assert_int_equal(publish_parse(&arena, "127.0.0.1:80:80", &other), 0);
	assert_true(publish_is_same(&one, &other));
	assert_int_equal(publish_parse(&arena, "80:81", &other), 0);
	assert_false(publish_is_same(&one, &other));
	assert_int_equal(publish_parse(&arena, "[::1]:80", &other), 0);
	assert_false(publish_is_same(&one, &other));
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_it_says),
		cmocka_unit_test(test_what_it_cannot_be),
		cmocka_unit_test(test_sameness),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "policy/domain.h"

#include "unit/policy/sample.h"

static void test_valid(void **state)
{
	static const char *const good[] = { "example.com",     "a.b",           "EXAMPLE.com",   "localhost",
		                            "localhost:3000",  "*.example.com", "*.co.uk",       "example.com:443",
		                            "127.0.0.1",       "127.0.0.1:80",  "[::1]",         "[::1]:8080",
		                            "a_b.example.com", "x-y.z",         "1.example.com", "*.example.com:443" };

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		if (!domain_pattern_is_valid(good[i], false))
			fail_msg("%s", good[i]);
}

static void test_invalid(void **state)
{
	static const char *const bad[] = { "",
		                           "not-a-domain",
		                           "https://example.com",
		                           "example.com/x",
		                           "*",
		                           "*.",
		                           "*.com",
		                           "*example.com",
		                           "a.*.com",
		                           "*.*.com",
		                           ".example.com",
		                           "example.com.",
		                           "a..b",
		                           "exa mple.com",
		                           "a.b:0",
		                           "a.b:65536",
		                           "a.b:",
		                           "a.b:080",
		                           "a.b:x",
		                           "a.b:1:2",
		                           "[::1",
		                           "[]",
		                           "[::1%eth0]",
		                           "user@a.b",
		                           "a.b\n",
		                           "\xc3\xa4.com",
		                           "localhost.",
		                           "com",
		                           "*.example.com:x" };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (domain_pattern_is_valid(bad[i], false))
			fail_msg("%s", bad[i]);
}

static void test_everything_can_only_be_denied(void **state)
{
	(void)state;
	assert_true(domain_pattern_is_valid("*", true));
	assert_true(domain_pattern_is_valid("*:25", true));
	assert_false(domain_pattern_is_valid("*:25", false));
	assert_false(domain_pattern_is_valid("*.com", true));
}

static void test_lengths(void **state)
{
	char label[80], host[300];

	(void)state;
	memset(label, 'a', sizeof(label));
	label[63] = '\0';
	assert_true(domain_pattern_is_valid(arena_printf(&arena, "%s.com", label), false));
	assert_false(domain_pattern_is_valid(arena_printf(&arena, "%sa.com", label), false));
	for (size_t i = 0; i < sizeof(host); i++)
		host[i] = i % 2 ? '.' : 'a';
	host[253] = '\0';
	assert_true(domain_pattern_is_valid(host, false));
	host[253] = '.';
	host[255] = '\0';
	assert_false(domain_pattern_is_valid(host, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_everything_can_only_be_denied),
		cmocka_unit_test(test_lengths),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

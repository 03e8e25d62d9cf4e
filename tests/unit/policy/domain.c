#include "policy/domain.h"

#include "unit/policy/sample.h"

static bool is_pattern(const char *text, bool deny)
{
	struct domain_pattern pattern;

	return domain_pattern_parse(text, deny, &pattern) == 0;
}

/* "+a.b -c.d:80": what is allowed and what is denied. */
static struct domain_rules rules_of(const char *text)
{
	struct domain_rules rules = { 0 };
	char *rest = arena_dup(&arena, text);

	for (char *word; (word = strsep(&rest, " "));) {
		bool deny = *word == '-';
		struct domain_pattern *pattern = domain_vec_add(deny ? &rules.denied : &rules.allowed, &arena);

		if (domain_pattern_parse(word + 1, deny, pattern) < 0)
			fail_msg("%s", word);
		pattern->why = "test";
	}
	return rules;
}

static struct host host_of(const char *text)
{
	struct host host;

	if (host_parse(text, strlen(text), &host) < 0)
		fail_msg("%s", text);
	return host;
}

static struct domain_verdict decide(const char *rules_text, const char *host_text, uint16_t port)
{
	struct domain_rules rules = rules_of(rules_text);
	struct host host = host_of(host_text);

	return domain_decide(&rules, &host, port);
}

static void test_valid(void **state)
{
	static const char *const good[] = { "example.com",     "a.b",           "EXAMPLE.com",   "localhost",
		                            "localhost:3000",  "*.example.com", "*.co.uk",       "example.com:443",
		                            "127.0.0.1",       "127.0.0.1:80",  "[::1]",         "[::1]:8080",
		                            "a_b.example.com", "x-y.z",         "1.example.com", "*.example.com:443" };

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		if (!is_pattern(good[i], false))
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
		if (is_pattern(bad[i], false))
			fail_msg("%s", bad[i]);
}

static void test_everything_can_only_be_denied(void **state)
{
	(void)state;
	assert_true(is_pattern("*", true));
	assert_true(is_pattern("*:25", true));
	assert_false(is_pattern("*:25", false));
	assert_false(is_pattern("*.com", true));
}

static void test_lengths(void **state)
{
	char label[80], host[300];

	(void)state;
	memset(label, 'a', sizeof(label));
	label[63] = '\0';
	assert_true(is_pattern(arena_printf(&arena, "%s.com", label), false));
	assert_false(is_pattern(arena_printf(&arena, "%sa.com", label), false));
	for (size_t i = 0; i < sizeof(host); i++)
		host[i] = i % 2 ? '.' : 'a';
	host[253] = '\0';
	assert_true(is_pattern(host, false));
	host[253] = '.';
	host[255] = '\0';
	assert_false(is_pattern(host, false));
}

static void test_fields(void **state)
{
	struct domain_pattern pattern;

	(void)state;
	assert_int_equal(domain_pattern_parse("*.Example.COM:443", false, &pattern), 0);
	assert_int_equal(pattern.kind, DOMAIN_BELOW);
	assert_string_equal(pattern.host.text, "example.com");
	assert_int_equal(pattern.port, 443);
	assert_int_equal(domain_pattern_parse("[::FFFF:127.0.0.1]", false, &pattern), 0);
	assert_int_equal(pattern.host.kind, HOST_IPV4);
	assert_string_equal(pattern.host.text, "127.0.0.1");
	assert_int_equal(pattern.port, 0);
	assert_int_equal(domain_pattern_parse("*:25", true, &pattern), 0);
	assert_int_equal(pattern.kind, DOMAIN_ANY);
}

static void test_what_fits(void **state)
{
	static const struct {
		const char *rules, *host;
		uint16_t port;
		bool allowed;
	} cases[] = {
		{ "+example.com", "EXAMPLE.com.", 443, true },
		{ "+example.com", "evilexample.com", 443, false },
		{ "+example.com", "example.com.evil", 443, false },
		{ "+example.com", "www.example.com", 443, false },
		{ "+*.example.com", "a.example.com", 443, true },
		{ "+*.example.com", "a.b.example.com", 443, true },
		{ "+*.example.com", "example.com", 443, false },
		{ "+*.example.com", "evilexample.com", 443, false },
		{ "+*.example.com", "a.example.com.evil", 443, false },
		{ "+a.b:443", "a.b", 443, true },
		{ "+a.b:443", "a.b", 80, false },
		{ "+127.0.0.1", "127.0.0.1", 80, true },
		{ "+127.0.0.1", "[::ffff:127.0.0.1]", 80, true },
		{ "+[::1]:80", "[0:0:0:0:0:0:0:1]", 80, true },
		{ "+[::1]:80", "[::1]", 81, false },
		{ "+a.b -a.b", "a.b", 80, false },
		{ "+a.b -a.b:80", "a.b", 80, false },
		{ "+a.b -a.b:80", "a.b", 81, true },
		{ "+*.b.c -x.b.c", "y.b.c", 80, true },
		{ "+*.b.c -x.b.c", "x.b.c", 80, false },
		{ "+a.b -*", "a.b", 80, false },
		{ "+127.0.0.1 -*", "127.0.0.1", 80, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (decide(cases[i].rules, cases[i].host, cases[i].port).allowed != cases[i].allowed)
			fail_msg("%s: %s:%u", cases[i].rules, cases[i].host, cases[i].port);
	assert_false(is_pattern("*.0.1", false));
}

static void test_reasons(void **state)
{
	struct domain_rules rules = rules_of("+a.b -c.d -e.f");
	struct domain_verdict verdict;
	struct host host = host_of("x.y");

	(void)state;
	rules.denied.at[1].reason = "we do not talk to them";
	verdict = domain_decide(&rules, &host, 80);
	assert_string_equal(verdict.reason, "host is not on the allow list");
	assert_null(verdict.rule);
	host = host_of("c.d");
	assert_string_equal(domain_decide(&rules, &host, 80).reason, "host is on the deny list");
	host = host_of("e.f");
	verdict = domain_decide(&rules, &host, 80);
	assert_string_equal(verdict.reason, "we do not talk to them");
	assert_ptr_equal(verdict.rule, &rules.denied.at[1]);
	host = host_of("a.b");
	verdict = domain_decide(&rules, &host, 80);
	assert_true(verdict.allowed && !verdict.reason && verdict.rule == &rules.allowed.at[0]);
}

static void test_what_may_be_resolved(void **state)
{
	struct domain_rules rules = rules_of("+*.b.c:443 -x.b.c -y.b.c:80");
	static const struct {
		const char *host;
		bool may;
	} cases[] = { { "a.b.c", true }, { "x.b.c", false }, { "y.b.c", true }, { "b.c", false }, { "other.d", false } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct host host = host_of(cases[i].host);

		if (domain_may_resolve(&rules, &host) != cases[i].may)
			fail_msg("%s", cases[i].host);
	}
}

static void test_named_outright(void **state)
{
	static const struct {
		const char *rules, *host;
		bool outright;
	} cases[] = {
		{ "+127.0.0.1", "127.0.0.1", true },
		{ "+[::1]", "[::1]", true },
		{ "+localhost", "localhost", true },
		{ "+a.b", "a.b", false },
		{ "+*.localhost.x", "a.localhost.x", false },
		{ "+a.b", "127.0.0.1", false },
		{ "+127.0.0.1 -127.0.0.1", "127.0.0.1", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct domain_verdict verdict = decide(cases[i].rules, cases[i].host, 80);

		if (domain_is_named_outright(&verdict) != cases[i].outright)
			fail_msg("%s: %s", cases[i].rules, cases[i].host);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_everything_can_only_be_denied),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_what_fits),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_what_may_be_resolved),
		cmocka_unit_test(test_named_outright),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

#include "policy/upstream.h"

#include "unit/policy/sample.h"

static struct upstream parsed;

static int parse(const char *url)
{
	return upstream_parse(url, &arena, &parsed);
}

static void test_urls(void **state)
{
	static const struct {
		const char *url, *host;
		unsigned port;
		const char *authorization;
	} good[] = {
		{ "http://proxy.test:3128", "proxy.test", 3128, NULL },
		{ "http://proxy.test:3128/", "proxy.test", 3128, NULL },
		{ "HTTP://Proxy.Test", "proxy.test", 80, NULL },
		{ "proxy.test:8080", "proxy.test", 8080, NULL },
		{ "10.0.0.1:8080", "10.0.0.1", 8080, NULL },
		{ "http://[fd00::1]:3128", "fd00::1", 3128, NULL },
		{ "http://user:pass@proxy.test:1", "proxy.test", 1, "Basic dXNlcjpwYXNz" },
		{ "http://user@proxy.test", "proxy.test", 80, "Basic dXNlcjo=" },
		{ "http://us%40er:p%3Ass%@proxy.test", "proxy.test", 80, "Basic dXNAZXI6cDpzcyU=" },
		{ "http://a@b:c@d@proxy.test", "proxy.test", 80, "Basic YUBiOmNAZA==" },
		{ "https://proxy.test", "proxy.test", 443, NULL },
		{ "HTTPS://u:p@proxy.test:80", "proxy.test", 80, "Basic dTpw" },
	};
	static const char *const bad[] = {
		"",
		"http://",
		"http://:80",
		"socks5://proxy.test",
		"ftp://x.y",
		"http://proxy.test:0",
		"http://a b",
		"http://a.b:99999",
		"http://a.b:8080/path",
		"http://a.b?x",
		"http://0x7f.1:80/",
		"http://a.b:80:80",
		"http://[::1",
		"http://::1:80",
		"http://a.b\r\nX: y",
		"http://user@",
		"http://a.b:",
		"http://a.b#x",
		"https://",
		"https://http://a.b",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		if (parse(good[i].url) != 0)
			fail_msg("%s", good[i].url);
		assert_string_equal(parsed.host.text, good[i].host);
		assert_int_equal(parsed.port, good[i].port);
		assert_int_equal(parsed.tls, strncasecmp(good[i].url, "https", 5) == 0);
		if (good[i].authorization)
			assert_string_equal(parsed.authorization, good[i].authorization);
		else
			assert_null(parsed.authorization);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		if (parse(bad[i]) != -EINVAL)
			fail_msg("%s", bad[i]);
}

static void test_bypass(void **state)
{
	static const struct {
		const char *list, *host;
		bool named;
	} cases[] = {
		{ NULL, "a.test", false },
		{ "", "a.test", false },
		{ "", "localhost", true },
		{ "", "127.9.9.9", true },
		{ "", "[::1]", true },
		{ "", "[::ffff:127.0.0.1]", true },
		{ "*", "a.test", true },
		{ "a.test", "a.test", true },
		{ "a.test", "A.TEST.", true },
		{ "a.test", "x.a.test", true },
		{ "a.test", "xa.test", false },
		{ ".a.test", "a.test", true },
		{ "*.a.test", "x.a.test", true },
		{ "b.test, a.test:8080 ,c.test", "a.test", true },
		{ "a.test:8080", "a.test", true },
		{ "10.0.0.0/8", "10.1.2.3", true },
		{ "10.0.0.0/8", "11.1.2.3", false },
		{ "10.0.0.1/8", "10.1.2.3", false }, /* no range, and no name either */
		{ "10.1.2.3", "10.1.2.3", true },
		{ "10.1.2.3:80", "10.1.2.3", true },
		{ "fd00::/8", "[fd00::1]", true },
		{ "[fd00::1]:443", "[fd00::1]", true },
		{ "fd00::1", "[fd00::1]", true },
		{ "2.3", "10.1.2.3", false },
		{ ",,", "a.test", false },
		{ ".", "a.test", false },
		{ "test", "a.test", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct host host;

		assert_int_equal(host_parse(cases[i].host, strlen(cases[i].host), &host), 0);
		if (upstream_is_bypassed(cases[i].list, &host) != cases[i].named)
			fail_msg("%s in \"%s\"", cases[i].host, cases[i].list);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_bypass),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

#include "policy/host.h"

#include "unit/unit.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int parse(const char *text, struct host *ret_host)
{
	return host_parse(text, strlen(text), ret_host);
}

static void test_canonical(void **state)
{
	static const struct {
		const char *text;
		enum host_kind kind;
		const char *canonical;
	} cases[] = {
		{ "example.com", HOST_NAME, "example.com" },
		{ "EXAMPLE.Com.", HOST_NAME, "example.com" },
		{ "localhost", HOST_NAME, "localhost" },
		{ "a_b.x-y.z", HOST_NAME, "a_b.x-y.z" },
		{ "1.2.3.example", HOST_NAME, "1.2.3.example" },
		{ "xn--bcher-kva.example", HOST_NAME, "xn--bcher-kva.example" },
		{ "0x.example", HOST_NAME, "0x.example" },
		{ "face.b00c", HOST_NAME, "face.b00c" },
		{ "1.2.3.4x", HOST_NAME, "1.2.3.4x" },
		{ "127.0.0.1", HOST_IPV4, "127.0.0.1" },
		{ "255.255.255.255", HOST_IPV4, "255.255.255.255" },
		{ "[::1]", HOST_IPV6, "::1" },
		{ "[0:0::0:1]", HOST_IPV6, "::1" },
		{ "[2001:DB8::1]", HOST_IPV6, "2001:db8::1" },
		{ "[::ffff:10.0.0.1]", HOST_IPV4, "10.0.0.1" },
		{ "[::ffff:a00:1]", HOST_IPV4, "10.0.0.1" },
	};
	struct host host;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (parse(cases[i].text, &host) < 0)
			fail_msg("%s", cases[i].text);
		assert_int_equal(host.kind, cases[i].kind);
		assert_string_equal(host.text, cases[i].canonical);
	}
}

static void test_refused(void **state)
{
	static const char *const bad[] = { "", ".", "..", "a..b", ".a", "a.b..", "a b", " a", "a ", "a\tb", "a\nb", "a\r", "a/b", "a\\b",
		                           "a@b", "a:80", "a%00b", "a%25", "-a.b", "a.-b", "*", "*.a.b", "::1", "[::1", "::1]", "[]",
		                           "[a.b]", "[::1%eth0]", "[::1%25lo]", "[::1].", "[127.0.0.1]", "[[::1]]",
		                           /* what inet_aton takes, or nearly */
		                           "127.1", "127.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.01", "0x7f.0.0.1",
		                           "127.0.0.0x1", "0", "1", "00", "0x", "0X7F.1", "127.0.0.256", "1.2.3.4.5", "4294967296",
		                           "1.2.3.08", "example.1", "example.0x1", "127.0.0.1.0",
		                           /* what IDNA would translate */
		                           "b\xc3\xbc"
		                           "cher.example",
		                           "example\xe3\x80\x82"
		                           "com",
		                           "\xef\xbc\x91.2.3.4",
		                           "ex\xc2\xad"
		                           "ample.com",
		                           "example\xff.com" };
	struct host host;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (parse(bad[i], &host) == 0)
			fail_msg("%s became %s", bad[i], host.text);
	assert_int_equal(host_parse("a.b\0.c", 6, &host), -EINVAL);
	assert_int_equal(host_parse("[::1\0]", 6, &host), -EINVAL);
	assert_int_equal(host_parse("127.0.0.1\0", 10, &host), -EINVAL);
	assert_int_equal(parse("127.0.0.1.", &host), 0); /* as in URLs: one final dot is nothing */
	assert_int_equal(host.kind, HOST_IPV4);
}

static void test_lengths(void **state)
{
	char text[300];
	struct host host;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 2 ? '.' : 'a';
	assert_int_equal(host_parse(text, 253, &host), 0);
	assert_int_equal(host_parse(text, 254, &host), 0); /* with its dot */
	assert_int_equal(strlen(host.text), 253);
	assert_int_equal(host_parse(text, 255, &host), -EINVAL);
	memset(text, 'a', sizeof(text));
	assert_int_equal(host_parse(text, 63, &host), 0);
	assert_int_equal(host_parse(text, 64, &host), -EINVAL);
}

static void test_same(void **state)
{
	static const unsigned char loopback[4] = { 127, 0, 0, 1 };
	struct host a, b;

	(void)state;
	assert_int_equal(parse("127.0.0.1", &a), 0);
	host_of_address(loopback, sizeof(loopback), &b);
	assert_true(host_is_same(&a, &b));
	assert_int_equal(parse("[::1]", &b), 0);
	assert_false(host_is_same(&a, &b));
	host_of_address(b.address, sizeof(b.address), &a);
	assert_true(host_is_same(&a, &b));
	assert_int_equal(parse("A.b", &a), 0);
	assert_int_equal(parse("a.B.", &b), 0);
	assert_true(host_is_same(&a, &b));
	assert_int_equal(parse("a.c", &b), 0);
	assert_false(host_is_same(&a, &b));
}

static bool resolver_takes_for_address(const char *text)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	bool numeric = getaddrinfo(text, NULL, &hints, &list) == 0;

	if (numeric)
		freeaddrinfo(list);
	return numeric;
}

static void judge(const char *text)
{
	struct in_addr aton = { 0 };
	struct host host;
	bool is_address = inet_aton(text, &aton) != 0;

	if (parse(text, &host) < 0)
		return;
	if (host.kind == HOST_NAME && (is_address || resolver_takes_for_address(text)))
		fail_msg("%s is a name here, and an address elsewhere", text);
	if (host.kind == HOST_IPV4 && is_address && memcmp(host.address + 12, &aton, 4) != 0)
		fail_msg("%s is %s here, and another address elsewhere", text, host.text);
}

/* What others take for an address is never a name, and never another address. */
static void test_no_two_opinions(void **state)
{
	static const char *const pieces[] = { "0",  "1",  "127",        "255", "256", "0x7f", "0X1", "0177",
		                              "08", "0x", "4294967295", "a",   "x",   "f",    "." };
	static const char letters[] = "0123456789abcdefxXgG.-:_";
	unsigned seed = 1;
	char text[64];

	(void)state;
	for (unsigned n = 0; n < 200000; n++) {
		size_t at = 0;

		for (unsigned parts = 1 + (unsigned)rand_r(&seed) % 5; parts > 0; parts--)
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", pieces[(unsigned)rand_r(&seed) % COUNT(pieces)],
			                       parts > 1 ? "." : "");
		if (n % 2)
			text[(unsigned)rand_r(&seed) % at] = letters[(unsigned)rand_r(&seed) % (sizeof(letters) - 1)];
		judge(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_canonical), cmocka_unit_test(test_refused),         cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_same),      cmocka_unit_test(test_no_two_opinions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

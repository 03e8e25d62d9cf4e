#include "policy/address.h"

#include "unit/policy/sample.h"

static struct host host_of(const char *text)
{
	struct address_range range;
	struct host host;

	if (address_range_parse(text, &range) < 0)
		fail_msg("%s", text);
	host_of_address(range.bytes, sizeof(range.bytes), &host);
	return host;
}

static const char *refusal(const struct address_rules *rules, const char *text)
{
	struct host host = host_of(text);

	return address_refusal(rules, &host);
}

static void test_ranges(void **state)
{
	static const char *const good[] = { "10.0.0.0/8",      "127.0.0.1",  "0.0.0.0/0",          "::/0", "fd00::/8", "::1",
		                            "2001:db8::1/128", "1.2.3.4/32", "::ffff:10.0.0.0/104" };
	static const char *const bad[] = { "",           "/",       "a.b",          "10.0.0.1/8",  "10.0.0.0/", "10.0.0.0/33",
		                           "::/129",     "::1/127", "10.0.0.0/8/8", "10.0.0.0/-1", "10/8",      "0x0a.0.0.0/8",
		                           "fe80::1%lo", "[::1]",   "10.0.0.0 /8",  "10.0.0.0/8 ", "*" };
	struct address_range range;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		if (address_range_parse(good[i], &range) < 0)
			fail_msg("%s", good[i]);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (address_range_parse(bad[i], &range) == 0)
			fail_msg("%s", bad[i]);
}

static void test_is_in(void **state)
{
	static const struct {
		const char *range, *address;
		bool in;
	} cases[] = {
		{ "10.0.0.0/8", "10.255.255.255", true },
		{ "10.0.0.0/8", "11.0.0.0", false },
		{ "10.0.0.0/9", "10.127.0.1", true },
		{ "10.0.0.0/9", "10.128.0.0", false },
		{ "0.0.0.0/0", "8.8.8.8", true },
		{ "0.0.0.0/0", "2001:db8::1", false },
		{ "::/0", "8.8.8.8", true },
		{ "::/0", "2001:db8::1", true },
		{ "fd00::/8", "fdff::1", true },
		{ "fd00::/8", "fc00::1", false },
		{ "::ffff:10.0.0.0/104", "10.1.1.1", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct address_range range;
		struct host address = host_of(cases[i].address);

		assert_int_equal(address_range_parse(cases[i].range, &range), 0);
		if (address_is_in(&address, &range) != cases[i].in)
			fail_msg("%s in %s", cases[i].address, cases[i].range);
	}
}

static const struct {
	const char *address, *kind;
} special[] = {
	{ "8.8.8.8", NULL },
	{ "1.1.1.1", NULL },
	{ "2606:4700:4700::1111", NULL },
	{ "172.32.0.1", NULL },
	{ "100.128.0.1", NULL },
	{ "127.0.0.1", "a loopback" },
	{ "127.255.0.9", "a loopback" },
	{ "0.0.0.0", "an unspecified" },
	{ "0.1.2.3", "an unspecified" },
	{ "10.1.2.3", "a private" },
	{ "172.16.0.1", "a private" },
	{ "172.31.255.255", "a private" },
	{ "192.168.1.1", "a private" },
	{ "100.64.0.1", "a private" },
	{ "169.254.1.1", "a link-local" },
	{ "169.254.169.254", "a cloud metadata" },
	{ "169.254.170.2", "a cloud metadata" },
	{ "168.63.129.16", "a cloud metadata" },
	{ "100.100.100.200", "a cloud metadata" },
	{ "192.0.0.192", "a cloud metadata" },
	{ "192.0.0.1", "a reserved" },
	{ "198.18.0.1", "a benchmarking" },
	{ "198.19.255.255", "a benchmarking" },
	{ "192.0.2.1", "a documentation" },
	{ "224.0.0.1", "a multicast" },
	{ "240.0.0.1", "a reserved" },
	{ "255.255.255.255", "a broadcast" },
	{ "::", "an unspecified" },
	{ "::1", "a loopback" },
	{ "fe80::1", "a link-local" },
	{ "fec0::1", "a link-local" },
	{ "fc00::1", "a private" },
	{ "fd12::1", "a private" },
	{ "fd00:ec2::254", "a cloud metadata" },
	{ "fd00:ec2::23", "a cloud metadata" },
	{ "fd00:c1::a9fe:a9fe", "a cloud metadata" },
	{ "fd00:42::42", "a cloud metadata" },
	{ "ff02::1", "a multicast" },
	{ "100::1", "a reserved" },
	{ "2001:db8::1", "a documentation" },
	/* wrapped */
	{ "::ffff:127.0.0.1", "a loopback" },
	{ "::ffff:169.254.169.254", "a cloud metadata" },
	{ "::127.0.0.1", "a loopback" },
	{ "::ffff:0:127.0.0.1", "a loopback" },
	{ "::ffff:0:10.0.0.1", "a private" },
	{ "::ffff:0:8.8.8.8", NULL },
	{ "64:ff9b::7f00:1", "a loopback" },
	{ "64:ff9b::a00:1", "a private" },
	{ "64:ff9b::808:808", NULL },
	{ "64:ff9b:1::808:808", "a private" },
	{ "2002:7f00:1::1", "a loopback" },
	{ "2002:c0a8:101::1", "a private" },
	{ "2002:808:808::1", NULL },
	{ "2001:0:808:808:0:0:80ff:fffe", "a loopback" },
	{ "2a00::5efe:10.0.0.1", "a private" },
	{ "2a00::200:5efe:169.254.169.254", "a cloud metadata" },
	{ "2a00::5efe:8.8.8.8", NULL },
};

static void test_special(void **state)
{
	const struct address_rules rules = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(special); i++) {
		const char *kind = refusal(&rules, special[i].address);

		if (special[i].kind ? !kind || strcmp(kind, special[i].kind) != 0 : kind != NULL)
			fail_msg("%s: %s", special[i].address, kind ? kind : "fine");
	}
}

static void test_private_may_be_allowed(void **state)
{
	const struct address_rules rules = { .allow_private = true };
	static const char *const fine[] = { "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd12::1", "64:ff9b::a00:1" };
	static const char *const refused[] = { "127.0.0.1",     "::1",     "169.254.169.254", "100.100.100.200",
		                               "fd00:ec2::254", "fe80::1", "64:ff9b::7f00:1" };

	(void)state;
	for (size_t i = 0; i < COUNT(fine); i++)
		if (refusal(&rules, fine[i]))
			fail_msg("%s", fine[i]);
	for (size_t i = 0; i < COUNT(refused); i++)
		if (!refusal(&rules, refused[i]))
			fail_msg("%s", refused[i]);
}

static void test_denied_and_own(void **state)
{
	struct address_rules rules = { .allow_private = true };

	(void)state;
	assert_int_equal(address_range_parse("8.8.0.0/16", address_range_vec_add(&rules.denied, &arena)), 0);
	assert_int_equal(address_range_parse("10.0.0.5", address_range_vec_add(&rules.own, &arena)), 0);
	assert_string_equal(refusal(&rules, "8.8.4.4"), "a denied");
	assert_string_equal(refusal(&rules, "::ffff:8.8.4.4"), "a denied");
	assert_string_equal(refusal(&rules, "64:ff9b::808:404"), "a denied");
	assert_null(refusal(&rules, "8.9.0.0"));
	assert_string_equal(refusal(&rules, "10.0.0.5"), "one of this host's own");
	assert_string_equal(refusal(&rules, "64:ff9b::a00:5"), "one of this host's own");
	assert_null(refusal(&rules, "10.0.0.6"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges),         cmocka_unit_test(test_is_in),
		cmocka_unit_test(test_special),        cmocka_unit_test(test_private_may_be_allowed),
		cmocka_unit_test(test_denied_and_own),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

#include "egress/rules.h"

#include "unit/unit.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct arena arena;

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, 8 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static void test_whole(void **state)
{
	static const char text[] =
	    "{\"allowed\": [{\"text\": \"*.example.com:443\", \"why\": \"a\"}, {\"text\": \"[::1]\", \"why\": \"b\"}],"
	    "\"denied\": [{\"text\": \"*:25\", \"why\": \"c\", \"reason\": \"no mail\"}],"
	    "\"denied_addresses\": [\"10.0.0.0/8\"], \"allow_private\": true, \"dialect\": \"srt\", \"uid\": 7}";
	struct filter_rules rules;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(filter_rules_read(text, sizeof(text) - 1, &arena, &rules, &err), 0);
	assert_int_equal(rules.domains.allowed.n, 2);
	assert_int_equal(rules.domains.allowed.at[0].kind, DOMAIN_BELOW);
	assert_string_equal(rules.domains.allowed.at[1].why, "b");
	assert_int_equal(rules.domains.denied.n, 1);
	assert_string_equal(rules.domains.denied.at[0].reason, "no mail");
	assert_int_equal(rules.addresses.denied.n, 1);
	assert_true(rules.addresses.allow_private && rules.is_srt && rules.uid == 7);
}

static void test_empty_denies_everything(void **state)
{
	struct host host;
	struct filter_rules rules;

	(void)state;
	assert_int_equal(filter_rules_read("{}", 2, &arena, &rules, NULL), 0);
	assert_int_equal(host_parse("a.b", 3, &host), 0);
	assert_false(domain_decide(&rules.domains, &host, 443).allowed);
	assert_false(rules.addresses.allow_private || rules.is_srt);
	assert_true(rules.uid > 65535);
}

static void test_faults(void **state)
{
	static const struct {
		const char *text, *where;
	} cases[] = {
		{ "[]", "/" },
		{ "{\"allowed\": 1}", "/allowed" },
		{ "{\"allowed\": [\"a.b\"]}", "/allowed/0" },
		{ "{\"allowed\": [{\"text\": \"a.b\"}]}", "/allowed/0" },
		{ "{\"allowed\": [{\"text\": \"a.b\", \"why\": \"x\"}, {\"text\": \"*\", \"why\": \"x\"}]}", "/allowed/1/text" },
		{ "{\"denied\": [{\"text\": \"a.b\", \"why\": \"x\", \"reason\": 1}]}", "/denied/0" },
		{ "{\"denied_addresses\": [\"10.0.0.1/8\"]}", "/denied_addresses/0" },
		{ "{\"denied_addresses\": [10]}", "/denied_addresses/0" },
		{ "{\"allow_private\": null}", "/allow_private" },
		{ "{\"dialect\": \"SRT\"}", "/dialect" },
		{ "{\"uid\": -1}", "/uid" },
		{ "{\"uid\": 4294967295}", "/uid" },
		{ "{\"allow\": []}", "/allow" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct err err = { 0 };
		struct filter_rules rules;

		if (filter_rules_read(cases[i].text, strlen(cases[i].text), &arena, &rules, &err) == 0)
			fail_msg("%s", cases[i].text);
		assert_string_equal(err.where, cases[i].where);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_empty_denies_everything),
		cmocka_unit_test(test_faults),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

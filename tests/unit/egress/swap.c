#include "egress/swap.h"

#include "unit/unit.h"

static struct domain_pattern a_test, b_test;
static struct credential_secret secrets[] = {
	{ .placeholder = "fake_value_1111", .value = "one", .hosts = { &a_test, 1, 1 } },
	{ .placeholder = "fake_value_2222", .value = "two-is-as-long!", .hosts = { &b_test, 1, 1 } },
	{ .placeholder = "fake_value_3333", .value = "a\r\nb" },
};
static const struct credential_secret_vec all = { secrets, 3, 3 };

static struct host host_of(const char *text)
{
	struct host host;

	assert_int_equal(host_parse(text, strlen(text), &host), 0);
	return host;
}

static void check_header(const char *host_text, const char *text, const char *wanted)
{
	struct host host = host_of(host_text);
	struct swap swap;
	struct str out;

	str_init(&out, 1000);
	swap_init(&swap, &all, &host, 443);
	swap_write(&swap, text, strlen(text), &out);
	assert_string_equal(out.text, wanted);
	str_done(&out);
	swap_done(&swap);
}

static void test_headers(void **state)
{
	(void)state;
	assert_int_equal(domain_pattern_parse("a.test", false, &a_test), 0);
	assert_int_equal(domain_pattern_parse("*.b.test:443", false, &b_test), 0);
	check_header("a.test", "Bearer fake_value_1111", "Bearer one");
	check_header("a.test", "fake_value_1111fake_value_1111 fake_value_2222", "oneone fake_value_2222");
	check_header("x.b.test", "fake_value_1111 fake_value_2222", "fake_value_1111 two-is-as-long!");
	check_header("c.test", "fake_value_1111 fake_value_3333", "fake_value_1111 fake_value_3333"); /* several lines are no header's */
	check_header("a.test", "fake_value_111", "fake_value_111");
}

/* However it is cut. */
static void test_bodies(void **state)
{
	static const char text[] = "x fake_value_1111, fake_value_fake_value_1111 fake_value_3333 fake_value_111";
	static const char wanted[] = "x one, fake_value_one a\r\nb fake_value_111";
	struct host host = host_of("a.test");

	(void)state;
	for (size_t step = 1; step <= sizeof(text); step++) {
		struct swap swap;
		char out[200];
		size_t used = 0, n;
		const char *bytes;

		swap_init(&swap, &all, &host, 443);
		assert_false(swap.keeps_length);
		for (size_t at = 0; at < sizeof(text) - 1; at += step) {
			size_t left = sizeof(text) - 1 - at;

			n = swap_feed(&swap, text + at, left < step ? left : step, false, &bytes);
			memcpy(out + used, bytes, n);
			used += n;
		}
		n = swap_feed(&swap, "", 0, true, &bytes);
		memcpy(out + used, bytes, n);
		out[used + n] = '\0';
		assert_string_equal(out, wanted);
		swap_done(&swap);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_headers), cmocka_unit_test(test_bodies) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

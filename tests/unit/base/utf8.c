#include "base/utf8.h"

#include "unit/unit.h"

static uint32_t take(const char *text, size_t n, size_t wanted)
{
	uint32_t code = 0xdead;

	assert_int_equal(utf8_take(text, n, &code), wanted);
	return code;
}

static void test_valid(void **state)
{
	(void)state;
	assert_int_equal(take("a", 1, 1), 'a');
	assert_int_equal(take("\0", 1, 1), 0);
	assert_int_equal(take("\xc2\x80", 2, 2), 0x80);
	assert_int_equal(take("\xdf\xbf", 2, 2), 0x7ff);
	assert_int_equal(take("\xe0\xa0\x80", 3, 3), 0x800);
	assert_int_equal(take("\xef\xbf\xbf", 3, 3), 0xffff);
	assert_int_equal(take("\xf0\x90\x80\x80", 4, 4), 0x10000);
	assert_int_equal(take("\xf4\x8f\xbf\xbf", 4, 4), 0x10ffff);
}

static void test_invalid(void **state)
{
	static const char *const bad[] = {
		"\x80",             /* a continuation first */
		"\xc0\x80",         /* overlong NUL */
		"\xc1\xbf",         /* overlong */
		"\xe0\x9f\xbf",     /* overlong */
		"\xf0\x8f\xbf\xbf", /* overlong */
		"\xed\xa0\x80",     /* surrogate */
		"\xed\xbf\xbf",     /* surrogate */
		"\xf4\x90\x80\x80", /* above the last plane */
		"\xf8\x88\x80\x80\x80",
		"\xff",
		"\xe2\x82",
		"\xe2(\xa1",
		"\xc3(",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(take(bad[i], strlen(bad[i]), 0), 0xdead);
	assert_int_equal(take("", 0, 0), 0xdead);
	assert_int_equal(take("\xf0\x9f\x98\x80", 3, 0), 0xdead);
}

static void check_show(const char *text, size_t n, const char *wanted)
{
	char shown[UTF8_SHOWN_MAX], all[256] = "";

	for (size_t at = 0; at < n;) {
		size_t step = utf8_show(text + at, n - at, shown);

		assert_in_range(step, 1, 4);
		strcat(all, shown);
		at += step;
	}
	assert_string_equal(all, wanted);
}

static void test_show(void **state)
{
	(void)state;
	check_show("plain é €", 12, "plain é €");
	check_show("\033[31mred", 8, "\\x1b[31mred");
	check_show("a\nb\tc\rd\x7f", 8, "a\\nb\\x09c\\x0dd\\x7f");
	check_show("\xc2\x9b"
	           "31m",
	           5, "\\xc2\\x9b31m");                       /* C1: a control sequence in one character */
	check_show("\xe2\x80\xae", 3, "\\xe2\\x80\\xae");     /* right-to-left override */
	check_show("\xef\xbb\xbf", 3, "\\xef\\xbb\\xbf");     /* byte order mark */
	check_show("x\xffy\xe2\x82", 5, "x\\xffy\\xe2\\x82"); /* not UTF-8 */
	check_show("a\0b", 3, "a\\x00b");
	check_show("\xf0\x9f\x98\x80", 4, "\xf0\x9f\x98\x80");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_show),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

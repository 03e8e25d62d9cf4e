#include "base/str.h"

#include "unit/unit.h"

static void test_empty(void **state)
{
	struct str s autostr;

	(void)state;
	str_init(&s, 10);
	assert_string_equal(s.text, "");
	str_add(&s, "");
	str_add_n(&s, NULL, 0);
	str_printf(&s, "%s", "");
	assert_string_equal(s.text, "");
	assert_false(s.failed);
	str_done(&s);
	assert_string_equal(s.text, "");
	str_add(&s, "again");
	assert_string_equal(s.text, "again");
}

static void test_grows(void **state)
{
	struct str s autostr;

	(void)state;
	str_init(&s, 1 << 20);
	for (int i = 0; i < 10000; i++)
		str_printf(&s, "%d,", i % 10);
	assert_int_equal(s.len, 20000);
	assert_int_equal(strlen(s.text), 20000);
	assert_memory_equal(s.text + 19980, "0,1,2,3,4,5,6,7,8,9,", 20);
	str_clear(&s);
	assert_string_equal(s.text, "");
	str_add_char(&s, 'x');
	assert_string_equal(s.text, "x");
}

static void test_ceiling_is_exact_and_failure_sticks(void **state)
{
	struct str s autostr;

	(void)state;
	str_init(&s, 5);
	str_add(&s, "12345");
	assert_false(s.failed);
	str_add_char(&s, '6');
	assert_true(s.failed);
	assert_string_equal(s.text, "12345");
	str_clear(&s);
	assert_false(s.failed);
	str_add(&s, "123456");
	assert_true(s.failed);
	str_add(&s, "1"); /* would fit, but something is missing already */
	assert_string_equal(s.text, "");

	str_clear(&s);
	str_printf(&s, "%s", "123");
	str_printf(&s, "%s", "456");
	assert_true(s.failed);
	assert_string_equal(s.text, "123");
}

static void test_huge(void **state)
{
	struct str s autostr;

	(void)state;
	str_init(&s, SIZE_MAX);
	str_add(&s, "x");
	str_add_n(&s, "x", SIZE_MAX - 1); /* must be refused before it is read */
	assert_true(s.failed);
}

static void test_escaped(void **state)
{
	struct str s autostr;

	(void)state;
	str_init(&s, 1000);
	str_add_escaped(&s, "ok é\n\033[2J\0\xc0", 11);
	assert_string_equal(s.text, "ok é\\n\\x1b[2J\\x00");
	str_clear(&s);
	str_add_escaped(&s, "a\xe2\x82", 3); /* cut within a character */
	assert_string_equal(s.text, "a\\xe2\\x82");
}

static void check_json(const char *text, size_t n, const char *wanted)
{
	struct str s autostr;

	str_init(&s, 1000);
	str_add_json(&s, text, n);
	assert_string_equal(s.text, wanted);
}

static void test_shell(void **state)
{
	static const char *const words[][2] = {
		{ "/a-b_c.d:1,2", "/a-b_c.d:1,2" }, { "", "''" },           { "a b", "'a b'" },
		{ "it's", "'it'\\''s'" },           { "$HOME", "'$HOME'" }, { "[::1]:80", "'[::1]:80'" },
	};
	struct str s;

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		str_init(&s, 100);
		str_add_shell(&s, words[i][0]);
		assert_string_equal(s.text, words[i][1]);
		str_done(&s);
	}
}

static void test_json(void **state)
{
	(void)state;
	check_json("", 0, "\"\"");
	check_json("a\"b\\c/d", 7, "\"a\\\"b\\\\c/d\"");
	check_json("\b\f\n\r\t\x01\x7f", 7, "\"\\b\\f\\n\\r\\t\\u0001\\u007f\"");
	check_json("\0", 1, "\"\\u0000\"");
	check_json("é€\xf0\x9f\x98\x80", 9, "\"é€\xf0\x9f\x98\x80\"");
	check_json("x\xffy", 3, "\"x\xef\xbf\xbdy\"");
	check_json("\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""); /* a surrogate is not UTF-8 */
	check_json("\xc2\x9b\xe2\x80\xae", 5, "\"\\u009b\\u202e\"");
}

static void test_base64(void **state)
{
	static const char *const pairs[][2] = { { "", "" },
		                                { "f", "Zg==" },
		                                { "fo", "Zm8=" },
		                                { "foo", "Zm9v" },
		                                { "foob", "Zm9vYg==" },
		                                { "fooba", "Zm9vYmE=" },
		                                { "\xff\xfe\xfd", "//79" } };

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		autostr struct str s;

		str_init(&s, 64);
		str_add_base64(&s, pairs[i][0], strlen(pairs[i][0]));
		assert_string_equal(s.text ? s.text : "", pairs[i][1]);
	}
}

static void test_json_path(void **state)
{
	static const char *const pairs[][2] = { { "a/\xc3\xa4\n", "\"a/\xc3\xa4\\n\"" },
		                                { "", "\"\"" },
		                                { "a\xff", "{\"base64\":\"Yf8=\"}" } };

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		autostr struct str s;

		str_init(&s, 64);
		str_add_json_path(&s, pairs[i][0]);
		assert_string_equal(s.text, pairs[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),  cmocka_unit_test(test_grows), cmocka_unit_test(test_ceiling_is_exact_and_failure_sticks),
		cmocka_unit_test(test_base64), cmocka_unit_test(test_huge),  cmocka_unit_test(test_escaped),
		cmocka_unit_test(test_shell),  cmocka_unit_test(test_json),  cmocka_unit_test(test_json_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

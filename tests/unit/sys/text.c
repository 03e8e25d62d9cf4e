#include "sys/text.h"

#include "unit/unit.h"

static void numbers_in_every_base(void **state)
{
	struct text text = { 0 };

	(void)state;
	text_number(&text, 0, 10);
	text_add(&text, " ");
	text_number(&text, UINT64_MAX, 10);
	text_add(&text, " ");
	text_number(&text, 01777, 8);
	text_add(&text, " ");
	text_number(&text, 0xbeef, 16);
	text_add(&text, " ");
	text_number(&text, 5, 2);
	assert_string_equal(text.bytes, "0 18446744073709551615 1777 beef 101");
	assert_false(text.cut);
}

static void what_does_not_fit_is_left_out(void **state)
{
	struct text text = { 0 };
	char long_text[TEXT_BYTES_MAX + 2];

	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	text_add(&text, long_text);
	assert_string_equal(text.bytes, "");
	assert_true(text.cut);
	text = (struct text){ 0 };
	text_add(&text, long_text + 1);
	assert_int_equal(strlen(text.bytes), TEXT_BYTES_MAX);
	assert_false(text.cut);
	text_number(&text, 7, 10);
	assert_int_equal(text.len, TEXT_BYTES_MAX);
	assert_true(text.cut);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_in_every_base),
		cmocka_unit_test(what_does_not_fit_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

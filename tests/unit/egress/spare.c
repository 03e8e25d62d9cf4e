#include "egress/spare.h"

#include "unit/unit.h"

static void test_goes_on(void **state)
{
	struct str a, b;

	(void)state;
	spare_take(&a, 100 << 10);
	str_add(&a, "Authorization: secret");
	const char *memory = a.text;
	spare_give(&a);
	assert_int_equal(a.room, 0);
	assert_string_equal(a.text, "");
	spare_take(&b, 8 << 10);
	assert_ptr_equal(b.text, memory);
	assert_int_equal(b.ceiling, 8 << 10);
	assert_int_equal(b.len, 0);
	assert_string_equal(b.text, "");
	spare_give(&b);
}

static void test_large_ones_are_freed(void **state)
{
	static char bytes[SPARE_BYTES_MAX + 1];
	struct str a, b;

	(void)state;
	spare_take(&a, 100 << 10);
	str_add_n(&a, bytes, sizeof(bytes));
	assert_false(a.failed);
	spare_give(&a);
	spare_take(&b, 100 << 10);
	assert_in_range(b.room, 0, SPARE_BYTES_MAX);
	spare_give(&b);
}

static void test_ceiling_holds(void **state)
{
	struct str a, b;

	(void)state;
	spare_take(&a, 2048);
	str_add(&a, "more than forty bytes, so that the room is at least sixty-four of them");
	spare_give(&a);
	spare_take(&b, 16);
	str_add(&b, "seventeen bytes!!");
	assert_true(b.failed);
	spare_give(&b);
}

static void test_as_many_as_fit(void **state)
{
	struct str s[SPARE_MAX + 2];

	(void)state;
	for (int turn = 0; turn < 2; turn++) {
		for (size_t i = 0; i < SPARE_MAX + 2; i++) {
			spare_take(&s[i], 100);
			str_add(&s[i], "x");
			assert_false(s[i].failed);
		}
		for (size_t i = 0; i < SPARE_MAX + 2; i++)
			spare_give(&s[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_goes_on),
		cmocka_unit_test(test_large_ones_are_freed),
		cmocka_unit_test(test_ceiling_holds),
		cmocka_unit_test(test_as_many_as_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

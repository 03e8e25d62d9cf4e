#include "egress/names.h"

#include "unit/unit.h"

#include <stdio.h>

static struct names names;

static const char *name_at(const unsigned char address[NAMES_ADDRESS_BYTES])
{
	struct host host;

	host_of_address(address, NAMES_ADDRESS_BYTES, &host);
	return names_of_address(&names, &host);
}

static void test_there_and_back(void **state)
{
	unsigned char a[NAMES_ADDRESS_BYTES], b[NAMES_ADDRESS_BYTES], again[NAMES_ADDRESS_BYTES];
	const unsigned char own[] = { 198, 18, 0, 1 }, behind[] = { 198, 18, 0x21, 0 }, other[] = { 8, 8, 8, 8 };

	(void)state;
	assert_int_equal(names_give(&names, "a.test", a), 0);
	assert_int_equal(names_give(&names, "b.test", b), 0);
	assert_int_equal(names_give(&names, "a.test", again), 0);
	assert_memory_equal(a, again, sizeof(a));
	assert_int_equal(a[0], 198);
	assert_int_equal(a[1], 18);
	assert_string_equal(name_at(a), "a.test");
	assert_string_equal(name_at(b), "b.test");
	assert_null(name_at(own));
	assert_null(name_at(behind));
	assert_null(name_at(other));
}

/* However many names are asked for: the table stays as large as it is, and a name that is in use keeps its address. */
static void test_flood(void **state)
{
	unsigned char kept[NAMES_ADDRESS_BYTES], address[NAMES_ADDRESS_BYTES];
	char name[32];

	(void)state;
	assert_int_equal(names_give(&names, "kept.test", kept), 0);
	for (int i = 0; i < 4 * NAMES_MAX; i++) {
		snprintf(name, sizeof(name), "n%d.test", i);
		assert_int_equal(names_give(&names, name, address), 0);
		assert_string_equal(name_at(address), name);
		assert_string_equal(name_at(kept), "kept.test");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "base/base64.h"
#include "base/str.h"
#include "unit/unit.h"

static void what_is_written_is_read(void **state)
{
	unsigned char bytes[70], back[BASE64_ROOM(96) + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 37 + 200);
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		autostr struct str text = { 0 };

		str_init(&text, 200);
		str_add_base64(&text, bytes, n);
		assert_int_equal(base64_read(text.text, text.len, back), (int)n);
		assert_memory_equal(back, bytes, n);
	}
}

static void what_no_encoder_writes_is_refused(void **state)
{
	static const char *const wrong[] = {
		"A", "AB", "ABC", "A===", "=AAA", "AB=C", "AA==AAAA", "AB==", "AAB=", "AA A", "AAA\n", "A-A_"
	};
	char bytes[16];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(base64_read(wrong[i], strlen(wrong[i]), bytes), -EINVAL);
	assert_int_equal(base64_read("", 0, bytes), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_is_written_is_read),
		                            cmocka_unit_test(what_no_encoder_writes_is_refused) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

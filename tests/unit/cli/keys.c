#include "cli/keys.h"
#include "unit/unit.h"

static void are(const char *text, const char *want, size_t n)
{
	char bytes[KEYS_MAX];
	size_t count = 99;

	assert_int_equal(keys_read(text, bytes, &count), 0);
	assert_int_equal(count, n);
	assert_memory_equal(bytes, want, n);
}

static void names_of_keys(void **state)
{
	(void)state;
	are("ctrl-p,ctrl-q", "\x10\x11", 2);
	are("ctrl-A,d",
	    "\x01"
	    "d",
	    2);
	are("ctrl-\\", "\x1c", 1);
	are("ctrl-@,ctrl-_", "\0\x1f", 2);
	are("", "", 0);
	are("a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p", "abcdefghijklmnop", 16);
}

static void what_is_no_key(void **state)
{
	static const char *const texts[] = {
		",", "a,", ",a", "ab", "ctrl-", "ctrl-1", "ctrl-pq", "alt-p", " ", "a,,b", "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q", "\xc3\xa4"
	};
	char bytes[KEYS_MAX];
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_int_equal(keys_read(texts[i], bytes, &n), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(names_of_keys), cmocka_unit_test(what_is_no_key) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

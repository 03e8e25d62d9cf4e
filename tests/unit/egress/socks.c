#include "egress/socks.h"

#include "unit/unit.h"

static void test_greeting(void **state)
{
	bool acceptable = false;

	(void)state;
	assert_int_equal(socks_read_greeting("", 0, &acceptable), 0);
	assert_int_equal(socks_read_greeting("\5", 1, &acceptable), 0);
	assert_int_equal(socks_read_greeting("\5\2\2", 3, &acceptable), 0);
	assert_int_equal(socks_read_greeting("\5\2\2\0x", 5, &acceptable), 4);
	assert_true(acceptable);
	assert_int_equal(socks_read_greeting("\5\1\2", 3, &acceptable), 3);
	assert_false(acceptable);
	assert_int_equal(socks_read_greeting("\5\0", 2, &acceptable), 2);
	assert_false(acceptable);
	assert_int_equal(socks_read_greeting("\4\1", 2, &acceptable), -EPROTO);
}

static void test_requests(void **state)
{
	static const char name[] = "\5\1\0\3\7a.b.com\1\xbb", four[] = "\5\1\0\1\177\0\0\1\0\x50",
			  six[] = "\5\1\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\xff\xff";
	struct socks_request request;

	(void)state;
	for (size_t n = 0; n < sizeof(name) - 1; n++)
		assert_int_equal(socks_read_request(name, n, &request), 0);
	assert_int_equal(socks_read_request(name, sizeof(name), &request), sizeof(name) - 1);
	assert_true(request.is_name && request.host_n == 7 && request.port == 443 && request.refused == SOCKS_GRANTED);
	assert_memory_equal(request.host, "a.b.com", 7);
	for (size_t n = 0; n < sizeof(four) - 1; n++)
		assert_int_equal(socks_read_request(four, n, &request), 0);
	assert_int_equal(socks_read_request(four, sizeof(four) - 1, &request), 10);
	assert_true(!request.is_name && request.host_n == 4 && request.port == 80);
	assert_int_equal(socks_read_request(six, sizeof(six) - 1, &request), 22);
	assert_true(!request.is_name && request.host_n == 16 && request.port == 65535);
}

static void test_longest_name(void **state)
{
	char bytes[7 + 255] = "\5\1\0\3\xff";
	struct socks_request request;

	(void)state;
	memset(bytes + 5, 'a', 255);
	bytes[260] = 0;
	bytes[261] = 1;
	assert_int_equal(socks_read_request(bytes, 262, &request), 262);
	assert_true(request.host_n == 255 && request.port == 1);
	assert_int_equal(socks_read_request(bytes, 261, &request), 0);
}

static void test_refused(void **state)
{
	struct socks_request request;

	(void)state;
	assert_int_equal(socks_read_request("\5\2\0\1\177\0\0\1\0\x50", 10, &request), 10);
	assert_int_equal(request.refused, SOCKS_NO_SUCH_COMMAND);
	assert_int_equal(socks_read_request("\5\3\0\1\177\0\0\1\0\x50", 10, &request), 10);
	assert_int_equal(request.refused, SOCKS_NO_SUCH_COMMAND);
	assert_true(socks_read_request("\5\1\0\2x", 5, &request) > 0);
	assert_int_equal(request.refused, SOCKS_NO_SUCH_ADDRESS);
	assert_int_equal(socks_read_request("\5\1\1\1\177\0\0\1\0\x50", 10, &request), -EPROTO);
	assert_int_equal(socks_read_request("\5\1\0\3\0\0\x50", 7, &request), -EPROTO);
	assert_int_equal(socks_read_request("\4\1\0\x50\177\0\0\1\0", 9, &request), -EPROTO);
}

static void test_reply(void **state)
{
	char bytes[SOCKS_REPLY_BYTES];

	(void)state;
	socks_write_reply(SOCKS_NOT_ALLOWED, bytes);
	assert_memory_equal(bytes, "\5\2\0\1\0\0\0\0\0\0", 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_greeting), cmocka_unit_test(test_requests), cmocka_unit_test(test_longest_name),
		cmocka_unit_test(test_refused),  cmocka_unit_test(test_reply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

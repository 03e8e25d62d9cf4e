#include "egress/decider.h"

#include "unit/unit.h"

static bool check(const char *text, struct verdict *ret_verdict)
{
	static json_t *kept;
	json_t *frame = NULL;

	assert_int_equal(json_read(text, strlen(text), "frame", &frame, NULL), 0);
	json_done(&kept);
	kept = frame;
	return decider_check_verdict(frame, ret_verdict);
}

static void test_verdicts(void **state)
{
	struct verdict verdict;

	(void)state;
	assert_true(check("{\"t\":\"verdict\",\"id\":9007199254740991,\"action\":\"allow\"}", &verdict));
	assert_int_equal(verdict.action, VERDICT_ALLOW);
	assert_int_equal(verdict.id, (1ull << 53) - 1);
	assert_null(verdict.set);
	assert_null(verdict.credential);
	assert_true(check("{\"t\":\"verdict\",\"id\":1,\"action\":\"allow\",\"setHeaders\":{\"x-a\":[\"b\",\"\\u00e9\\t\"],\"x-b\":[]},"
	                  "\"removeHeaders\":[\"cookie\",\"x_c\"],\"cred\":\"github\",\"credential\":\"abc\"}",
	                  &verdict));
	assert_string_equal(verdict.credential_class, "github");
	assert_int_equal(json_array_size(verdict.remove), 2);
	assert_true(check("{\"t\":\"verdict\",\"id\":2,\"action\":\"deny\",\"status\":599,\"reason\":\"no\"}", &verdict));
	assert_int_equal(verdict.status, 599);
	assert_string_equal(verdict.reason, "no");
	assert_true(check("{\"t\":\"verdict\",\"id\":2,\"action\":\"need_body\",\"max\":33554432}", &verdict));
	assert_int_equal(verdict.most, DECIDER_BODY_MAX);
}

static void test_what_is_none(void **state)
{
	static const char *const wrong[] = {
		"[]",
		"{}",
		"{\"t\":\"hello\",\"id\":1,\"action\":\"allow\"}",
		"{\"t\":\"verdict\",\"id\":\"1\",\"action\":\"allow\"}",
		"{\"t\":\"verdict\",\"id\":1.0,\"action\":\"allow\"}",
		"{\"t\":\"verdict\",\"id\":9007199254740992,\"action\":\"allow\"}",
		"{\"t\":\"verdict\",\"id\":1,\"action\":\"Allow\"}",
		"{\"t\":\"verdict\",\"id\":1,\"action\":\"allow\",\"status\":403}",
		"{\"t\":\"verdict\",\"id\":1,\"action\":\"allow\",\"setHeaders\":null}",
		"{\"t\":\"verdict\",\"id\":1,\"action\":\"allow\",\"setHeaders\":{\"x a\":[\"b\"]}}",
		"{\"t\":\"verdict\",\"id\":1,\"action\":\"allow\",\"setHeaders\":{\"x-a\":\"b\"}}",
		"{\"t\":\"verdict\",\"id\":1,\"action\":\"allow\",\"setHeaders\":{\"x-a\":[\"\\u0085\"]}}",
		"{\"t\":\"verdict\",\"id\":1,\"action\":\"allow\",\"setHeaders\":{\"x-api_key\":[\"b\"]}}",
		"{\"t\":\"verdict\",\"id\":1,\"action\":\"allow\",\"setHeaders\":{\"transfer.encoding\":[\"b\"]}}",
		"{\"t\":\"verdict\",\"id\":1,\"action\":\"allow\",\"removeHeaders\":[]}",
		"{\"t\":\"verdict\",\"id\":1,\"action\":\"allow\",\"removeHeaders\":[\"a\",\"a\"]}",
		"{\"t\":\"verdict\",\"id\":1,\"action\":\"allow\",\"removeHeaders\":[\"host\"]}",
		"{\"t\":\"verdict\",\"id\":1,\"action\":\"allow\",\"credential\":\"x\"}",
		"{\"t\":\"verdict\",\"id\":1,\"action\":\"allow\",\"cred\":\"\",\"credential\":\"x\"}",
		"{\"t\":\"verdict\",\"id\":1,\"action\":\"deny\",\"status\":399}",
		"{\"t\":\"verdict\",\"id\":1,\"action\":\"deny\",\"status\":403,\"reason\":\"\"}",
		"{\"t\":\"verdict\",\"id\":1,\"action\":\"deny\",\"status\":403,\"reason\":\"a\\nb\"}",
		"{\"t\":\"verdict\",\"id\":1,\"action\":\"need_body\",\"max\":33554433}",
	};
	struct verdict verdict;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (check(wrong[i], &verdict))
			fail_msg("%s", wrong[i]);
}

static void test_hellos(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} hellos[] = {
		{ "{\"t\":\"hello\",\"proto\":1,\"allowedDomains\":[\"a.test\"],\"deniedDomains\":[]}", true },
		{ "{\"t\":\"hello\",\"proto\":1,\"allowedDomains\":[\"a.test\",\"a.test\"],\"deniedDomains\":[]}", false },
		{ "{\"t\":\"hello\",\"proto\":1,\"allowedDomains\":[3],\"deniedDomains\":[]}", false },
		{ "{\"t\":\"hello\",\"proto\":1,\"allowedDomains\":[]}", false },
		{ "{\"t\":\"hello\",\"proto\":2,\"allowedDomains\":[],\"deniedDomains\":[]}", false },
		{ "{\"t\":\"hello\",\"proto\":1,\"allowedDomains\":[],\"deniedDomains\":[],\"more\":1}", false },
		{ "{\"t\":\"verdict\",\"proto\":1,\"allowedDomains\":[],\"deniedDomains\":[]}", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(hellos) / sizeof(hellos[0]); i++) {
		autojson json_t *frame = NULL;

		assert_int_equal(json_read(hellos[i].text, strlen(hellos[i].text), "frame", &frame, NULL), 0);
		if (decider_check_hello(frame) != hellos[i].good)
			fail_msg("%s", hellos[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_what_is_none),
		cmocka_unit_test(test_hellos),
	};

	return cmocka_run_group_tests_name("egress/decider_check", tests, NULL, NULL);
}

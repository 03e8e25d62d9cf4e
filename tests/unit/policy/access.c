#include "policy/access.h"

#include "unit/policy/sample.h"

static const char *decide(struct policy *policy, const char *method, const char *host_text, const char *path)
{
	struct host host;
	struct access_verdict verdict;

	assert_int_equal(host_parse(host_text, strlen(host_text), &host), 0);
	verdict = access_decide(&policy->network.requests, &(struct access_request){ &host, 443, method, path });
	return verdict.allowed ? "allowed" : verdict.reason;
}

static struct policy policy_of(const char *requests)
{
	struct policy policy = sample_plain();
	struct fault_vec faults = { 0 };

	assert_int_equal(sample_read(&policy, arena_printf(&arena, "{\"network\": {\"requests\": %s}}", requests), POLICY_COFFER, &faults),
	                 0);
	return policy;
}

static void test_first_rule_decides(void **state)
{
	struct policy policy = policy_of(
	    "[{\"action\": \"deny\", \"paths\": [\"/admin/**\"], \"reason\": \"no\"},"
	    "{\"action\": \"allow\", \"hosts\": [\"a.test\"], \"methods\": [\"GET\", \"HEAD\"], \"paths\": [\"/v1/**\", \"/admin/**\"]}]");

	(void)state;
	assert_string_equal(decide(&policy, "GET", "a.test", "/v1/x"), "allowed");
	assert_string_equal(decide(&policy, "POST", "a.test", "/v1/x"), ACCESS_REASON);
	assert_string_equal(decide(&policy, "GET", "a.test", "/v2"), ACCESS_REASON);
	assert_string_equal(decide(&policy, "GET", "a.test", "/admin/x"), "no");
	assert_string_equal(decide(&policy, "DELETE", "b.test", "/v2"), "allowed"); /* no allow rule names it */
	assert_string_equal(decide(&policy, "GET", "b.test", "/admin/x"), "no");
}

/* What a profile denies no document allows. */
static void test_layers_narrow(void **state)
{
	struct policy base = policy_of("[{\"action\": \"allow\", \"methods\": [\"GET\"]}]");
	struct policy more = policy_of("[{\"action\": \"allow\", \"hosts\": [\"a.test\"]}]");

	(void)state;
	for (size_t i = 0; i < more.network.requests.n; i++) {
		struct access_rule *slot = access_rule_vec_add(&base.network.requests, &arena);

		*slot = more.network.requests.at[i];
		slot->layer = 1;
	}
	assert_string_equal(decide(&base, "GET", "a.test", "/"), "allowed");
	assert_string_equal(decide(&base, "POST", "a.test", "/"), ACCESS_REASON);
	assert_string_equal(decide(&base, "GET", "b.test", "/"), "allowed");
}

static void test_headers(void **state)
{
	(void)state;
	assert_true(access_is_same_header("X_Api.Key", 9, "x-api-key"));
	assert_false(access_is_same_header("x-api-key", 8, "x-api-key"));
	assert_false(access_is_same_header("x-api-key", 9, "x-api-ke"));
	assert_true(access_is_free_header("Authorization"));
	assert_false(access_is_free_header("Host"));
	assert_false(access_is_free_header("content_length"));
	assert_false(access_is_free_header("Proxy-Authorization"));
	assert_false(access_is_free_header("a b"));
	assert_false(access_is_header_value("a\r\nb"));
	assert_true(access_is_header_value("a\tb"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_rule_decides),
		cmocka_unit_test(test_layers_narrow),
		cmocka_unit_test(test_headers),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

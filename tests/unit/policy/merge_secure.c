#include "policy/merge.h"

#include "unit/policy/sample.h"

static struct policy request_of(const char *text)
{
	struct policy request;
	struct fault_vec faults = { 0 };

	policy_init_request(&request);
	assert_int_equal(sample_read(&request, text, POLICY_COFFER, &faults), 0);
	return request;
}

static void test_questions(void **state)
{
	static const struct {
		const char *base, *request;
		enum policy_asks asks;
		size_t faults;
	} cases[] = {
		{ "{\"network\": {\"asks\": \"hosts\"}}", "{}", POLICY_ASKS_HOSTS, 0 },
		{ "{\"network\": {\"asks\": \"hosts\"}}", "{\"network\": {\"asks\": \"requests\"}}", POLICY_ASKS_REQUESTS, 0 },
		{ "{\"network\": {\"asks\": \"both\"}}", "{\"network\": {\"asks\": \"nothing\"}}", POLICY_ASKS_REQUESTS, 0 },
		{ "{\"network\": {\"asks\": \"both\"}}", "{\"network\": {\"asks\": \"hosts\"}}", POLICY_ASKS_BOTH, 0 },
		{ "{}", "{\"network\": {\"asks\": \"requests\"}}", POLICY_ASKS_REQUESTS, 0 },
		{ "{}", "{\"network\": {\"asks\": \"both\"}}", POLICY_ASKS_REQUESTS, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct policy base = sample_default(), request = request_of(cases[i].request);
		struct fault_vec faults = { 0 };

		assert_int_equal(sample_read(&base, cases[i].base, POLICY_COFFER, &faults), 0);
		sample_resolve(&base);
		sample_resolve(&request);
		assert_int_equal(policy_merge(&base, &request, &arena, &faults), 0);
		assert_int_equal(base.network.asks, cases[i].asks);
		assert_int_equal(faults.n, cases[i].faults);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_questions) };

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

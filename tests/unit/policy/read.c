#include "policy/read.h"

#include "policy/merge.h"
#include "unit/policy/sample.h"

static struct policy accept(const char *text)
{
	struct policy policy = sample_default();
	struct fault_vec faults = { 0 };

	if (sample_read(&policy, text, POLICY_COFFER, &faults) < 0)
		fail_msg("%s %s: found %s, allowed %s", text, faults.at[0].pointer, faults.at[0].found, faults.at[0].allowed);
	assert_int_equal(faults.n, 0);
	return policy;
}

/* The document has exactly one fault, at pointer; and the policy is as it was. */
static struct policy_fault refuse(const char *text, const char *pointer)
{
	struct policy policy = sample_default(), before = policy;
	struct fault_vec faults = { 0 };

	assert_int_equal(sample_read(&policy, text, POLICY_COFFER, &faults), -EINVAL);
	assert_memory_equal(&policy, &before, sizeof(policy));
	if (faults.n != 1 || !faults.at[0].pointer || strcmp(faults.at[0].pointer, pointer) != 0)
		fail_msg("%s: %zu faults, the first at %s", text, faults.n, faults.n ? faults.at[0].pointer : "");
	return faults.at[0];
}

static void test_nothing(void **state)
{
	struct policy policy = accept("{}");

	(void)state;
	assert_int_equal(policy.given[0] | policy.given[1], 0);
}

static void test_documents_add(void **state)
{
	struct policy policy = accept(
	    "{\"filesystem\": {\"allowWrite\": [\"a\"]}, \"limits\": {\"memory\": \"1G\"}, \"environment\": {\"inherit\": [\"X\"]}}");
	struct fault_vec faults = { 0 };
	size_t n = policy.environment.inherit.n;

	(void)state;
	assert_int_equal(sample_read(&policy,
	                             "{\"filesystem\": {\"allowWrite\": [\"b\"]}, \"limits\": {\"memory\": \"2G\"},"
	                             " \"environment\": {\"inherit\": [\"X\", \"Y\"]}}",
	                             POLICY_COFFER, &faults),
	                 0);
	assert_int_equal(policy.filesystem.allow_write.n, 2);
	assert_int_equal(policy.limit[POLICY_LIMIT_MEMORY].value, 2ull << 30);
	assert_int_equal(policy.environment.inherit.n, n + 1);
}

static void test_text_that_is_no_json(void **state)
{
	static const char *const wrong[] = { "",
		                             "{",
		                             "{\"a\": }",
		                             "{} x",
		                             "{\"strict\": true, \"strict\": true}",
		                             "{\"process\": {\"hostname\": \"a\\u0000b\"}}",
		                             "{\"strict\": NaN}",
		                             "\xff",
		                             "{\"process\": {\"hostname\": \"\xff\"}}",
		                             "// x\n{}" };

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct policy policy = sample_default();
		struct fault_vec faults = { 0 };

		assert_true(sample_read(&policy, wrong[i], POLICY_COFFER, &faults) < 0);
		assert_int_equal(faults.n, 1);
		assert_string_equal(faults.at[0].source, "settings.json");
	}
}

static void test_unknown_keys(void **state)
{
	static const struct {
		const char *text, *pointer, *nearest;
	} unknown[] = {
		{ "{\"filesytem\": {}}", "/filesytem", "/filesystem" },
		{ "{\"Filesystem\": {}}", "/Filesystem", "/filesystem" },
		{ "{\"limits\": {\"memry\": 1}}", "/limits/memry", "/limits/memory" },
		{ "{\"filesystem\": {\"allowwrite\": []}}", "/filesystem/allowwrite", "/filesystem/allowWrite" },
		{ "{\"allowWrite\": []}", "/allowWrite", "/filesystem/allowWrite" },
		{ "{\"memory\": 1}", "/memory", "/limits/memory" },
		{ "{\"filesystem\": {\"memory\": 1}}", "/filesystem/memory", "/limits/memory" },
		{ "{\"limits\": {\"limits\": {}}}", "/limits/limits", "/limits" },
		{ "{\"zzzzzzzzzz\": 1}", "/zzzzzzzzzz", NULL },
		{ "{\"\": 1}", "/", NULL },
		{ "{\"limits/memory\": 1}", "/limits/memory", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(unknown); i++) {
		struct policy_fault fault = refuse(unknown[i].text, unknown[i].pointer);

		assert_string_equal(fault.found, "an unknown key");
		if (unknown[i].nearest)
			assert_string_equal(fault.nearest, unknown[i].nearest);
		else if (i < COUNT(unknown) - 2)
			assert_null(fault.nearest);
	}
}

static void test_every_mistake_at_once(void **state)
{
	struct policy policy = sample_default();
	struct fault_vec faults = { 0 };

	(void)state;
	assert_true(sample_read(&policy,
	                        "{\"strict\": 1, \"nope\": 1, \"filesystem\": {\"denyRead\": [\"\", 2, \"ok\"], \"allowRead\": 3},"
	                        " \"limits\": {\"memory\": \"x\", \"tmp\": \"1G\"}, \"environment\": {\"set\": {\"A\": 1, \"1\": \"\"}}}",
	                        POLICY_COFFER, &faults) < 0);
	assert_int_equal(faults.n, 8);
	assert_int_equal(policy.filesystem.deny_read.n, 0);
	assert_null(policy.limit[POLICY_LIMIT_TMP].why);
}

static void test_a_callers_older_faults_do_not_count(void **state)
{
	struct policy policy = sample_default();
	struct fault_vec faults = { 0 };

	(void)state;
	assert_true(sample_read(&policy, "{\"strict\": 1}", POLICY_COFFER, &faults) < 0);
	assert_int_equal(sample_read(&policy, "{\"strict\": true}", POLICY_COFFER, &faults), 0);
	assert_int_equal(faults.n, 1);
	assert_int_equal(sample_read(&policy, "{\"strict\": true}", POLICY_COFFER, NULL), 0);
}

/* --- Profiles in documents. ------------------------------------------------------------------------------------------------- */

static void test_a_document_tightens_its_profile(void **state)
{
	struct policy policy = accept(
	    "{\"profile\": \"agent\", \"limits\": {\"memory\": \"1G\", \"timeout\": \"5m\"}, \"filesystem\": {\"denyRead\": [\"x\"]}}");

	(void)state;
	assert_string_equal(policy.profile, "agent");
	sample_resolve(&policy);
	assert_access(&policy, "/home/u/w/a", true, true);
	assert_access(&policy, "/home/u/w/x", false, false);
	assert_int_equal(policy.limit[POLICY_LIMIT_MEMORY].value, 1ull << 30);
	assert_int_equal(policy.limit[POLICY_LIMIT_TIMEOUT].value, 300000);
	assert_null(policy.tighten);
}

static void test_what_is_ignored_is_the_first_documents(void **state)
{
	struct policy policy = accept("{\"profile\": \"agent\", \"ignoreViolations\": {\"*\": [\"/x\"]}}");
	struct policy request;

	(void)state;
	policy_init_request(&request);
	assert_int_equal(sample_read(&request, "{\"ignoreViolations\": {\"npm\": [\"/z\"]}}", POLICY_COFFER, NULL), 0);
	assert_int_equal(request.ignored.n, 1);
	assert_int_equal(policy_tighten(&policy, &request, &arena), 0);
	sample_resolve(&policy);
	assert_int_equal(policy.ignored.n, 1);
	assert_string_equal(policy.ignored.at[0].command, "*");
	assert_string_equal(policy.ignored.at[0].parts.at[0], "/x");
}

static void test_a_document_cannot_widen_its_profile(void **state)
{
	static const char *const wider[] = {
		"{\"profile\": \"agent\", \"filesystem\": {\"allowWrite\": [\"~\"]}}",
		"{\"profile\": \"agent\", \"limits\": {\"memory\": \"1T\"}}",
		"{\"profile\": \"build\", \"process\": {\"allowPtrace\": true}}",
		"{\"profile\": \"agent\", \"network\": {\"mode\": \"host\"}}",
		"{\"profile\": \"strict\", \"filesystem\": {\"allowRead\": [\"~/x\"]}}",
		"{\"profile\": \"strict\", \"workspace\": {\"path\": \"~\"}}",
		"{\"profile\": \"strict\", \"environment\": {\"inherit\": [\"SECRET\"]}}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wider); i++) {
		struct policy policy = accept(wider[i]);
		struct err err = { 0 };

		if (policy_resolve(&policy, &arena, "/home/u/w", "/home/u", &err) == 0)
			fail_msg("%s", wider[i]);
		assert_int_equal(err.code, ERR_POLICY);
	}
}

static void test_too_little_memory_is_an_error(void **state)
{
	static const char text[] =
	    "{\"profile\": \"agent\", \"limits\": {\"memory\": \"1G\"}, \"filesystem\": {\"denyRead\": [\"x\"]}, \"nope\": 1}";
	const struct policy_document document = { text, sizeof(text) - 1, "settings.json", POLICY_COFFER };

	(void)state;
	for (size_t ceiling = 0; ceiling < 20000; ceiling += 97) {
		struct policy policy = sample_default();
		struct err err = { 0 };
		struct arena small;

		arena_init(&small, ceiling);
		assert_true(policy_read(&policy, &small, &document, NULL, &err) < 0);
		assert_true(err.code == ERR_LIMIT || err.code == ERR_POLICY);
		arena_done(&small);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_documents_add),
		cmocka_unit_test(test_text_that_is_no_json),
		cmocka_unit_test(test_unknown_keys),
		cmocka_unit_test(test_every_mistake_at_once),
		cmocka_unit_test(test_a_callers_older_faults_do_not_count),
		cmocka_unit_test(test_a_document_tightens_its_profile),
		cmocka_unit_test(test_what_is_ignored_is_the_first_documents),
		cmocka_unit_test(test_a_document_cannot_widen_its_profile),
		cmocka_unit_test(test_too_little_memory_is_an_error),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

#include "policy/print.h"

#include "base/json.h"
#include "policy/profiles.h"
#include "unit/policy/sample.h"

static const char *print(const struct policy *policy)
{
	const char *text;
	struct str out;

	str_init(&out, 1 << 20);
	policy_print_json(policy, &out);
	assert_false(out.failed);
	text = arena_dup(&arena, out.text);
	str_done(&out);
	return text;
}

/* What is printed reads as a document, and prints the same again. */
static void check_again(const struct policy *policy, enum policy_dialect dialect)
{
	struct policy again = sample_default();
	struct fault_vec faults = { 0 };
	const char *text = print(policy);

	if (dialect == POLICY_SRT)
		assert_int_equal(policy_init_srt(&again, &arena), 0);
	if (sample_read(&again, text, dialect, &faults) < 0)
		fail_msg("%s: %s", faults.at[0].pointer, text);
	assert_string_equal(print(&again), text);
}

static void test_default(void **state)
{
	struct policy policy = sample_default();

	(void)state;
	check_again(&policy, POLICY_COFFER);
	sample_resolve(&policy);
	check_again(&policy, POLICY_COFFER);
	assert_null(strstr(print(&policy), ".ssh")); /* derived rules are not anybody's words */
	assert_int_equal(policy_init_srt(&policy, &arena), 0);
	check_again(&policy, POLICY_SRT);
}

static void test_profiles(void **state)
{
	const struct policy_profile_info *info;

	(void)state;
	for (size_t i = 0; (info = policy_profile_at(i)); i++) {
		struct policy policy = sample_default();

		assert_int_equal(policy_read(&policy, &arena, &info->document, NULL, NULL), 0);
		check_again(&policy, POLICY_COFFER);
	}
}

static void check_field(const char *text, const char *pointer, const char *wanted)
{
	struct policy policy = sample_default();
	struct fault_vec faults = { 0 };
	struct str out;

	assert_int_equal(sample_read(&policy, text, POLICY_COFFER, &faults), 0);
	str_init(&out, 1 << 16);
	policy_print_field(&policy, policy_field_by_pointer(pointer), &out);
	assert_string_equal(out.text, wanted);
	str_done(&out);
	check_again(&policy, POLICY_COFFER);
}

static void test_fields(void **state)
{
	(void)state;
	check_field("{\"ignoreViolations\": {\"*\": [\"/usr/bin\", \"\"], \"git push\": [\"/x\"], \"none\": []}}", "/ignoreViolations",
	            "{\"*\": [\"/usr/bin\", \"\"], \"git push\": [\"/x\"]}");
	check_field("{\"limits\": {\"memory\": 1073741824}}", "/limits/memory", "\"1G\"");
	check_field("{\"limits\": {\"memory\": 1000}}", "/limits/memory", "\"1000\"");
	check_field("{\"limits\": {\"memory\": 1536}}", "/limits/memory", "\"1536\"");
	check_field("{\"limits\": {\"memory\": \"unlimited\"}}", "/limits/memory", "\"unlimited\"");
	check_field("{\"limits\": {\"memory\": 0}}", "/limits/memory", "\"0\"");
	check_field("{\"limits\": {\"timeout\": \"1h\"}}", "/limits/timeout", "\"3600s\"");
	check_field("{\"limits\": {\"timeout\": 0.25}}", "/limits/timeout", "\"250ms\"");
	check_field("{\"limits\": {\"cpus\": 2}}", "/limits/cpus", "2");
	check_field("{\"limits\": {\"cpus\": 0.05}}", "/limits/cpus", "\"0.05\"");
	check_field("{\"limits\": {\"processes\": \"9223372036854775809\"}}", "/limits/processes", "\"9223372036854775809\"");
	check_field("{\"process\": {\"umask\": \"7\"}}", "/process/umask", "\"007\"");
	check_field("{\"network\": {\"mode\": \"host\"}}", "/network/mode", "\"host\"");
	check_field("{\"filesystem\": {\"denyRead\": [\"a\\\"b\\n\", {\"path\": \"[x]\", \"literal\": true}]}}", "/filesystem/denyRead",
	            "[\"a\\\"b\\n\", {\"path\": \"[x]\", \"literal\": true}]");
	check_field("{\"workspace\": {\"path\": \"~/x\"}}", "/workspace/path", "\"~/x\"");
	check_field("{}", "/workspace/path", "");
}

static void test_secrets(void **state)
{
	(void)state;
	check_field("{\"environment\": {\"set\": {\"API_TOKEN\": \"hunter2\", \"CI\": \"1\", \"GONE\": null}}}", "/environment/set",
	            "{\"API_TOKEN\": \"•••\", \"CI\": \"1\", \"GONE\": null}");
}

static void test_schema(void **state)
{
	struct policy policy = sample_default();
	struct err err = { 0 };
	struct str out;
	json_t *root = NULL;
	const char *memory = "";

	(void)state;
	str_init(&out, 1 << 20);
	policy_print_schema(&policy, &out);
	assert_false(out.failed);
	if (json_read(out.text, out.len, "schema", &root, &err) < 0)
		fail_msg("%s", err.text);
	for (const struct policy_field *field = policy_field_next(NULL); field; field = policy_field_next(field)) {
		const char *name = field->pointer + 1, *slash = strchr(name, '/');
		json_t *properties = json_object_get(root, "properties"), *property;

		if (slash)
			properties = json_object_get(json_object_getn(properties, name, (size_t)(slash - name)), "properties");
		property = json_object_get(properties, slash ? slash + 1 : name);
		assert_true(json_is_object(property));
		assert_string_equal(json_string_value(json_object_get(property, "description")), field->sentence);
		if (strcmp(field->pointer, "/limits/memory") == 0)
			memory = json_string_value(json_object_get(property, "default"));
	}
	assert_string_equal(memory, "4G");
	json_decref(root);
	str_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default), cmocka_unit_test(test_profiles), cmocka_unit_test(test_fields),
		cmocka_unit_test(test_secrets), cmocka_unit_test(test_schema),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

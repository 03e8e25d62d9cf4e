#include <coffer.h>

#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct coffer_policy *policy;
static struct coffer_error error;

static int set_up(void **state)
{
	(void)state;
	memset(&error, 0, sizeof(error));
	return coffer_policy_new(&policy, &error);
}

static int tear_down(void **state)
{
	(void)state;
	coffer_policy_free(policy);
	return 0;
}

static void expect_setting(const char *name, const char *json)
{
	char *text = NULL;

	assert_int_equal(coffer_policy_get(policy, name, &text, &error), 0);
	assert_string_equal(text, json);
	coffer_text_free(text);
}

static int read_text(const char *text)
{
	return coffer_policy_read(policy, text, strlen(text), "s.json", &error);
}

static void test_set_and_get(void **state)
{
	(void)state;
	assert_int_equal(coffer_policy_set(policy, "limits.memory", "512M", &error), 0);
	expect_setting("/limits/memory", "\"512M\"");
	assert_int_equal(coffer_policy_set_why(policy, "/network/mode", "host", "--network", &error), 0);
	expect_setting("network.mode", "\"host\"");
	assert_int_equal(coffer_policy_set(policy, "filesystem.allowWrite", "a", &error), 0);
	assert_int_equal(coffer_policy_set(policy, "filesystem.allowWrite", "b", &error), 0);
	expect_setting("filesystem.allowWrite", "[\"a\", \"b\"]");
}

static void test_what_cannot_be_set(void **state)
{
	(void)state;
	assert_true(coffer_policy_set(policy, "limits.memoory", "512M", &error) < 0);
	assert_int_equal(error.code, COFFER_ERROR_USAGE);
	assert_true(coffer_policy_set(policy, "limits.memory", "12 bananas", &error) < 0);
	assert_int_equal(error.code, COFFER_ERROR_POLICY);
	assert_non_null(strstr(error.text, "bananas"));
	assert_true(coffer_policy_set(policy, "bwrapPath", "/x", &error) < 0);
	assert_true(coffer_policy_set(policy, "", "x", NULL) < 0);
	assert_true(coffer_policy_allow_write(policy, "", &error) < 0);
	assert_true(coffer_policy_variable(policy, "A=B", "x", &error) < 0);
}

static void test_all_problems_at_once(void **state)
{
	size_t n = 0;

	(void)state;
	assert_true(read_text("{\"limits\": {\"memory\": true, \"timeuot\": 3}, \"network\": {\"mode\": \"on\"}, \"filesytem\": {}}") < 0);
	for (const struct coffer_error *problem; (problem = coffer_policy_problem(policy, n)); n++) {
		assert_int_equal(problem->code, COFFER_ERROR_POLICY);
		assert_non_null(strstr(problem->where, "s.json /"));
	}
	assert_int_equal(n, 4);
	expect_setting("network.mode", "\"off\"");
	assert_int_equal(read_text("{}"), 0);
	assert_null(coffer_policy_problem(policy, 0));
}

static void test_later_documents_tighten(void **state)
{
	char *text = NULL;

	(void)state;
	assert_int_equal(read_text("{\"limits\": {\"memory\": \"1G\"}, \"network\": {\"mode\": \"host\"}}"), 0);
	assert_int_equal(read_text("{\"limits\": {\"memory\": \"256M\"}, \"network\": {\"mode\": \"off\"}}"), 0);
	assert_int_equal(coffer_policy_text(policy, &text, &error), 0);
	assert_non_null(strstr(text, "\"256M\""));
	assert_non_null(strstr(text, "\"mode\": \"off\""));
	coffer_text_free(text);
}

static void test_later_documents_cannot_widen(void **state)
{
	char *text = NULL;

	(void)state;
	assert_int_equal(coffer_policy_profile(policy, "strict", &error), 0);
	assert_int_equal(read_text("{\"network\": {\"mode\": \"host\"}}"), 0);
	assert_true(coffer_policy_text(policy, &text, &error) < 0);
	assert_null(text);
}

static void test_text_reads_back(void **state)
{
	char *one = NULL, *two = NULL;
	struct coffer_policy *other = NULL;

	(void)state;
	assert_int_equal(coffer_policy_profile(policy, "agent", &error), 0);
	assert_int_equal(coffer_policy_variable(policy, "NAME", "value", &error), 0);
	assert_int_equal(coffer_policy_deny_read(policy, "/srv/[x]", &error), 0);
	assert_int_equal(coffer_policy_text(policy, &one, &error), 0);
	assert_int_equal(coffer_policy_new(&other, &error), 0);
	assert_int_equal(coffer_policy_read(other, one, strlen(one), "again", &error), 0);
	assert_int_equal(coffer_policy_text(other, &two, &error), 0);
	assert_string_equal(one, two);
	coffer_policy_free(other);
	coffer_text_free(one);
	coffer_text_free(two);
}

static void test_files(void **state)
{
	char path[] = "/tmp/coffer-unit.XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "{\"strict\": true}", 16), 16);
	assert_int_equal(coffer_policy_read_file(policy, path, &error), 0);
	expect_setting("strict", "true");
	close(fd);
	unlink(path);
	assert_int_equal(coffer_policy_read_file(policy, path, &error), -ENOENT);
	assert_int_equal(error.code, COFFER_ERROR_NOTFOUND);
	assert_int_equal(coffer_policy_read_file(policy, "/", &error), -EISDIR);
}

static void test_profiles(void **state)
{
	(void)state;
	for (size_t i = 0; coffer_profile_at(i); i++) {
		struct coffer_policy *fresh = NULL;
		assert_non_null(coffer_profile_sentence(i));
		assert_int_equal(coffer_policy_new(&fresh, &error), 0);
		assert_int_equal(coffer_policy_profile(fresh, coffer_profile_at(i), &error), 0);
		coffer_policy_free(fresh);
	}
	assert_true(coffer_policy_profile(policy, "lax", &error) < 0);
	assert_non_null(strstr(error.text, "strict"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_set_and_get, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_cannot_be_set, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_all_problems_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_later_documents_tighten, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_later_documents_cannot_widen, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_text_reads_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_profiles, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("api/policy", tests, NULL, NULL);
}

#include <coffer.h>

#include "unit/unit.h"

#include <signal.h>
#include <unistd.h>

static struct coffer *coffer;
static struct coffer_policy *policy;
static struct coffer_error error;
static const char *const argv[] = { "true", NULL };

static int set_up(void **state)
{
	(void)state;
	return coffer_new(&coffer, &error) < 0 || coffer_policy_new(&policy, &error) < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	coffer_policy_free(policy);
	coffer_free(coffer);
	return 0;
}

static void test_needs_a_command(void **state)
{
	static const char *const none[] = { NULL }, *const empty[] = { "", NULL };
	struct coffer_request *request = NULL;

	(void)state;
	assert_int_equal(coffer_request_new(coffer, policy, none, &request, &error), -EINVAL);
	assert_int_equal(coffer_request_new(coffer, policy, empty, &request, &error), -EINVAL);
	assert_int_equal(error.code, COFFER_ERROR_USAGE);
	assert_null(request);
}

static void test_explains_the_same_twice(void **state)
{
	struct coffer_request *request = NULL;
	char *one = NULL, *two = NULL, *json = NULL;

	(void)state;
	assert_int_equal(coffer_request_new(coffer, policy, argv, &request, &error), 0);
	assert_int_equal(coffer_request_directory(request, "/usr", &error), 0);
	if (coffer_explain(request, COFFER_TEXT, &one, &error) < 0)
		fail_msg("%s: %s", error.where, error.text);
	assert_int_equal(coffer_explain(request, COFFER_TEXT, &two, &error), 0);
	assert_int_equal(coffer_explain(request, COFFER_JSON, &json, &error), 0);
	assert_string_equal(one, two);
	assert_non_null(strstr(one, "EXEC"));
	assert_int_equal(*json, '{');
	coffer_text_free(one);
	coffer_text_free(two);
	coffer_text_free(json);
	coffer_request_free(request);
}

static void test_directory_must_exist(void **state)
{
	struct coffer_request *request = NULL;
	char *text = NULL;

	(void)state;
	assert_int_equal(coffer_request_new(coffer, policy, argv, &request, &error), 0);
	assert_int_equal(coffer_request_directory(request, "/nonexistent/x", &error), 0);
	assert_int_equal(coffer_explain(request, COFFER_TEXT, &text, &error), -ENOENT);
	assert_int_equal(error.code, COFFER_ERROR_NOTFOUND);
	assert_non_null(strstr(error.text, "/nonexistent/x"));
	coffer_request_free(request);
}

static void test_odd_signals(void **state)
{
	static const int good[] = { SIGINT, SIGTERM }, bad[] = { SIGINT, 4711 };
	struct coffer_request *request = NULL;

	(void)state;
	assert_int_equal(coffer_request_new(coffer, policy, argv, &request, &error), 0);
	assert_int_equal(coffer_request_forward(request, good, 2, &error), 0);
	assert_int_equal(coffer_request_forward(request, bad, 2, &error), -EINVAL);
	coffer_request_free(request);
}

static void test_input_is_kept(void **state)
{
	struct coffer_request *request = NULL;

	(void)state;
	assert_int_equal(coffer_request_new(coffer, policy, argv, &request, &error), 0);
	assert_int_equal(coffer_request_input(request, "one", 3, &error), 0);
	assert_int_equal(coffer_request_input(request, "", 0, &error), 0);
	coffer_request_streams(request, -1, -1, -1);
	coffer_request_free(request);
}

static void test_nothing_to_free(void **state)
{
	(void)state;
	coffer_request_free(NULL);
	coffer_policy_free(NULL);
	coffer_outcome_free(NULL);
	coffer_text_free(NULL);
	coffer_free(NULL);
}

static void test_paths_of_the_context(void **state)
{
	struct coffer *other = NULL;

	(void)state;
	assert_int_equal(coffer_new(&other, &error), 0);
	assert_int_equal(coffer_set_launcher(other, "relative", &error), -EINVAL);
	assert_int_equal(coffer_set_state_dir(other, "/a/../b", &error), -EINVAL);
	assert_int_equal(coffer_set_state_dir(other, "/a/b", &error), 0);
	coffer_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_needs_a_command),      cmocka_unit_test(test_explains_the_same_twice),
		cmocka_unit_test(test_directory_must_exist), cmocka_unit_test(test_odd_signals),
		cmocka_unit_test(test_input_is_kept),        cmocka_unit_test(test_nothing_to_free),
		cmocka_unit_test(test_paths_of_the_context),
	};

	return cmocka_run_group_tests_name("api/request", tests, set_up, tear_down);
}

#include "policy/environment.h"

#include "unit/policy/sample.h"

/* The entries, each with a newline. */
static const char *build(const struct policy *policy, const char *const *caller)
{
	struct policy_variable tmpdir = { "TMPDIR", "/tmp", NULL };
	const char *const *env, *text = "";

	assert_int_equal(policy_environment_build(policy, &arena, caller, &(struct variable_vec){ .at = &tmpdir, .n = 1 }, &env), 0);
	for (; *env; env++)
		text = arena_printf(&arena, "%s%s\n", text, *env);
	return text;
}

static void test_default_list(void **state)
{
	static const char *const caller[] = { "PATH=/usr/bin",
		                              "HOME=/home/u",
		                              "LANG=C",
		                              "LC_ALL=C.UTF-8",
		                              "TERM=xterm",
		                              "AWS_SECRET_ACCESS_KEY=x",
		                              "GITHUB_TOKEN=x",
		                              "LD_PRELOAD=/x.so",
		                              "LD_LIBRARY_PATH=/x",
		                              "SSH_AUTH_SOCK=/x",
		                              "DBUS_SESSION_BUS_ADDRESS=x",
		                              "DISPLAY=:0",
		                              "http_proxy=x",
		                              "HTTPS_PROXY=x",
		                              "BASH_ENV=/x",
		                              "ENV=/x",
		                              "PYTHONSTARTUP=/x",
		                              "NODE_OPTIONS=--require=/x",
		                              "GIT_SSH_COMMAND=x",
		                              "BASH_FUNC_ls%%=() { :; }",
		                              "PROMPT_COMMAND=x",
		                              "XDG_RUNTIME_DIR=/run/user/1",
		                              NULL };
	struct policy policy = sample_default();

	(void)state;
	assert_string_equal(build(&policy, caller),
	                    "PATH=/usr/bin\nHOME=/home/u\nLANG=C\nLC_ALL=C.UTF-8\nTERM=xterm\nCOFFER=1\nTMPDIR=/tmp\n");
	assert_string_equal(build(&policy, NULL), "COFFER=1\nTMPDIR=/tmp\n");
}

static void test_nothing_dangerous_is_on_the_default_list(void **state)
{
	struct policy policy = sample_default();

	(void)state;
	for (size_t i = 0; i < policy.environment.inherit.n; i++) {
		const char *name = policy.environment.inherit.at[i];

		assert_true(environment_name_is_valid(name, true));
		assert_false(environment_name_is_secret(name));
		assert_int_not_equal(name[0], '*');
		assert_false(strncmp(name, "LD_", 3) == 0 || strstr(name, "PROXY") || strstr(name, "SOCK") || strstr(name, "OPTIONS"));
	}
}

static void test_odd_entries(void **state)
{
	static const char *const caller[] = { "PATH=first", "PATH=second", "=x",           "",         "HOME", "1A=x", "A B=x",
		                              "LANG=",      "TERM=a=b",    "TMPDIR=/mine", "COFFER=0", NULL };
	struct policy policy = sample_default();

	(void)state;
	assert_string_equal(build(&policy, caller), "PATH=first\nLANG=\nTERM=a=b\nCOFFER=1\nTMPDIR=/tmp\n");
	assert_int_equal(environment_inherit_all(&policy, &arena), 0);
	assert_string_equal(build(&policy, caller), "PATH=first\nLANG=\nTERM=a=b\nTMPDIR=/tmp\nCOFFER=1\n");
}

static void test_set_wins(void **state)
{
	static const char *const caller[] = { "PATH=/usr/bin", "HOME=/home/u", "TERM=xterm", NULL };
	struct policy policy = sample_default();

	(void)state;
	assert_int_equal(environment_set(&policy, &arena, "HOME", "/tmp", "test"), 0);
	assert_int_equal(environment_set(&policy, &arena, "TERM", NULL, "test"), 0);
	assert_int_equal(environment_set(&policy, &arena, "TMPDIR", "/tmp/x", "test"), 0);
	assert_int_equal(environment_set(&policy, &arena, "NEW", "a", "test"), 0);
	assert_int_equal(environment_set(&policy, &arena, "NEW", "b\nc", "test"), 0);
	assert_string_equal(build(&policy, caller), "PATH=/usr/bin\nCOFFER=1\nHOME=/tmp\nTMPDIR=/tmp/x\nNEW=b\nc\n");
}

static void test_copies_do_not_share_what_is_set(void **state)
{
	struct policy policy = sample_default(), copy;

	(void)state;
	assert_int_equal(environment_set(&policy, &arena, "A", "1", "test"), 0);
	copy = policy;
	assert_int_equal(environment_set(&copy, &arena, "A", "2", "test"), 0);
	assert_int_equal(environment_set(&copy, &arena, "B", "2", "test"), 0);
	assert_string_equal(policy.environment.set.at[0].value, "1");
	assert_int_equal(policy.environment.set.n, 1);
}

static void test_names(void **state)
{
	static const char *const good[] = { "A", "_", "a1", "_9", "PATH" };
	static const char *const bad[] = { "", "1", "A-B", "A B", "A=", "=", "\xc3\xa4", "A*B", "A\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(environment_name_is_valid(good[i], false));
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_false(environment_name_is_valid(bad[i], false));
		assert_false(environment_name_is_valid(bad[i], true));
	}
	assert_true(environment_name_is_valid("LC_*", true));
	assert_true(environment_name_is_valid("*", true));
	assert_false(environment_name_is_valid("LC_*", false));
	assert_false(environment_name_is_valid("**", true));
}

static void test_secrets(void **state)
{
	static const char *const secret[] = { "GITHUB_TOKEN", "aws_secret_access_key", "DB_PASSWORD", "OPENAI_API_KEY", "PGPASSWORD",
		                              "NPM_AUTH" };
	static const char *const plain[] = { "PATH", "HOME", "KEYBOARD", "TERM" };

	(void)state;
	for (size_t i = 0; i < COUNT(secret); i++)
		assert_true(environment_name_is_secret(secret[i]));
	for (size_t i = 0; i < COUNT(plain); i++)
		assert_false(environment_name_is_secret(plain[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default_list),
		cmocka_unit_test(test_nothing_dangerous_is_on_the_default_list),
		cmocka_unit_test(test_odd_entries),
		cmocka_unit_test(test_set_wins),
		cmocka_unit_test(test_copies_do_not_share_what_is_set),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_secrets),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

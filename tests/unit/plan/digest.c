#include "plan/print.h"

#include "unit/plan/sample.h"

#include <string.h>

struct kept {
	const char *rules, *secrets, *key, *shown;
};

static void digest_of(const struct kept *kept, char ret_hex[SHA256_BYTES * 2 + 1])
{
	const void *filter = sample_filter;
	struct arena arena;
	struct plan_build b;
	struct plan plan;
	struct err err = { 0 };

	arena_init(&arena, 1 << 20);
	plan_build_init(&b, &arena);
	plan_add(&b, OP_EGRESS, "default", (const void *)kept->rules, strlen(kept->rules), (const void *)kept->secrets,
	         strlen(kept->secrets), N(0));
	plan_add(&b, OP_SPAWN, "default", N(SAMPLE_NAMESPACES));
	plan_add(&b, OP_CAPS_DROP, "");
	plan_add(&b, OP_NO_NEW_PRIVS, "");
	plan_add(&b, OP_CLOSE_FDS, "");
	plan_add(&b, OP_SECCOMP, "default", filter, sizeof(sample_filter), N(0));
	plan_add(&b, OP_EXEC, "", LIST("/bin/true"), LIST("true"), LIST("A=b", kept->key, kept->shown));
	if (plan_build_done(&b, &plan, &err) < 0)
		fail_msg("%s: %s", err.where, err.text);
	plan_digest(&plan, ret_hex);
	arena_done(&arena);
}

static bool same(const struct kept *a, const struct kept *b)
{
	char left[SHA256_BYTES * 2 + 1], right[SHA256_BYTES * 2 + 1];

	digest_of(a, left);
	digest_of(b, right);
	return strcmp(left, right) == 0;
}

static void secrets_do_not_count(void **state)
{
	const struct kept plan = { "{\"a\": 1}", "{\"secret\": \"s3cret\"}", "API_KEY=one", "NAME=x" };
	struct kept other = plan;

	(void)state;
	other.secrets = "{\"secret\": \"0ther!\"}";
	assert_true(same(&plan, &other));
	other.key = "API_KEY=two";
	assert_true(same(&plan, &other));
}

static void all_else_does(void **state)
{
	const struct kept plan = { "{\"a\": 1}", "", "API_KEY=one", "NAME=x" };
	struct kept other = plan;

	(void)state;
	assert_true(same(&plan, &other));
	other.rules = "{\"a\": 2}";
	assert_false(same(&plan, &other));
	other = plan;
	other.key = "API_KEZ=one";
	assert_false(same(&plan, &other));
	other = plan;
	other.shown = "NAME=y";
	assert_false(same(&plan, &other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets_do_not_count),
		cmocka_unit_test(all_else_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

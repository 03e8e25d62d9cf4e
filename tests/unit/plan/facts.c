#include "plan/facts.h"

#include "unit/unit.h"

#include <stdlib.h>

static struct arena arena;

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, 1 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static const struct facts some = {
	.kernel = "6.18.44",
	.arch = "x86_64",
	.uid = 1000,
	.gid = UINT32_MAX,
	.root = true,
	.first_user_namespace = true,
	.uid_above = 1001,
	.sandbox_uid = 0x7c0f0001,
	.user_namespaces_why = "kernel.unprivileged_userns_clone = 0 \"é\"",
	.landlock_abi = 7,
	.seccomp_notify = true,
	.tracing_why = "kernel.yama",
	.mount_api = true,
	.nftables = true,
	.proc_mountable = true,
	.memory = { FACTS_CGROUP_V2, "/sys/fs/cgroup/user.slice" },
	.pids = { FACTS_CGROUP_V1, "/sys/fs/cgroup/pids/x" },
	.cgroup_kill = true,
	.cpus = 2,
	.memory_bytes = 1ull << 40,
};

static void print(const struct facts *facts, struct str *out)
{
	str_init(out, 1 << 16);
	facts_print_json(facts, out);
	assert_false(out->failed);
}

static void test_round_trip(void **state)
{
	struct facts back;
	struct err err = { 0 };
	struct str first autostr, second autostr;

	(void)state;
	print(&some, &first);
	if (facts_read(&arena, first.text, first.len, "facts.json", &back, &err) < 0)
		fail_msg("%s: %s", err.where, err.text);
	print(&back, &second);
	assert_string_equal(first.text, second.text);
	assert_string_equal(back.user_namespaces_why, some.user_namespaces_why);
	assert_int_equal(back.gid, UINT32_MAX);
	assert_int_equal(back.memory_bytes, 1ull << 40);
	assert_int_equal(back.pids.version, FACTS_CGROUP_V1);
	assert_string_equal(back.memory.dir, "/sys/fs/cgroup/user.slice");
	assert_null(back.freezer.dir);
	assert_true(back.root);
	assert_false(back.user_namespaces);
}

/* The printed facts with the first `from` replaced: must be refused at this pointer and with this beginning. */
static void refuse(const char *from, const char *to, const char *pointer, const char *said)
{
	struct facts back = { .cpus = 99 };
	struct err err = { 0 };
	struct str text autostr, changed autostr;

	print(&some, &text);
	str_init(&changed, 1 << 16);

	const char *at = strstr(text.text, from);

	assert_non_null(at);
	str_add_n(&changed, text.text, (size_t)(at - text.text));
	str_add(&changed, to);
	str_add(&changed, at + strlen(from));
	assert_int_equal(facts_read(&arena, changed.text, changed.len, "f.json", &back, &err), -EINVAL);
	assert_int_equal(err.code, ERR_POLICY);
	assert_string_equal(err.where, pointer);
	if (strncmp(err.text, said, strlen(said)) != 0)
		fail_msg("\"%s\" does not begin with \"%s\"", err.text, said);
	assert_int_equal(back.cpus, 99);
}

static void test_refusals_name_their_place(void **state)
{
	(void)state;
	refuse("\"kernel\"", "\"kernal\"", "f.json /kernal", "no such fact");
	refuse("\"cpus\": 2,", "", "f.json /cpus", "a number from 0 to 4294967295 is wanted, found nothing");
	refuse("\"cpus\": 2", "\"cpus\": \"2\"", "f.json /cpus", "a number from 0 to 4294967295 is wanted, found string \"2\"");
	refuse("\"cpus\": 2", "\"cpus\": -2", "f.json /cpus", "a number from 0 to 4294967295 is wanted, found number -2");
	refuse("\"cpus\": 2", "\"cpus\": 4294967296", "f.json /cpus", "a number");
	refuse("\"cpus\": 2", "\"cpus\": 2.0", "f.json /cpus", "a number");
	refuse("\"root\": true", "\"root\": 1", "f.json /root", "true or false is wanted, found number 1");
	refuse("\"6.18.44\"", "null", "f.json /kernel", "a string is wanted, found null");
	refuse("\"v2\"", "\"v3\"", "f.json /memory/version", "\"none\", \"v1\" or \"v2\" is wanted, found string \"v3\"");
	refuse("\"/sys/fs/cgroup/user.slice\"", "\"relative\"", "f.json /memory/dir", "an absolute, normal path is wanted");
	refuse("\"/sys/fs/cgroup/user.slice\"", "null", "f.json /memory/dir", "an absolute, normal path is wanted, found null");
	refuse("\"none\", \"dir\": null", "\"none\", \"dir\": \"/x\"", "f.json /cpu/dir", "null is wanted, found string");
	refuse("\"dir\"", "\"path\"", "f.json /memory/path", "no such fact");
	refuse("{\"version\": \"v2\", \"dir\": \"/sys/fs/cgroup/user.slice\"}", "3", "f.json /memory", "an object is wanted");
	refuse("\"arch\"", "\"kernel\"", "f.json", "line 3, column 10: duplicate object key");
	refuse("{\n", "[\n", "f.json", "line ");
}

static void test_not_an_object(void **state)
{
	struct facts back;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(facts_read(&arena, "[]", 2, "f.json", &back, &err), -EINVAL);
	assert_string_equal(err.text, "an object is wanted, found array of 0");
}

static void test_out_of_memory(void **state)
{
	struct arena none = { 0 };
	struct facts back;
	struct err err = { 0 };
	struct str text autostr;

	(void)state;
	print(&some, &text);
	assert_int_equal(facts_read(&none, text.text, text.len, "f.json", &back, &err), -ENOMEM);
	assert_int_equal(err.code, ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_refusals_name_their_place),
		cmocka_unit_test(test_not_an_object),
		cmocka_unit_test(test_out_of_memory),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

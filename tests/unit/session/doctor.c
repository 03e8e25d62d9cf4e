#include "session/doctor.h"

#include "unit/unit.h"

static struct arena arena;
static const struct facts all = { .kernel = "6.18.0",
	                          .arch = "x86_64",
	                          .user_namespaces = true,
	                          .landlock_abi = 7,
	                          .seccomp_notify = true,
	                          .mount_api = true,
	                          .idmapped_mounts = true,
	                          .proc_mountable = true,
	                          .memory = { FACTS_CGROUP_V2, "/sys/fs/cgroup/u" },
	                          .pids = { FACTS_CGROUP_V2, "/sys/fs/cgroup/u" },
	                          .cpu = { FACTS_CGROUP_V2, "/sys/fs/cgroup/u" },
	                          .swap_accounting = true };

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, 16 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static struct doctor_finding find(const struct facts *facts, const char *name)
{
	struct doctor_vec findings = { 0 };

	assert_int_equal(doctor_examine(facts, &arena, &findings), 0);
	for (size_t i = 0; i < findings.n; i++)
		if (strcmp(findings.at[i].name, name) == 0)
			return findings.at[i];
	fail_msg("no finding %s", name);
	return findings.at[0];
}

static void test_all_is_well(void **state)
{
	struct doctor_vec findings = { 0 };

	(void)state;
	assert_int_equal(doctor_examine(&all, &arena, &findings), 0);
	assert_true(findings.n >= 10);
	for (size_t i = 0; i < findings.n; i++) {
		assert_int_equal(findings.at[i].health, DOCTOR_FINE);
		assert_null(findings.at[i].fix);
		assert_non_null(findings.at[i].text);
	}
}

static void test_user_namespaces(void **state)
{
	struct facts facts = all;

	(void)state;
	facts.user_namespaces = false;
	facts.user_namespaces_why = "user.max_user_namespaces is 0";

	struct doctor_finding finding = find(&facts, "user namespaces");

	assert_int_equal(finding.health, DOCTOR_MISSING);
	assert_string_equal(finding.fix, "sudo sysctl -w user.max_user_namespaces=15000");
	facts.user_namespaces_why = "the kernel refused them: Operation not permitted";
	assert_non_null(strstr(find(&facts, "user namespaces").fix, "seccomp=unconfined"));
	facts.user_namespaces_why = "the kernel refuses them to this process, as it does in a chroot";
	assert_non_null(strstr(find(&facts, "user namespaces").fix, "pivot_root"));
}

static void test_landlock(void **state)
{
	struct facts facts = all;

	(void)state;
	facts.landlock_abi = 3;
	assert_int_equal(find(&facts, "Landlock").health, DOCTOR_WEAK);
	assert_non_null(strstr(find(&facts, "Landlock").text, "TCP"));
	facts.landlock_abi = 0;
	assert_int_equal(find(&facts, "Landlock").health, DOCTOR_WEAK);
	assert_non_null(find(&facts, "Landlock").fix);
	facts.user_namespaces = false;
	assert_int_equal(find(&facts, "Landlock").health, DOCTOR_MISSING);
}

static void test_tracing(void **state)
{
	struct facts facts = all;

	(void)state;
	facts.tracing_why = "kernel.yama.ptrace_scope is more than 1";

	struct doctor_finding finding = find(&facts, "seccomp notification");

	assert_int_equal(finding.health, DOCTOR_WEAK);
	assert_string_equal(finding.fix, "sudo sysctl -w kernel.yama.ptrace_scope=1");
}

static void test_what_is_weak_has_a_fix(void **state)
{
	static const struct facts bare = { .kernel = "5.4.0", .arch = "x86_64", .user_namespaces = true, .root = true };
	struct doctor_vec findings = { 0 };

	(void)state;
	assert_int_equal(doctor_examine(&bare, &arena, &findings), 0);
	for (size_t i = 0; i < findings.n; i++)
		if (findings.at[i].health != DOCTOR_FINE)
			assert_non_null(findings.at[i].fix);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_is_well, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_user_namespaces, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_landlock, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tracing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_weak_has_a_fix, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("session/doctor", tests, NULL, NULL);
}

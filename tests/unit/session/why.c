#include "session/why.h"

#include "policy/merge.h"
#include "policy/read.h"

#include "unit/unit.h"

static struct arena arena;
static struct policy policy;

/* The default policy with "ws" writable but for one directory of the user's own choice. */
static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, 16 << 20);
	assert_int_equal(policy_init(&policy, &arena), 0);
	assert_int_equal(policy_add_rule(&arena, &policy.filesystem.allow_write, "/ws", false, "--write"), 0);
	assert_int_equal(policy_add_rule(&arena, &policy.filesystem.deny_write, "/ws/kept", false, "--deny-write"), 0);
	assert_int_equal(policy_resolve(&policy, &arena, "/ws", "/home/u", NULL), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static struct denial explain(const char *operation, const char *target, int errnum)
{
	struct denial denial = { .process = "p", .operation = operation, .target = target, .errnum = errnum };
	why_explain(&policy, &denial, &arena);
	return denial;
}

static void expect(struct denial denial, const char *remedy, const char *settings)
{
	if (!remedy) {
		assert_null(denial.remedy);
		assert_null(denial.settings);
		return;
	}
	assert_non_null(denial.remedy);
	assert_string_equal(denial.remedy, remedy);
	assert_string_equal(denial.settings, settings);
}

static void test_write_outside(void **state)
{
	(void)state;
	expect(explain("open", "/usr/lib/x", EROFS), "--allow-write /usr/lib/x", "{\"filesystem\": {\"allowWrite\": [\"/usr/lib/x\"]}}");
	expect(explain("truncate", "/usr/lib/x", EROFS), "--allow-write /usr/lib/x",
	       "{\"filesystem\": {\"allowWrite\": [\"/usr/lib/x\"]}}");
}

static void test_name_outside_opens_its_directory(void **state)
{
	(void)state;
	expect(explain("create", "/srv/out/new", EROFS), "--allow-write /srv/out", "{\"filesystem\": {\"allowWrite\": [\"/srv/out\"]}}");
	expect(explain("rename", "/srv/a", EROFS), "--allow-write /srv", "{\"filesystem\": {\"allowWrite\": [\"/srv\"]}}");
	expect(explain("mkdir", "/top", EROFS), NULL, NULL);
}

static void test_read_of_hidden(void **state)
{
	(void)state;
	expect(explain("open", "/home/u/.ssh/id", EACCES), "--allow-read /home/u/.ssh/id",
	       "{\"filesystem\": {\"allowRead\": [\"/home/u/.ssh/id\"]}}");
}

static void test_protected_places(void **state)
{
	(void)state;
	expect(explain("create", "/ws/.git/config", EPERM), "--allow-git-config", "{\"filesystem\": {\"allowGitConfig\": true}}");
	expect(explain("create", "/ws/AGENTS.md", EPERM), "--allow-agent-instructions",
	       "{\"filesystem\": {\"allowAgentInstructions\": true}}");
	expect(explain("create", "/ws/.bashrc", EPERM), "--no-protected-places", "{\"filesystem\": {\"protectedPlaces\": false}}");
}

/* A domain is no pattern of paths: its brackets stay as they are. */
static void test_refused_host(void **state)
{
	(void)state;
	policy.network.mode = POLICY_NETWORK_FILTERED;
	expect(explain("connect", "other.test:80", ECONNREFUSED), "--allowed-domains other.test:80",
	       "{\"network\": {\"allowedDomains\": [\"other.test:80\"]}}");
	expect(explain("connect", "[2001:db8::1]:443", ECONNREFUSED), "--allowed-domains '[2001:db8::1]:443'",
	       "{\"network\": {\"allowedDomains\": [\"[2001:db8::1]:443\"]}}");
}

static void test_own_rule_has_no_remedy(void **state)
{
	(void)state;
	expect(explain("open", "/ws/kept/x", EROFS), NULL, NULL);
	expect(explain("unlink", "/ws/kept/x", EROFS), NULL, NULL);
}

static void test_permission_of_the_file_itself_has_no_remedy(void **state)
{
	(void)state;
	expect(explain("open", "/ws/file-of-another", EROFS), NULL, NULL);
}

static void test_network(void **state)
{
	(void)state;
	expect(explain("connect", "192.0.2.1:443", ENETUNREACH), "--network host", "{\"network\": {\"mode\": \"host\"}}");
	expect(explain("connect", "[2001:db8::1]:53", ENETUNREACH), "--network host", "{\"network\": {\"mode\": \"host\"}}");
	expect(explain("socket", "AF_INET6", EPERM), "--network host", "{\"network\": {\"mode\": \"host\"}}");
	expect(explain("socket", "AF_UNIX", EPERM), "--allow-all-unix-sockets", "{\"network\": {\"allowAllUnixSockets\": true}}");
	expect(explain("connect", "/run/docker.sock", EACCES), "--allow-unix-socket /run/docker.sock",
	       "{\"network\": {\"allowUnixSockets\": [\"/run/docker.sock\"]}}");
	expect(explain("connect", "@name", EACCES), "--allow-all-unix-sockets", "{\"network\": {\"allowAllUnixSockets\": true}}");
	expect(explain("socket", "AF_PACKET", EPERM), NULL, NULL);
	policy.network.mode = POLICY_NETWORK_HOST;
	expect(explain("connect", "192.0.2.1:443", ECONNREFUSED), NULL, NULL);
}

static void test_processes(void **state)
{
	(void)state;
	expect(explain("ptrace", "", EPERM), policy.process.allow_ptrace ? NULL : "--allow-ptrace",
	       "{\"process\": {\"allowPtrace\": true}}");
	expect(explain("unshare", "", EPERM), "--allow-nested-user-namespaces", "{\"allowNestedUserNamespaces\": true}");
	expect(explain("mount", "/mnt", EPERM), NULL, NULL);
	expect(explain("signal", "1", EPERM), NULL, NULL);
}

static void test_odd_names(void **state)
{
	(void)state;
	expect(explain("open", "/srv/it's [1] of *", EROFS), "--allow-write '/srv/it'\\''s \\[1] of \\*'",
	       "{\"filesystem\": {\"allowWrite\": [{\"path\": \"/srv/it's [1] of *\", \"literal\": true}]}}");
	expect(explain("open", "", EROFS), NULL, NULL);
	expect(explain("open", "relative", EROFS), NULL, NULL);
}

/* What the remedy says is what the policy then allows. */
static void test_remedies_read_as_settings(void **state)
{
	static const char *const targets[] = { "/srv/out/new", "/srv/a b/[c]", "/home/u/.ssh/id" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct denial denial = explain("open", targets[i], EROFS);
		struct policy next;
		assert_int_equal(policy_init(&next, &arena), 0);
		const struct policy_document document = { denial.settings, strlen(denial.settings), "remedy", POLICY_COFFER };
		assert_int_equal(policy_read(&next, &arena, &document, NULL, NULL), 0);
		assert_int_equal(next.filesystem.allow_write.n, 1);
		assert_string_equal(next.filesystem.allow_write.at[0].text, targets[i]);
	}
}

static struct denial refusal(const char *process, const char *operation, const char *target, const char *rule)
{
	return (struct denial){ .process = process, .operation = operation, .target = target, .rule = rule };
}

static void test_ignored(void **state)
{
	static const char text[] = "{\"ignoreViolations\": {\"*\": [\"/usr/bin\", \"ads.example\", \"AF_PACKET\"],"
				   " \"git push\": [\"/nc\"], \"none\": []}}";
	static const char *const argv[] = { "git", "push", "origin", NULL }, *const other[] = { "git", "pull", NULL };
	static const char *const shell[] = { "bash", "-c", "git push", NULL };
	const struct policy_document document = { text, strlen(text), "settings.json", POLICY_COFFER };
	const struct denial path = refusal("sh", "open", "/usr/bin/x", "default"), part = refusal("nc", "exec", "/opt/nc", "default");
	const struct denial host = refusal("", "connect", "ads.example:443", "/network/deniedDomains/0");
	const struct denial socket = refusal("p", "socket", "AF_PACKET", "default"), opens = refusal("sh", "open", "/etc/open", "default");
	struct policy quiet;

	(void)state;
	assert_int_equal(policy_init(&quiet, &arena), 0);
	assert_false(why_ignores(&quiet, argv, &path));
	assert_int_equal(policy_read(&quiet, &arena, &document, NULL, NULL), 0);
	assert_true(why_ignores(&quiet, other, &path));
	assert_true(why_ignores(&quiet, other, &host));
	assert_true(why_ignores(&quiet, other, &socket));
	assert_true(why_ignores(&quiet, argv, &part));
	assert_true(why_ignores(&quiet, shell, &part));
	assert_false(why_ignores(&quiet, other, &part));
	assert_false(why_ignores(&quiet, argv, &opens));

	/* The line, where there is no path: srt's word for what the filter refuses, and its reason. A path is compared alone. */
	quiet.ignored.at[0].parts.at[0] = "network-outbound ads.example:443 (/network/";
	quiet.ignored.at[0].parts.at[1] = quiet.ignored.at[0].parts.at[2] = "deny ";
	assert_true(why_ignores(&quiet, other, &host));
	assert_true(why_ignores(&quiet, other, &socket));
	assert_false(why_ignores(&quiet, other, &path));

	/* srt hands a line to a shell; its name is no part of the command. */
	quiet.ignored.at[0] = (struct policy_ignored){ "bash", quiet.ignored.at[0].parts };
	assert_true(why_ignores(&quiet, shell, &socket));
	quiet.dialect = POLICY_SRT;
	assert_false(why_ignores(&quiet, shell, &socket));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_write_outside, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_name_outside_opens_its_directory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_read_of_hidden, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_protected_places, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refused_host, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_own_rule_has_no_remedy, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_permission_of_the_file_itself_has_no_remedy, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_network, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_processes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_odd_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_remedies_read_as_settings, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ignored, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("session/why", tests, NULL, NULL);
}

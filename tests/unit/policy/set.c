#include "policy/set.h"

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

static void test_everything(void **state)
{
	struct policy policy = accept(
	    "{\"$schema\": \"x\", \"strict\": true, \"require\": \"landlock\", \"denials\": \"all\", \"allowNestedUserNamespaces\": true,"
	    " \"mandatoryDenySearchDepth\": 7, \"network\": {\"mode\": \"host\", \"allowAllUnixSockets\": true, \"allowedDomains\": []},"
	    " \"filesystem\": {\"denyRead\": [\"~/x\"], \"allowRead\": [\"/r\", {\"path\": \"a*\", \"literal\": true}], \"allowWrite\": [\".\"],"
	    " \"denyWrite\": [], \"view\": \"host\", \"allowGitConfig\": true, \"allowAgentInstructions\": true, \"protectedPlaces\": false,"
	    " \"hideCredentials\": false}, \"limits\": {\"memory\": \"1.5G\", \"swap\": 4096, \"processes\": 64, \"cpus\": 0.5,"
	    " \"cpuTime\": 2.5, \"timeout\": \"1m30s\", \"output\": \"unlimited\", \"fileSize\": \"10MB\", \"openFiles\": \"100\","
	    " \"tmp\": \"64M\", \"tmpInodes\": 10}, \"process\": {\"hostname\": \"box-1\", \"umask\": \"077\", \"allowPtrace\": true,"
	    " \"allowTerminal\": false}, \"environment\": {\"inherit\": [\"A\", \"B_*\"], \"set\": {\"C\": \"c\", \"D\": null}},"
	    " \"workspace\": {\"path\": \"~/w\"}}");

	(void)state;
	assert_true(policy.strict);
	assert_int_equal(policy.require, POLICY_REQUIRE_LANDLOCK);
	assert_string_equal(policy.require_why, "settings.json /require");
	assert_int_equal(policy.denials, POLICY_DENIALS_ALL);
	assert_true(policy.process.allow_nested_user_namespaces);
	assert_int_equal(policy.filesystem.search_depth, 7);
	assert_int_equal(policy.network.mode, POLICY_NETWORK_HOST);
	assert_string_equal(policy.network.mode_why, "settings.json /network/mode");
	assert_true(policy.network.allow_all_unix_sockets);
	assert_string_equal(policy.filesystem.allow_read.at[1].text, "a*");
	assert_true(policy.filesystem.allow_read.at[1].literal);
	assert_string_equal(policy.filesystem.allow_read.at[1].why, "settings.json /filesystem/allowRead/1");
	assert_int_equal(policy.filesystem.view, POLICY_VIEW_HOST);
	assert_false(policy.filesystem.mandatory);
	assert_int_equal(policy.limit[POLICY_LIMIT_MEMORY].value, 3ull << 29);
	assert_string_equal(policy.limit[POLICY_LIMIT_MEMORY].why, "settings.json /limits/memory");
	assert_int_equal(policy.limit[POLICY_LIMIT_SWAP].value, 4096);
	assert_int_equal(policy.limit[POLICY_LIMIT_CPUS].value, 50);
	assert_int_equal(policy.limit[POLICY_LIMIT_CPU_TIME].value, 2500);
	assert_int_equal(policy.limit[POLICY_LIMIT_TIMEOUT].value, 90000);
	assert_true(policy.limit[POLICY_LIMIT_OUTPUT].value == NUM_UNLIMITED);
	assert_int_equal(policy.limit[POLICY_LIMIT_FILE_SIZE].value, 10000000);
	assert_int_equal(policy.limit[POLICY_LIMIT_OPEN_FILES].value, 100);
	assert_string_equal(policy.process.hostname, "box-1");
	assert_int_equal(policy.process.umask, 077);
	assert_string_equal(policy.environment.set.at[0].why, "settings.json /environment/set/C");
	assert_null(policy.environment.set.at[1].value);
	assert_string_equal(policy.workspace.text, "~/w");
}

/* Each value, and where it is wrong. */
static const struct {
	const char *text, *pointer;
} wrong_values[] = {
	{ "[]", "" },
	{ "null", "" },
	{ "\"x\"", "" },
	{ "{\"filesystem\": []}", "/filesystem" },
	{ "{\"filesystem\": null}", "/filesystem" },
	{ "{\"limits\": 3}", "/limits" },
	{ "{\"strict\": \"true\"}", "/strict" },
	{ "{\"strict\": 1}", "/strict" },
	{ "{\"strict\": null}", "/strict" },
	{ "{\"require\": \"everything\"}", "/require" },
	{ "{\"require\": \"\"}", "/require" },
	{ "{\"require\": \"any|landlock\"}", "/require" },
	{ "{\"denials\": true}", "/denials" },
	{ "{\"network\": {\"mode\": \"on\"}}", "/network/mode" },
	{ "{\"mandatoryDenySearchDepth\": 0}", "/mandatoryDenySearchDepth" },
	{ "{\"mandatoryDenySearchDepth\": 11}", "/mandatoryDenySearchDepth" },
	{ "{\"mandatoryDenySearchDepth\": 2.5}", "/mandatoryDenySearchDepth" },
	{ "{\"mandatoryDenySearchDepth\": \"3\"}", "/mandatoryDenySearchDepth" },
	{ "{\"mandatoryDenySearchDepth\": -1}", "/mandatoryDenySearchDepth" },
	{ "{\"limits\": {\"memory\": \"12 bananas\"}}", "/limits/memory" },
	{ "{\"limits\": {\"memory\": \"\"}}", "/limits/memory" },
	{ "{\"limits\": {\"memory\": -1}}", "/limits/memory" },
	{ "{\"limits\": {\"memory\": \"-1\"}}", "/limits/memory" },
	{ "{\"limits\": {\"memory\": 1.5}}", "/limits/memory" },
	{ "{\"limits\": {\"memory\": 1e30}}", "/limits/memory" },
	{ "{\"limits\": {\"memory\": true}}", "/limits/memory" },
	{ "{\"limits\": {\"memory\": \"99999999999999999999\"}}", "/limits/memory" },
	{ "{\"limits\": {\"memory\": \"1G \"}}", "/limits/memory" },
	{ "{\"limits\": {\"processes\": 1.5}}", "/limits/processes" },
	{ "{\"limits\": {\"processes\": \"64K\"}}", "/limits/processes" },
	{ "{\"limits\": {\"timeout\": \"5 minutes\"}}", "/limits/timeout" },
	{ "{\"limits\": {\"timeout\": -0.5}}", "/limits/timeout" },
	{ "{\"limits\": {\"cpus\": 0.333}}", "/limits/cpus" },
	{ "{\"limits\": {\"cpus\": \"50%\"}}", "/limits/cpus" },
	{ "{\"limits\": {\"cpus\": \"1.5s\"}}", "/limits/cpus" },
	{ "{\"limits\": {\"cpus\": 9223372036854775807}}", "/limits/cpus" },
	{ "{\"process\": {\"hostname\": \"\"}}", "/process/hostname" },
	{ "{\"process\": {\"hostname\": \"a b\"}}", "/process/hostname" },
	{ "{\"process\": {\"hostname\": \"-a\"}}", "/process/hostname" },
	{ "{\"process\": {\"hostname\": \"a-\"}}", "/process/hostname" },
	{ "{\"process\": {\"hostname\": 3}}", "/process/hostname" },
	{ "{\"process\": {\"umask\": 22}}", "/process/umask" },
	{ "{\"process\": {\"umask\": \"8\"}}", "/process/umask" },
	{ "{\"process\": {\"umask\": \"\"}}", "/process/umask" },
	{ "{\"process\": {\"umask\": \"1777\"}}", "/process/umask" },
	{ "{\"process\": {\"umask\": \"00022\"}}", "/process/umask" },
	{ "{\"filesystem\": {\"denyRead\": \"~\"}}", "/filesystem/denyRead" },
	{ "{\"filesystem\": {\"denyRead\": {\"0\": \"~\"}}}", "/filesystem/denyRead" },
	{ "{\"filesystem\": {\"denyRead\": [\"a\", \"\"]}}", "/filesystem/denyRead/1" },
	{ "{\"filesystem\": {\"denyRead\": [null]}}", "/filesystem/denyRead/0" },
	{ "{\"filesystem\": {\"denyRead\": [[\"a\"]]}}", "/filesystem/denyRead/0" },
	{ "{\"filesystem\": {\"denyRead\": [{}]}}", "/filesystem/denyRead/0" },
	{ "{\"filesystem\": {\"denyRead\": [{\"path\": \"a\"}]}}", "/filesystem/denyRead/0" },
	{ "{\"filesystem\": {\"denyRead\": [{\"path\": \"a\", \"literal\": false}]}}", "/filesystem/denyRead/0" },
	{ "{\"filesystem\": {\"denyRead\": [{\"path\": \"\", \"literal\": true}]}}", "/filesystem/denyRead/0/path" },
	{ "{\"filesystem\": {\"denyRead\": [{\"path\": \"a\", \"literal\": true, \"x\": 1}]}}", "/filesystem/denyRead/0" },
	{ "{\"filesystem\": {\"denyRead\": [{\"path\": 1, \"literal\": true}]}}", "/filesystem/denyRead/0" },
	{ "{\"workspace\": {\"path\": \"\"}}", "/workspace/path" },
	{ "{\"workspace\": {\"path\": [\".\"]}}", "/workspace/path" },
	{ "{\"environment\": {\"inherit\": \"A\"}}", "/environment/inherit" },
	{ "{\"environment\": {\"inherit\": [\"A=B\"]}}", "/environment/inherit/0" },
	{ "{\"environment\": {\"inherit\": [\"1A\"]}}", "/environment/inherit/0" },
	{ "{\"environment\": {\"inherit\": [\"A*B\"]}}", "/environment/inherit/0" },
	{ "{\"environment\": {\"inherit\": [3]}}", "/environment/inherit/0" },
	{ "{\"environment\": {\"set\": [\"A=1\"]}}", "/environment/set" },
	{ "{\"environment\": {\"set\": {\"A\": 1}}}", "/environment/set/A" },
	{ "{\"environment\": {\"set\": {\"A-B\": \"x\"}}}", "/environment/set/A-B" },
	{ "{\"environment\": {\"set\": {\"\": \"x\"}}}", "/environment/set" },
	{ "{\"profile\": \"lax\"}", "/profile" },
	{ "{\"profile\": 1}", "/profile" },
	{ "{\"network\": {\"allowedDomains\": [\"not-a-domain\"]}}", "/network/allowedDomains/0" },
	{ "{\"network\": {\"allowedDomains\": [3]}}", "/network/allowedDomains/0" },
	{ "{\"network\": {\"allowedDomains\": \"a.b\"}}", "/network/allowedDomains" },
	{ "{\"network\": {\"allowedDomains\": [\"*\"]}}", "/network/allowedDomains/0" },
	{ "{\"network\": {\"allowedDomains\": [\"a.b\", \"0x7f.1\"]}}", "/network/allowedDomains/1" },
	{ "{\"network\": {\"deniedResolvedAddresses\": [\"10.0.0.1/8\"]}}", "/network/deniedResolvedAddresses/0" },
	{ "{\"network\": {\"deniedDomainReasons\": {\"a.b\": 1}}}", "/network/deniedDomainReasons/a.b" },
	{ "{\"network\": {\"httpProxyPort\": 0}}", "/network/httpProxyPort" },
	{ "{\"network\": {\"allowLocalBinding\": \"yes\"}}", "/network/allowLocalBinding" },
	{ "{\"ignoreViolations\": {\"*\": \"x\"}}", "/ignoreViolations/*" },
	{ "{\"ignoreViolations\": {\"npm\": [1]}}", "/ignoreViolations/npm" },
	{ "{\"ignoreViolations\": [\"x\"]}", "/ignoreViolations" },
	{ "{\"$schema\": 1}", "/$schema" },
};

static void test_wrong_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(wrong_values); i++) {
		struct policy_fault fault = refuse(wrong_values[i].text, wrong_values[i].pointer);

		assert_int_equal(fault.code, ERR_POLICY);
		assert_true(fault.found[0] && fault.allowed[0]);
	}
}

/* --- Options. --------------------------------------------------------------------------------------------------------------- */

static int set(struct policy *policy, const char *option, const char *value)
{
	const struct policy_word word = { policy_field_by_option(option), value, arena_printf(&arena, "--%s", option) };
	struct err err = { 0 };

	return policy_set(policy, &arena, &word, NULL, &err);
}

static void test_options(void **state)
{
	struct policy policy = sample_default();
	size_t inherited = policy.environment.inherit.n;

	(void)state;
	assert_int_equal(set(&policy, "write", "a b"), 0);
	assert_int_equal(set(&policy, "allow-write", "\xff*"), 0); /* paths are bytes */
	assert_string_equal(policy.filesystem.allow_write.at[0].why, "--write");
	assert_string_equal(policy.filesystem.allow_write.at[1].text, "\xff*");
	assert_int_equal(set(&policy, "memory", "512M"), 0);
	assert_string_equal(policy.limit[POLICY_LIMIT_MEMORY].why, "--memory");
	assert_int_equal(set(&policy, "timeout", "90"), 0);
	assert_int_equal(policy.limit[POLICY_LIMIT_TIMEOUT].value, 90000);
	assert_int_equal(set(&policy, "cpus", "1.25"), 0);
	assert_int_equal(policy.limit[POLICY_LIMIT_CPUS].value, 125);
	assert_int_equal(set(&policy, "strict", NULL), 0);
	assert_true(policy.strict);
	assert_int_equal(set(&policy, "strict", "false"), 0);
	assert_false(policy.strict);
	assert_int_equal(set(&policy, "network", "host"), 0);
	assert_string_equal(policy.network.mode_why, "--network");
	assert_int_equal(set(&policy, "search-depth", "5"), 0);
	assert_int_equal(policy.filesystem.search_depth, 5);
	assert_int_equal(set(&policy, "umask", "027"), 0);
	assert_int_equal(set(&policy, "env", "A=b=c"), 0);
	assert_int_equal(set(&policy, "env", "E="), 0);
	assert_int_equal(set(&policy, "env", "INHERITED"), 0);
	assert_int_equal(set(&policy, "inherit-env", "GO*"), 0);
	assert_string_equal(policy.environment.set.at[0].value, "b=c");
	assert_string_equal(policy.environment.set.at[1].value, "");
	assert_int_equal(policy.environment.inherit.n, inherited + 2);
	assert_int_equal(set(&policy, "workspace", "/srv"), 0);
	assert_string_equal(policy.workspace.why, "--workspace");
}

static void test_wrong_options(void **state)
{
	static const char *const wrong[][2] = { { "memory", "much" },  { "memory", "" },       { "memory", NULL },
		                                { "write", "" },       { "write", NULL },      { "strict", "maybe" },
		                                { "network", "on" },   { "env", "1=x" },       { "env", "=x" },
		                                { "env", "A B" },      { "inherit-env", "=" }, { "search-depth", "0" },
		                                { "hostname", "a.b" }, { "umask", "999" },     { "cpus", "-1" } };

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct policy policy = sample_default(), before = policy;

		if (set(&policy, wrong[i][0], wrong[i][1]) != -EINVAL)
			fail_msg("--%s %s", wrong[i][0], wrong[i][1]);
		assert_memory_equal(&policy, &before, sizeof(policy));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_wrong_values),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_wrong_options),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

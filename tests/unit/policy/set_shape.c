#include "policy/set.h"

#include "unit/policy/sample.h"

#define SRT(network, filesystem, rest)                                                                              \
	"{\"network\": {\"allowedDomains\": [], \"deniedDomains\": []" network "}, \"filesystem\": {\"denyRead\": " \
	"[], \"allowWrite\": [], \"denyWrite\": []" filesystem "}" rest "}"

static int read_srt(const char *text, struct fault_vec *ret_faults)
{
	struct policy policy;

	assert_int_equal(policy_init_srt(&policy, &arena), 0);
	*ret_faults = (struct fault_vec){ 0 };
	return sample_read(&policy, text, POLICY_SRT, ret_faults);
}

/* What srt's own configuration tests accept, where no filter of domains is needed. */
static void test_srt_accepts(void **state)
{
	static const char *const good[] = {
		SRT("", "", ""),
		SRT(", \"allowUnixSockets\": [\"/var/run/docker.sock\"], \"allowAllUnixSockets\": false, \"allowLocalBinding\": true", "",
		    ", \"ignoreViolations\": {\"*\": [\"/usr/bin\"], \"git push\": [\"/usr/bin/nc\"]}, \"enableWeakerNestedSandbox\": true"),
		SRT("", "", ", \"ripgrep\": {\"command\": \"/usr/local/bin/rg\"}"),
		SRT("", "", ", \"ripgrep\": {\"command\": \"claude\", \"args\": [\"--ripgrep\"]}"),
		SRT("", "", ", \"mandatoryDenySearchDepth\": 10, \"allowPty\": true"),
		SRT("", "", ", \"nobodyKnows\": {\"this\": 1}"),
		SRT(", \"norThis\": 1, \"allowMachLookup\": [\"x\"], \"strictAllowlist\": true, \"deniedDomainReasons\": {\"a.b\": \"no\"}",
		    "", ""),
		SRT("", ", \"orThat\": []", ""),
		SRT("", ", \"allowRead\": [\"~/x\", {\"path\": \"[id]\", \"literal\": true}], \"allowGitConfig\": true, \"disabled\": true",
		    ""),
		SRT(", \"deniedResolvedAddresses\": [], \"stripResponseHeaders\": [], \"refuseOpaqueTunnels\": false", "",
		    ", \"credentials\": {}"),
		SRT("", "", ", \"seccomp\": {\"applyPath\": \"/x\"}, \"bwrapPath\": \"/usr/bin/bwrap\", \"socatPath\": \"/usr/bin/socat\""),
		SRT("", "", ", \"allowNestedUserNamespaces\": true, \"enableWeakerNetworkIsolation\": true, \"allowAppleEvents\": false"),
		SRT("", "", ", \"limits\": {\"memory\": \"1G\"}"), /* coffer's keys count here as well */
	};
	struct fault_vec faults;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		if (read_srt(good[i], &faults) < 0)
			fail_msg("%s: %s", good[i], faults.at[0].pointer);
}

static void test_srt_refuses(void **state)
{
	static const struct {
		const char *text, *pointer;
	} bad[] = {
		{ "{\"network\": {\"allowedDomains\": [\"not-a-domain\"], \"deniedDomains\": []}, \"filesystem\": {\"denyRead\": [], \"allowWrite\": [], "
		  "\"denyWrite\": []}}",
		  "/network/allowedDomains/0" },
		{ "{\"network\": {\"allowedDomains\": [\"https://example.com\"], \"deniedDomains\": []}, \"filesystem\": {\"denyRead\": [], \"allowWrite\": "
		  "[], \"denyWrite\": []}}",
		  "/network/allowedDomains/0" },
		{ "{\"network\": {\"allowedDomains\": [\"*.com\"], \"deniedDomains\": []}, \"filesystem\": {\"denyRead\": [], \"allowWrite\": [], "
		  "\"denyWrite\": []}}",
		  "/network/allowedDomains/0" },
		{ "{\"network\": {\"allowedDomains\": [], \"deniedDomains\": []}, \"filesystem\": {\"denyRead\": [\"\"], \"allowWrite\": [], \"denyWrite\": "
		  "[]}}",
		  "/filesystem/denyRead/0" },
		{ "{\"network\": {\"allowedDomains\": [], \"deniedDomains\": []}, \"filesystem\": {\"denyRead\": [], \"allowWrite\": []}}",
		  "/filesystem/denyWrite" },
		{ SRT("", "", ", \"mandatoryDenySearchDepth\": 11"), "/mandatoryDenySearchDepth" },
		{ SRT("", "", ", \"enableWeakerNestedSandbox\": 1"), "/enableWeakerNestedSandbox" },
		{ SRT(", \"allowUnixSockets\": true", "", ""), "/network/allowUnixSockets" },
		{ SRT(", \"httpProxyPort\": 65536", "", ""), "/network/httpProxyPort" },
		{ SRT("", ", \"allowRead\": [{\"path\": \"a\", \"literal\": true, \"more\": 1}]", ""), "/filesystem/allowRead/0" },
		{ SRT("", "", ", \"ripgrep\": \"rg\""), "/ripgrep" },
		{ SRT("", "", ", \"ripgrep\": {\"args\": []}"), "/ripgrep/command" },
		{ SRT("", "", ", \"ripgrep\": {\"command\": \"rg\", \"args\": [1]}"), "/ripgrep/args" },
		{ SRT("", "", ", \"seccomp\": {\"argv0\": 1}"), "/seccomp/argv0" },
		{ SRT("", "", ", \"git\": {\"safeDirectories\": \"/x\"}"), "/git/safeDirectories" },
		{ SRT("", "", ", \"bwrapPath\": \"bwrap\""), "/bwrapPath" },
		{ SRT("", "", ", \"socatPath\": \"\""), "/socatPath" },
		{ SRT("", "", ", \"ignoreViolations\": {\"*\": \"/x\"}"), "/ignoreViolations/*" },
		{ SRT(", \"deniedDomainReasons\": {\"a.b\": \"\"}", "", ""), "/network/deniedDomainReasons/a.b" },
		{ "{\"network\": {\"allowedDomains\": [], \"deniedDomains\": []}, \"filesystem\": {\"denyRead\": [\"/x/*/\"], \"allowWrite\": [], "
		  "\"denyWrite\": []}}",
		  "/filesystem/denyRead/0" },
		{ "{\"network\": {\"allowedDomains\": [], \"deniedDomains\": []}, \"filesystem\": {\"denyRead\": [], \"allowWrite\": [\"/x/*/\"], "
		  "\"denyWrite\": [\"x/*/\", \"~/*/\"]}}",
		  "/filesystem/denyWrite/1" },
		{ SRT("", "", ", \"limits\": {\"memory\": \"lots\"}"), "/limits/memory" },
	};
	struct fault_vec faults;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(read_srt(bad[i].text, &faults), -EINVAL);
		assert_int_equal(faults.n, 1);
		assert_string_equal(faults.at[0].pointer, bad[i].pointer);
	}
}

static void test_srt_needs_five_lists(void **state)
{
	struct fault_vec faults;

	(void)state;
	assert_int_equal(read_srt("{}", &faults), -EINVAL);
	assert_int_equal(faults.n, 2); /* a section is missed once */
	assert_string_equal(faults.at[0].pointer, "/network");
	assert_int_equal(read_srt("{\"network\": null, \"filesystem\": {}}", &faults), -EINVAL);
	assert_int_equal(faults.n, 4);
	assert_int_equal(read_srt("{\"network\": {\"allowedDomains\": []}, \"filesystem\": {\"denyRead\": []}}", &faults), -EINVAL);
	assert_int_equal(faults.n, 3);
	assert_string_equal(faults.at[0].pointer, "/network/deniedDomains");
	assert_string_equal(faults.at[0].found, "nothing");
}

/* Well-formed, but this version would not enforce it: an error of its own code, never silence. */
static void test_what_is_not_there_yet(void **state)
{
	static const char *const later[] = {
		"\"filterRequest\": \"x\"",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(later); i++) {
		struct policy policy = sample_default();
		struct fault_vec faults = { 0 };

		assert_int_equal(sample_read(&policy, arena_printf(&arena, "{\"network\": {%s}}", later[i]), POLICY_COFFER, &faults),
		                 -ENOTSUP);
		assert_int_equal(faults.n, 1);
		assert_int_equal(faults.at[0].code, ERR_UNSUPPORTED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_srt_accepts),
		cmocka_unit_test(test_srt_refuses),
		cmocka_unit_test(test_srt_needs_five_lists),
		cmocka_unit_test(test_what_is_not_there_yet),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

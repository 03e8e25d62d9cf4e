/* network.tlsTerminate, network.requests and what is checked across fields. */
#include "policy/check.h"
#include "policy/print.h"

#include "unit/policy/sample.h"

static int read(const char *text, enum policy_dialect dialect, struct policy *ret_policy)
{
	struct fault_vec faults = { 0 };

	*ret_policy = sample_plain();
	ret_policy->dialect = dialect;
	return sample_read(ret_policy, text, dialect, &faults);
}

static void test_read_and_printed(void **state)
{
	static const char text[] =
	    "{\"network\": {\"tlsTerminate\": {\"caCertPath\": \"~/ca.pem\", \"caKeyPath\": \"ca.key\", \"excludeDomains\": [\"*.pin.test\"], "
	    "\"extraCaCertPaths\": [\"x.pem\"], \"maxTunnels\": 5, \"handshakeTimeoutMs\": 100}, "
	    "\"requests\": [{\"action\": \"allow\", \"hosts\": [\"a.test\"], \"methods\": [\"GET\"], \"paths\": [\"/v1/**\"], \"setHeaders\": {\"X-A\": \"b\", "
	    "\"Cookie\": null}}]}, \"credentials\": {\"envVars\": [{\"name\": \"T\", \"mode\": \"mask\", \"decode\": \"jwt\", \"maskClaims\": [\"sub\"], "
	    "\"injectHosts\": [\"a.test\"]}]}}";
	struct policy policy, again;
	struct str out, second;

	(void)state;
	str_init(&out, 1 << 20);
	str_init(&second, 1 << 20);
	assert_int_equal(read(text, POLICY_COFFER, &policy), 0);
	assert_true(policy.network.tls.terminate);
	assert_int_equal(policy.network.tls.tunnels_max, 5);
	policy_print_json(&policy, &out);
	assert_non_null(strstr(out.text, "\"caKeyPath\": \"ca.key\""));
	assert_non_null(strstr(out.text, "{\"X-A\": \"•••\", \"Cookie\": null}"));
	assert_int_equal(read(out.text, POLICY_COFFER, &again), 0);
	policy_print_json(&again, &second);
	assert_string_equal(out.text, second.text);
	sample_resolve(&policy);
	assert_string_equal(policy.network.tls.ca_cert, "/home/u/ca.pem");
	assert_string_equal(policy.network.tls.ca_key, "/home/u/w/ca.key");
	assert_false(policy_allows(&policy, "/home/u/w/ca.key", POLICY_READ));
	str_done(&out);
	str_done(&second);
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"{\"network\": {\"tlsTerminate\": true}}",
		"{\"network\": {\"tlsTerminate\": {\"caCertPath\": \"x\"}}}",
		"{\"network\": {\"tlsTerminate\": {\"unknown\": 1}}}",
		"{\"network\": {\"tlsTerminate\": {\"maxTunnels\": 0}}}",
		"{\"network\": {\"tlsTerminate\": {\"handshakeTimeoutMs\": 99}}}",
		"{\"network\": {\"tlsTerminate\": {\"excludeDomains\": [\"*\"]}}}",
		"{\"network\": {\"requests\": [{}]}}",
		"{\"network\": {\"requests\": [{\"action\": \"maybe\"}]}}",
		"{\"network\": {\"requests\": [{\"action\": \"deny\", \"hosts\": []}]}}",
		"{\"network\": {\"requests\": [{\"action\": \"deny\", \"paths\": [\"x\"]}]}}",
		"{\"network\": {\"requests\": [{\"action\": \"deny\", \"methods\": [\"get\"]}]}}",
		"{\"network\": {\"requests\": [{\"action\": \"deny\", \"setHeaders\": {\"a\": \"b\"}}]}}",
		"{\"network\": {\"requests\": [{\"action\": \"allow\", \"setHeaders\": {\"Host\": \"b\"}}]}}",
		"{\"network\": {\"requests\": [{\"action\": \"allow\", \"setHeaders\": {\"a\": \"b\\r\\nc\"}}]}}",
		"{\"network\": {\"stripResponseHeaders\": [\"Content-Length\"]}}",
		"{\"credentials\": {\"envVars\": [{\"name\": \"T\"}]}}",
		"{\"credentials\": {\"envVars\": [{\"mode\": \"mask\"}]}}",
		"{\"credentials\": {\"envVars\": [{\"name\": \"T\", \"mode\": \"mask\", \"injectHosts\": []}]}}",
		"{\"credentials\": {\"envVars\": [{\"name\": \"T\", \"mode\": \"mask\", \"maskClaims\": [\"a\"]}]}}",
		"{\"credentials\": {\"envVars\": [{\"name\": \"T\", \"mode\": \"mask\", \"decode\": \"jwt\", \"maskClaims\": []}]}}",
		"{\"credentials\": {\"envVars\": [{\"name\": \"T\", \"mode\": \"mask\", \"extract\": \"a(\"}]}}",
		"{\"credentials\": {\"envVars\": [{\"name\": \"T\", \"mode\": \"mask\", \"extract\": \"ab\"}]}}",
		"{\"credentials\": {\"files\": [{\"path\": \"x/\", \"mode\": \"mask\"}]}}",
		"{\"credentials\": {\"files\": [{\"path\": \"x\", \"mode\": \"mask\", \"name\": \"y\"}]}}",
		"{\"credentials\": {\"awsPairs\": [{}]}}",
		"{\"credentials\": {\"awsPairs\": [{\"accessKeyIdVar\": \"A\"}]}}",
		"{\"credentials\": {\"awsPairs\": [{\"accessKeyIdVar\": \"A\", \"secretAccessKeyVar\": \"B\", \"region\": \"C\"}]}}",
		"{\"credentials\": {\"sigv4\": {\"streaming\": \"allow\"}}}",
		"{\"credentials\": {\"sigv4\": {\"chunked\": \"deny\"}}}",
		"{\"credentials\": {\"injectHosts\": [\"a.test\"]}}",
	};
	struct policy policy;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (read(bad[i], POLICY_COFFER, &policy) == 0)
			fail_msg("%s", bad[i]);
	/* srt's documents are lenient but for credentials. */
	assert_int_not_equal(
	    read("{\"network\": {\"allowedDomains\": [], \"deniedDomains\": []}, \"filesystem\": {\"denyRead\": [], \"allowWrite\": [], "
	         "\"denyWrite\": []}, \"credentials\": {\"injectHosts\": []}}",
	         POLICY_SRT, &policy),
	    0);
	assert_int_equal(
	    read("{\"network\": {\"allowedDomains\": [], \"deniedDomains\": [], \"tlsTerminate\": {\"unknown\": 1}}, \"filesystem\": "
	         "{\"denyRead\": [], \"allowWrite\": [], \"denyWrite\": []}}",
	         POLICY_SRT, &policy),
	    0);
}

#define MASK(more) "\"credentials\": {\"envVars\": [{\"name\": \"T\", \"mode\": \"mask\"" more "}]}"
#define TLS(more) "\"network\": {\"allowedDomains\": [\"a.test\", \"*.b.test:443\"], \"tlsTerminate\": {" more "}}"

static void test_checked_across(void **state)
{
	static const struct {
		const char *text;
		bool fine;
	} cases[] = {
		{ "{" TLS("") ", " MASK("") "}", true },
		{ "{" TLS("") ", " MASK(", \"injectHosts\": [\"x.b.test\"]") "}", true },
		{ "{" TLS("") ", " MASK(", \"injectHosts\": [\"b.test\"]") "}", false },
		{ "{" TLS("\"excludeDomains\": [\"a.test\"]") ", " MASK(", \"injectHosts\": [\"a.test\"]") "}", false },
		{ "{" TLS("\"excludeDomains\": [\"a.test\"]") ", " MASK("") "}", true },
		{ "{" TLS("\"excludeDomains\": [\"a.test\", \"*.b.test\"]") ", " MASK("") "}", false },
		{ "{\"network\": {\"allowedDomains\": [\"a.test\"]}, " MASK("") "}", false },
		{ "{\"network\": {\"allowedDomains\": [\"a.test\"]}, \"credentials\": {\"allowPlaintextInject\": true, \"envVars\": [{\"name\": \"T\", \"mode\": "
		  "\"mask\"}]}}",
		  true },
		{ "{" TLS("") ", " MASK("") ", \"environment\": {\"set\": {\"T\": \"x\"}}}", false },
		{ "{\"network\": {\"allowedDomains\": [\"a.test\"], \"requests\": [{\"action\": \"deny\"}]}}", false },
		{ "{\"network\": {\"allowedDomains\": [\"a.test\"], \"requests\": [{\"action\": \"deny\"}], \"refuseOpaqueTunnels\": true}}",
		  true },
		{ "{" TLS("\"caCertPath\": \"c\", \"caKeyPath\": \"/k/k\"") ", \"filesystem\": {\"allowRead\": [\"/k/k\"]}}", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fault_vec faults = { 0 };
		struct policy policy;

		assert_int_equal(read(cases[i].text, POLICY_COFFER, &policy), 0);
		sample_resolve(&policy);
		assert_int_equal(policy_check(&policy, &arena, &faults), 0);
		if ((policy_faults_err(&faults, NULL) == 0) != cases[i].fine)
			fail_msg("%s", cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_and_printed),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_checked_across),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

#include "policy/set.h"

#include "policy/check.h"
#include "policy/merge.h"
#include "policy/print.h"
#include "unit/policy/sample.h"

static struct policy policy;

static int read_network(const char *members, struct fault_vec *ret_faults)
{
	*ret_faults = (struct fault_vec){ 0 };
	policy = sample_default();
	return sample_read(&policy, arena_printf(&arena, "{\"network\": {%s}}", members), POLICY_COFFER, ret_faults);
}

static const char *print(void)
{
	struct str out;

	str_init(&out, 1 << 20);
	policy_print_json(&policy, &out);
	assert_false(out.failed);

	const char *text = arena_dup(&arena, out.text);

	str_done(&out);
	return text;
}

static void test_good(void **state)
{
	struct fault_vec faults;

	(void)state;
	assert_int_equal(read_network("\"httpProxyPort\": 8080, \"socksProxyPort\": 1080", &faults), 0);
	assert_int_equal(policy.network.ways.http_port, 8080);
	assert_int_equal(policy.network.ways.socks_port, 1080);
	assert_non_null(strstr(print(), "\"httpProxyPort\": 8080"));
	assert_int_equal(
	    read_network(
		"\"parentProxy\": {\"http\": \"http://u:secret@a.b:1\", \"https\": \"https://u:secret@c.d:2\", \"noProxy\": \"*\"}",
		&faults),
	    0);
	assert_int_equal(policy.network.ways.parent.n, 3);
	assert_non_null(strstr(print(), "\"http\": \"http://•••@a.b:1\", \"https\": \"https://•••@c.d:2\", \"noProxy\": \"*\""));
	assert_null(strstr(print(), "secret"));
	assert_int_equal(read_network("\"mitmProxy\": {\"socketPath\": \"/run/m\", \"domains\": [\"*.a.b:443\", \"c.d\"]}", &faults), 0);
	assert_string_equal(policy.network.ways.mitm.socket, "/run/m");
	assert_int_equal(policy.network.ways.mitm.domains.n, 2);
	assert_non_null(strstr(print(), "\"mitmProxy\": {\"socketPath\": \"/run/m\", \"domains\": [\"*.a.b:443\", \"c.d\"]}"));
	policy = sample_default();
	assert_null(strstr(print(), "Proxy"));
}

static void test_bad(void **state)
{
	static const struct {
		const char *members, *pointer;
	} bad[] = {
		{ "\"httpProxyPort\": 0", "/network/httpProxyPort" },
		{ "\"socksProxyPort\": 65536", "/network/socksProxyPort" },
		{ "\"socksProxyPort\": \"1080\"", "/network/socksProxyPort" },
		{ "\"parentProxy\": \"http://a.b\"", "/network/parentProxy" },
		{ "\"parentProxy\": {\"http\": \"https://a.b/path\"}", "/network/parentProxy/http" },
		{ "\"parentProxy\": {\"caCertPath\": \"\"}", "/network/parentProxy/caCertPath" },
		{ "\"parentProxy\": {\"https\": \"socks5://u:secret@a.b\"}", "/network/parentProxy/https" },
		{ "\"parentProxy\": {\"noProxy\": [\"a\"]}", "/network/parentProxy/noProxy" },
		{ "\"parentProxy\": {\"ftp\": \"a.b\"}", "/network/parentProxy/ftp" },
		{ "\"mitmProxy\": {\"socketPath\": \"m\", \"domains\": [\"a.b\"]}", "/network/mitmProxy/socketPath" },
		{ "\"mitmProxy\": {\"socketPath\": \"/m\", \"domains\": []}", "/network/mitmProxy/domains" },
		{ "\"mitmProxy\": {\"socketPath\": \"/m\", \"domains\": [\"a.b\", \"*\"]}", "/network/mitmProxy/domains/1" },
		{ "\"mitmProxy\": {\"socketPath\": \"/m\", \"domains\": [\"a.b\"], \"x\": 1}", "/network/mitmProxy" },
	};
	struct fault_vec faults;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(read_network(bad[i].members, &faults), -EINVAL);
		assert_int_equal(faults.n, 1);
		assert_string_equal(faults.at[0].pointer, bad[i].pointer);
		assert_null(strstr(faults.at[0].found, "secret"));
	}
}

static void test_nobody_else_says(void **state)
{
	static const char *const requests[] = { "\"httpProxyPort\": 1", "\"socksProxyPort\": 1", "\"parentProxy\": {\"http\": \"a.b\"}",
		                                "\"mitmProxy\": {\"socketPath\": \"/m\", \"domains\": [\"a.b\"]}" };

	(void)state;
	for (size_t i = 0; i < COUNT(requests); i++) {
		struct fault_vec faults;
		struct policy base = sample_default();

		base.network.mode = POLICY_NETWORK_FILTERED;
		assert_int_equal(read_network(requests[i], &faults), 0);
		sample_resolve(&base);
		sample_resolve(&policy);
		policy.network.mode = POLICY_NETWORK_FILTERED;
		assert_int_equal(policy_merge(&base, &policy, &arena, &faults), 0);
		assert_int_equal(faults.n, 1);
		assert_int_equal(base.network.ways.http_port + base.network.ways.socks_port + base.network.ways.parent.n, 0);
		assert_null(base.network.ways.mitm.socket);
	}
}

/* A way out of a network that has none, or that needs none. */
static void test_modes(void **state)
{
	struct fault_vec faults;

	(void)state;
	assert_int_equal(read_network("\"mode\": \"host\", \"parentProxy\": {\"http\": \"a.b\"}", &faults), 0);
	sample_resolve(&policy);
	assert_int_equal(policy_check(&policy, &arena, &faults), 0);
	assert_int_equal(faults.n, 1);
	assert_false(faults.at[0].warning);
	assert_int_equal(read_network("\"parentProxy\": {\"http\": \"a.b\"}", &faults), 0);
	sample_resolve(&policy);
	assert_int_equal(policy_check(&policy, &arena, &faults), 0);
	assert_int_equal(faults.n, 1);
	assert_true(faults.at[0].warning);
	assert_int_equal(read_network("\"httpProxyPort\": 8080", &faults), 0);
	sample_resolve(&policy);
	assert_int_equal(policy.network.mode, POLICY_NETWORK_FILTERED);
	assert_int_equal(policy_check(&policy, &arena, &faults), 0);
	assert_int_equal(faults.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_nobody_else_says),
		cmocka_unit_test(test_modes),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

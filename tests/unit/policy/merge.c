#include "policy/merge.h"

#include "policy/profiles.h"
#include "unit/policy/sample.h"

/* --- The property: whatever is merged, the result allows nothing that the base did not. -------------------------------------- */

static uint64_t seed;

static unsigned dice(unsigned sides)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % sides;
}

static const char *random_text(void)
{
	static const char *const parts[] = { "a",       "b",   "home", "u", "w",  ".git", "hooks", "config", ".env",
		                             ".vscode", "usr", "etc",  "*", "**", "[ab]", "?",     "*.x",    "a.x" };
	static const char *const starts[] = { "/", "", "~/", "/home/u/", "/home/u/w/", "/usr/", "../" };
	static const char *const whole[] = { "/", ".", "~", "..", "/home", "/etc/shadow", ".git", ".vscode", ".env", "~/.ssh", "~/.cargo" };
	const char *text = starts[dice(COUNT(starts))];

	if (dice(3) == 0)
		return whole[dice(COUNT(whole))];
	for (unsigned n = 1 + dice(3); n > 0; n--)
		text = arena_printf(&arena, "%s%s%s", text, parts[dice(COUNT(parts))], n > 1 ? "/" : "");
	return text;
}

static void add_random(struct rule_vec *list)
{
	for (unsigned n = dice(3); n > 0; n--)
		assert_int_equal(policy_add_rule(&arena, list, random_text(), dice(4) == 0, "random"), 0);
}

static struct policy random_policy(bool request)
{
	struct policy policy;

	if (request)
		policy_init_request(&policy);
	else if (dice(4) == 0)
		assert_int_equal(policy_init_srt(&policy, &arena), 0);
	else
		policy = sample_default();
	add_random(&policy.filesystem.deny_read);
	add_random(&policy.filesystem.allow_read);
	add_random(&policy.filesystem.allow_write);
	add_random(&policy.filesystem.deny_write);
	if (dice(3) == 0)
		policy.filesystem.view = dice(2) ? POLICY_VIEW_HOST : POLICY_VIEW_TOOLCHAIN;
	if (dice(3) == 0)
		policy.filesystem.mandatory = dice(2);
	if (dice(3) == 0)
		policy.filesystem.hide_credentials = dice(2);
	if (dice(3) == 0)
		policy.filesystem.allow_git_config = dice(2);
	if (dice(4) == 0)
		policy.workspace.text = random_text();
	for (unsigned i = 0; i < POLICY_LIMITS_END; i++)
		if (dice(3) == 0)
			policy.limit[i] = (struct policy_limit){ dice(1000), "random" };
	policy.network.mode = dice(2) ? POLICY_NETWORK_HOST : POLICY_NETWORK_OFF;
	policy.process.allow_ptrace = dice(2);
	return policy;
}

static bool resolves(struct policy *policy)
{
	return policy_resolve(policy, &arena, "/home/u/w", "/home/u", NULL) == 0;
}

static const char *random_path(void)
{
	static const char *const parts[] = { "a",        "b",    "home", "u",      "w",   ".git", "hooks",  "config", ".env",
		                             ".vscode",  "usr",  "etc",  "shadow", "a.x", ".ssh", ".cargo", "bin",    ".env.example",
		                             "x.sample", "[ab]", "*" };
	static const char *const starts[] = { "/", "/home/u/", "/home/u/w/", "/home/u/w/.git/", "/usr/", "/etc/", "/home/u/w/a/" };
	const char *path = starts[dice(COUNT(starts))];

	for (unsigned n = 1 + dice(4); n > 0; n--)
		path = arena_printf(&arena, "%s%s%s", path, parts[dice(COUNT(parts))], n > 1 ? "/" : "");
	return path;
}

static void check_shrinks(const struct policy *base, const struct policy *request, const struct policy *merged)
{
	for (unsigned i = 0; i < 60; i++) {
		const char *path = random_path();

		for (int access = POLICY_READ; access <= POLICY_WRITE; access++)
			if (policy_allows(merged, path, access) && !policy_allows(base, path, access))
				fail_msg("seed %llu: %s", (unsigned long long)seed, path);
	}
	for (unsigned i = 0; i < POLICY_LIMITS_END; i++) {
		assert_true(merged->limit[i].value <= base->limit[i].value);
		assert_true(merged->limit[i].value <= request->limit[i].value);
	}
	assert_true(merged->network.mode <= base->network.mode && merged->network.mode <= request->network.mode);
	assert_true(!merged->process.allow_ptrace || (base->process.allow_ptrace && request->process.allow_ptrace));
	assert_true(merged->filesystem.view >= base->filesystem.view);
}

static void test_merging_only_shrinks(void **state)
{
	unsigned done = 0;

	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		struct policy base, request, merged;
		struct fault_vec faults = { 0 };

		seed = i;
		arena_done(&arena);
		arena_init(&arena, 64 << 20);
		base = random_policy(false);
		request = random_policy(dice(4) != 0);
		if (!resolves(&base) || !resolves(&request))
			continue;
		merged = base;
		assert_int_equal(policy_merge(&merged, &request, &arena, &faults), 0);
		check_shrinks(&base, &request, &merged);
		/* And resolving what came out, as the compiler does, changes nothing. */
		assert_true(resolves(&merged));
		check_shrinks(&base, &request, &merged);
		done++;
	}
	assert_true(done > 500);
}

static void test_a_request_for_nothing_changes_nothing(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 500; i++) {
		struct policy base, request, merged;
		struct fault_vec faults = { 0 };

		seed = i;
		base = random_policy(false);
		policy_init_request(&request);
		if (!resolves(&base) || !resolves(&request))
			continue;
		merged = base;
		assert_int_equal(policy_merge(&merged, &request, &arena, &faults), 0);
		assert_int_equal(faults.n, 0);
		for (unsigned n = 0; n < 30; n++) {
			const char *path = random_path();

			assert_access(&merged, path, policy_allows(&base, path, POLICY_READ), policy_allows(&base, path, POLICY_WRITE));
		}
		assert_int_equal(merged.strict, base.strict);
		assert_int_equal(merged.environment.inherit.n, base.environment.inherit.n);
		assert_memory_equal(merged.limit, base.limit, sizeof(base.limit));
	}
}

/* --- Cases. ------------------------------------------------------------------------------------------------------------------ */

static struct policy request_of(const char *text)
{
	struct policy request;
	struct fault_vec faults = { 0 };

	policy_init_request(&request);
	assert_int_equal(sample_read(&request, text, POLICY_COFFER, &faults), 0);
	return request;
}

/* The agent's profile, tightened. */
static struct policy merge(const char *text, size_t wanted_faults)
{
	struct policy base = sample_default(), request = request_of(text);
	struct fault_vec faults = { 0 };

	assert_int_equal(policy_read(&base, &arena, policy_profile("agent"), NULL, NULL), 0);
	sample_resolve(&base);
	sample_resolve(&request);
	assert_int_equal(policy_merge(&base, &request, &arena, &faults), 0);
	if (faults.n != wanted_faults)
		fail_msg("%s: %zu faults", text, faults.n);
	return base;
}

static void test_denials_unite(void **state)
{
	struct policy policy = merge("{\"filesystem\": {\"denyRead\": [\"secret\", \"~\"], \"denyWrite\": [\"src\", \"**/*.lock\"]}}", 0);

	(void)state;
	assert_access(&policy, "/home/u/w/secret", false, false);
	assert_access(&policy, "/home/u/w/src/x", true, false);
	assert_access(&policy, "/home/u/w/a/b.lock", true, false);
	assert_access(&policy, "/home/u/w/x", true, true);
	assert_access(&policy, "/home/u/.gitconfig", false, false); /* the profile's, but the request hides it */
	assert_access(&policy, "/home/u/.cargo/bin/x", false, false);
}

static void test_allowed_paths_intersect(void **state)
{
	struct policy policy = merge("{\"filesystem\": {\"allowWrite\": [\"out\"]}}", 0);

	(void)state;
	assert_access(&policy, "/home/u/w/out/x", true, true);
	assert_access(&policy, "/home/u/w/x", true, false);
	assert_access(&policy, "/home/u/w/out/.git/hooks/x", true, false);
	policy = merge("{\"filesystem\": {\"allowWrite\": [\"out\", \"~/elsewhere\", \"/\", \".git/hooks\"]}}", 2);
	assert_access(&policy, "/home/u/elsewhere", false, false);
	assert_access(&policy, "/home/u/w/.git/hooks/x", true, false);
	policy = merge("{\"filesystem\": {\"allowRead\": [\"/usr/share\", \"~/.ssh\"]}}", 1);
	assert_access(&policy, "/home/u/.ssh/x", false, false);
	assert_access(&policy, "/home/u/.gitconfig", false, false); /* not among what the request wants to read */
}

static void test_patterns_are_granted_where_nothing_below_is_denied(void **state)
{
	struct policy policy = merge("{\"filesystem\": {\"allowRead\": [\"/usr/share/*.txt\"]}}", 0);

	(void)state;
	policy = merge("{\"filesystem\": {\"allowRead\": [\"/etc/*\"]}}", 1);
	assert_access(&policy, "/etc/shadow", false, false);
	policy = merge("{\"filesystem\": {\"allowWrite\": [\"*.txt\"]}}", 1); /* there are protected places below */
	assert_access(&policy, "/home/u/w/a.txt", true, false);
}

static void test_what_is_dropped_is_named(void **state)
{
	struct policy base = sample_default(), request = request_of("{\"filesystem\": {\"allowWrite\": [\"/x\"]}}");
	struct fault_vec faults = { 0 };

	(void)state;
	sample_resolve(&base);
	sample_resolve(&request);
	assert_int_equal(policy_merge(&base, &request, &arena, &faults), 0);
	assert_int_equal(faults.n, 1);
	assert_string_equal(faults.at[0].source, "settings.json /filesystem/allowWrite/0");
	assert_string_equal(faults.at[0].found, "\"/x\"");
}

static void test_words_and_numbers(void **state)
{
	struct policy policy = merge(
	    "{\"strict\": true, \"require\": \"namespaces\", \"denials\": \"all\", \"process\": {\"umask\": \"077\", \"hostname\": \"x\"},"
	    " \"limits\": {\"memory\": \"1G\", \"timeout\": \"1s\"}, \"mandatoryDenySearchDepth\": 9}",
	    0);

	(void)state;
	assert_true(policy.strict);
	assert_int_equal(policy.require, POLICY_REQUIRE_NAMESPACES);
	assert_string_equal(policy.require_why, "settings.json /require");
	assert_int_equal(policy.denials, POLICY_DENIALS_ALL);
	assert_int_equal(policy.process.umask, 077);
	assert_string_equal(policy.process.hostname, "x");
	assert_int_equal(policy.limit[POLICY_LIMIT_MEMORY].value, 1 << 30);
	assert_string_equal(policy.limit[POLICY_LIMIT_MEMORY].why, "settings.json /limits/memory");
	assert_int_equal(policy.limit[POLICY_LIMIT_TIMEOUT].value, 1000);
	assert_int_equal(policy.filesystem.search_depth, 9);
	policy = merge(
	    "{\"limits\": {\"memory\": \"1T\", \"processes\": \"unlimited\"}, \"network\": {\"mode\": \"host\", \"allowAllUnixSockets\": true},"
	    " \"process\": {\"allowPtrace\": true}, \"allowNestedUserNamespaces\": true, \"strict\": false}",
	    6);
	assert_false(policy.process.allow_ptrace || policy.process.allow_nested_user_namespaces || policy.network.allow_all_unix_sockets);
	assert_int_equal(policy.network.mode, POLICY_NETWORK_OFF);
	assert_int_equal(policy.limit[POLICY_LIMIT_MEMORY].value, 8ull << 30);
	policy = merge("{\"process\": {\"allowTerminal\": true, \"allowPtrace\": false}}", 0);
	assert_true(policy.process.allow_terminal);
}

/* Which of the request's sockets and ports are left, and how many were not granted. */
static const char *network_after(const char *base_text, const char *request_text)
{
	struct policy base = sample_default(), request = request_of(request_text);
	struct fault_vec faults = { 0 };
	const char *all = "";

	assert_int_equal(sample_read(&base, base_text, POLICY_COFFER, &faults), 0);
	sample_resolve(&base);
	sample_resolve(&request);
	assert_int_equal(policy_merge(&base, &request, &arena, &faults), 0);
	for (size_t i = 0; i < base.network.unix_sockets.n; i++)
		all = arena_printf(&arena, "%s%s ", all, base.network.unix_sockets.at[i].text);
	for (size_t i = 0; i < base.network.publish.n; i++)
		all = arena_printf(&arena, "%s%s ", all, base.network.publish.at[i].text);
	return arena_printf(&arena, "%s%zu", all, faults.n);
}

#define SOCKETS(list) "{\"network\": {\"allowUnixSockets\": [" list "]}}"
#define PUBLISHED(list) "{\"network\": {\"publish\": [" list "]}}"

static void test_sockets_and_ports_are_only_narrowed(void **state)
{
	(void)state;
	assert_string_equal(network_after(SOCKETS("\"/run/a\""), "{}"), "/run/a 0");
	assert_string_equal(network_after(SOCKETS("\"/run/a\", \"/run/d\""), SOCKETS("\"/run/d/x\"")), "/run/d/x 0");
	assert_string_equal(network_after(SOCKETS("\"/run/a\""), SOCKETS("\"/run/a\", \"/run/b\"")), "/run/a 1");
	assert_string_equal(network_after(SOCKETS("\"/run/a\""), SOCKETS("\"/run\"")), "1");
	assert_string_equal(network_after(SOCKETS("\"/run/*/bus\""), SOCKETS("\"/run/7/bus\", \"/run/*/bus\"")), "/run/7/bus /run/*/bus 0");
	assert_string_equal(network_after(SOCKETS("\"/run/7\""), SOCKETS("\"/run/*\"")), "1");
	assert_string_equal(network_after("{}", SOCKETS("\"/run/a\"")), "1");
	assert_string_equal(network_after("{\"network\": {\"allowAllUnixSockets\": true}}",
	                                  "{\"network\": {\"allowAllUnixSockets\": false, \"allowUnixSockets\": [\"/run/a\"]}}"),
	                    "/run/a 0");
	assert_string_equal(network_after(PUBLISHED("\"80\", \"81\""), "{}"), "80 81 0");
	assert_string_equal(network_after(PUBLISHED("\"80\", \"81\""), PUBLISHED("\"127.0.0.1:81:81\"")), "127.0.0.1:81:81 0");
	assert_string_equal(network_after(PUBLISHED("\"80\""), PUBLISHED("\"80:81\"")), "1");
	assert_string_equal(network_after("{}", PUBLISHED("\"80\"")), "1");
}

static void test_environment(void **state)
{
	struct policy policy =
	    merge("{\"environment\": {\"inherit\": [\"PATH\", \"LC_TIME\", \"LC_*\", \"SECRET\", \"*\"], \"set\": {\"NEW\": \"1\"}}}", 2);

	(void)state;
	assert_int_equal(policy.environment.inherit.n, 3);
	assert_string_equal(policy.environment.set.at[0].name, "NEW");

	struct policy base = sample_default(),
		      request = request_of("{\"environment\": {\"set\": {\"A\": \"2\", \"B\": null, \"C\": \"3\"}}}");
	struct fault_vec faults = { 0 };

	assert_int_equal(sample_read(&base, "{\"environment\": {\"set\": {\"A\": \"1\", \"B\": null}}}", POLICY_COFFER, &faults), 0);
	sample_resolve(&base);
	sample_resolve(&request);
	assert_int_equal(policy_merge(&base, &request, &arena, &faults), 0);
	assert_int_equal(faults.n, 1);
	assert_int_equal(base.environment.set.n, 3);
	assert_string_equal(base.environment.set.at[0].value, "1");
}

static void test_workspace(void **state)
{
	struct policy policy = merge("{\"workspace\": {\"path\": \"sub\"}}", 0);

	(void)state;
	assert_string_equal(policy.workspace.path, "/home/u/w/sub");
	policy = merge("{\"workspace\": {\"path\": \"~/other\"}}", 1);
	assert_string_equal(policy.workspace.path, "/home/u/w");
	policy = merge("{\"workspace\": {\"alias\": \"/workspace/.\"}}", 0);
	assert_string_equal(policy.workspace.path, "/home/u/w");
	assert_string_equal(policy.workspace.alias, "/workspace");
}

static void test_switches_turn_on(void **state)
{
	struct policy base = sample_default(),
		      request = request_of("{\"filesystem\": {\"protectedPlaces\": true, \"hideCredentials\": true}}");
	struct fault_vec faults = { 0 };

	(void)state;
	base.filesystem.mandatory = base.filesystem.hide_credentials = false;
	sample_add(&base.filesystem.allow_write, ".");
	sample_resolve(&base);
	assert_access(&base, "/home/u/w/.git/hooks/x", true, true);
	sample_resolve(&request);
	assert_int_equal(policy_merge(&base, &request, &arena, &faults), 0);
	assert_access(&base, "/home/u/w/.git/hooks/x", true, false);
	assert_access(&base, "/home/u/w/.env", false, false);
}

static void test_rules_that_are_off(void **state)
{
	struct policy base, request = request_of("{}"), ruled = request_of("{\"filesystem\": {\"denyRead\": [\"/x\"]}}");
	struct fault_vec faults = { 0 };

	(void)state;
	assert_int_equal(policy_init_srt(&base, &arena), 0);
	base.filesystem.disabled = true;
	sample_resolve(&base);
	sample_resolve(&request);
	sample_resolve(&ruled);
	assert_int_equal(policy_merge(&base, &request, &arena, &faults), 0);
	assert_access(&base, "/x", true, true);
	assert_int_equal(policy_merge(&base, &ruled, &arena, &faults), 0);
	assert_access(&base, "/x", false, false);
	assert_access(&base, "/y", true, false);
	assert_int_equal(faults.n, 0);
	merge("{\"filesystem\": {\"disabled\": true}}", 1);
}

static void test_tightening_before_resolving(void **state)
{
	struct policy policy = sample_default(), first = request_of("{\"limits\": {\"memory\": \"2G\"}}"),
		      second = request_of("{\"limits\": {\"memory\": \"1G\"}, \"filesystem\": {\"denyRead\": [\"x\"]}}"),
		      third = request_of("{\"filesystem\": {\"allowWrite\": [\"/etc\"]}}");
	struct err err = { 0 };

	(void)state;
	assert_int_equal(policy_tighten(&policy, &first, &arena), 0);
	assert_int_equal(policy_tighten(&policy, &second, &arena), 0);
	sample_resolve(&policy);
	assert_int_equal(policy.limit[POLICY_LIMIT_MEMORY].value, 1 << 30);
	assert_access(&policy, "/home/u/w/x", false, false);
	assert_null(policy.tighten);
	assert_int_equal(policy_tighten(&policy, &third, &arena), 0);
	assert_true(policy_resolve(&policy, &arena, "/home/u/w", "/home/u", &err) < 0);
	assert_string_equal(err.where, "settings.json /filesystem/allowWrite/0");
	assert_non_null(policy.tighten);
}

/* --- The network. ------------------------------------------------------------------------------------------------------------ */

static struct policy with_domains(bool request, const char *text)
{
	struct policy policy = sample_default();
	struct fault_vec faults = { 0 };

	if (request)
		policy_init_request(&policy);
	assert_int_equal(sample_read(&policy, text, POLICY_COFFER, &faults), 0);
	assert_int_equal(policy_resolve(&policy, &arena, "/home/u/w", "/home/u", NULL), 0);
	return policy;
}

static const char *allowed_after(const char *base_text, const char *request_text, size_t *ret_faults)
{
	struct policy base = with_domains(false, base_text), request = with_domains(true, request_text);
	struct fault_vec faults = { 0 };
	const char *text = base.network.mode == POLICY_NETWORK_HOST ? "host:" : "";

	assert_int_equal(policy_merge(&base, &request, &arena, &faults), 0);
	for (size_t i = 0; i < base.network.domains.allowed.n; i++)
		text = arena_printf(&arena, "%s%s ", text, base.network.domains.allowed.at[i].text);
	*ret_faults = faults.n;
	return arena_printf(&arena, "%d %s", (int)base.network.mode, text);
}

static void test_domains_intersect(void **state)
{
	static const struct {
		const char *base, *request, *left;
		size_t faults;
	} cases[] = {
		{ "\"a.com\", \"*.b.com\"", "\"a.com\"", "1 a.com ", 0 },
		{ "\"a.com\", \"*.b.com\"", "\"x.b.com:443\"", "1 x.b.com:443 ", 0 },
		{ "\"a.com\", \"*.b.com\"", "\"*.y.b.com\"", "1 *.y.b.com ", 0 },
		{ "\"a.com:443\"", "\"a.com\"", "1 ", 1 },
		{ "\"a.com:443\"", "\"a.com:443\", \"b.com\"", "1 a.com:443 ", 1 },
		{ "\"*.b.com\"", "\"b.com\"", "1 ", 1 },
		{ "\"a.com\"", "\"*.a.com\"", "1 ", 1 },
	};
	size_t faults;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *base = arena_printf(&arena, "{\"network\": {\"allowedDomains\": [%s]}}", cases[i].base);
		const char *request = arena_printf(&arena, "{\"network\": {\"allowedDomains\": [%s]}}", cases[i].request);

		assert_string_equal(allowed_after(base, request, &faults), cases[i].left);
		assert_int_equal(faults, cases[i].faults);
	}
}

static void test_networks_narrow(void **state)
{
	size_t faults;

	(void)state;
	assert_string_equal(allowed_after("{}", "{\"network\": {\"allowedDomains\": [\"a.com\"]}}", &faults), "0 ");
	assert_int_equal(faults, 1);
	assert_string_equal(
	    allowed_after("{\"network\": {\"mode\": \"host\"}}", "{\"network\": {\"allowedDomains\": [\"a.com\"]}}", &faults),
	    "1 host:a.com ");
	assert_int_equal(faults, 0);
	assert_string_equal(allowed_after("{\"network\": {\"allowedDomains\": [\"a.com\"]}}", "{}", &faults), "1 a.com ");
	assert_string_equal(
	    allowed_after("{\"network\": {\"allowedDomains\": [\"a.com\"]}}", "{\"network\": {\"mode\": \"off\"}}", &faults), "0 a.com ");
	assert_string_equal(
	    allowed_after("{\"network\": {\"allowedDomains\": [\"a.com\"]}}", "{\"network\": {\"mode\": \"host\"}}", &faults), "1 a.com ");
	assert_int_equal(faults, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merging_only_shrinks),
		cmocka_unit_test(test_a_request_for_nothing_changes_nothing),
		cmocka_unit_test(test_denials_unite),
		cmocka_unit_test(test_allowed_paths_intersect),
		cmocka_unit_test(test_patterns_are_granted_where_nothing_below_is_denied),
		cmocka_unit_test(test_what_is_dropped_is_named),
		cmocka_unit_test(test_words_and_numbers),
		cmocka_unit_test(test_sockets_and_ports_are_only_narrowed),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_workspace),
		cmocka_unit_test(test_switches_turn_on),
		cmocka_unit_test(test_rules_that_are_off),
		cmocka_unit_test(test_tightening_before_resolving),
		cmocka_unit_test(test_domains_intersect),
		cmocka_unit_test(test_networks_narrow),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

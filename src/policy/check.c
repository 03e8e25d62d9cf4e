#include "policy/check.h"

#include "base/own.h"
#include "base/path.h"
#include "policy/decide.h"
#include "policy/places.h"

#include <errno.h>
#include <string.h>

enum { MEMORY_LEAST = 1 << 20 };

static const char *const limit_keys[POLICY_LIMITS_END] = {
#define LIMIT(id, key, unit, initial, sentence) [POLICY_LIMIT_##id] = "/limits/" key,
#include "policy/limits.def"
#undef LIMIT
};

struct check {
	const struct policy *policy;
	struct arena *arena;
	struct fault_vec *faults;
	int failed;
};

static void say(struct check *c, bool warning, const char *source, const char *text)
{
	const struct policy_fault fault = { .code = ERR_POLICY, .warning = warning, .source = source ? source : "policy", .allowed = text };

	if (!text || policy_fault_add(c->faults, c->arena, fault) < 0)
		c->failed = -ENOMEM;
}

/* --- Limits. ----------------------------------------------------------------------------------------------------------------- */

static const char *source_of(const struct check *c, enum policy_limit_id id)
{
	return c->policy->limit[id].why ? c->policy->limit[id].why : limit_keys[id];
}

static void check_limits(struct check *c)
{
	const struct policy_limit *limit = c->policy->limit;
	uint64_t memory = limit[POLICY_LIMIT_MEMORY].value, swap = limit[POLICY_LIMIT_SWAP].value;

	for (unsigned i = 0; i < POLICY_LIMITS_END; i++)
		if (limit[i].value == 0 && i != POLICY_LIMIT_SWAP)
			say(c, false, source_of(c, i), "a limit of zero leaves nothing to run with");
	if (memory > 0 && memory < MEMORY_LEAST)
		say(c, false, source_of(c, POLICY_LIMIT_MEMORY), "no program starts in less than 1M of memory");
	if (memory == NUM_UNLIMITED && swap != NUM_UNLIMITED && limit[POLICY_LIMIT_SWAP].why)
		say(c, false, source_of(c, POLICY_LIMIT_SWAP), "swap is limited together with memory, which has no limit here");
}

/* --- Files. ------------------------------------------------------------------------------------------------------------------ */

static void refuse_void(struct check *c, const struct policy_rule *rule, enum policy_access access)
{
	struct policy_verdict verdict;

	if (rule->glob)
		return;
	verdict = policy_decide(c->policy, rule->path, access);
	if (verdict.allowed)
		return;
	say(c, false, rule->why,
	    arena_printf(c->arena, "\"%s\" allows nothing, for \"%s\" denies it%s%s", rule->text,
	                 verdict.rule ? verdict.rule->text : "the default", verdict.rule && verdict.rule->why ? ": " : "",
	                 verdict.rule && verdict.rule->why ? verdict.rule->why : ""));
}

static bool is_fresh(const char *path)
{
	static const char *const fresh[] = { "/proc", "/sys", "/dev" };

	for (size_t i = 0; i < ARRAY_LEN(fresh); i++)
		if (path_within(path, fresh[i]) && strcmp(path, "/dev/shm") != 0)
			return true;
	return false;
}

static void check_writable(struct check *c, const struct policy_rule *rule)
{
	const char *home = c->policy->home;

	if (strcmp(rule->path, "/") == 0 && !rule->glob)
		say(c, false, rule->why, "opening \"/\" for writing is no sandbox: name the directories that are meant");
	else if (is_fresh(rule->path))
		say(c, false, rule->why,
		    arena_printf(c->arena, "\"%s\" is made anew in every sandbox: the host's cannot be written", rule->text));
	else if (!rule->glob && home && path_within(home, rule->path))
		say(c, true, rule->why, arena_printf(c->arena, "\"%s\" opens all of home for writing", rule->text));
}

static void check_rules(struct check *c)
{
	const struct policy_filesystem *fs = &c->policy->filesystem;

	for (size_t i = 0; i < fs->allow_read.n; i++)
		if (!fs->allow_read.at[i].derived)
			refuse_void(c, &fs->allow_read.at[i], POLICY_READ);
	for (size_t i = 0; i < fs->allow_write.n; i++) {
		if (fs->allow_write.at[i].derived)
			continue;
		refuse_void(c, &fs->allow_write.at[i], POLICY_WRITE);
		check_writable(c, &fs->allow_write.at[i]);
	}
}

static bool has_own(const struct rule_vec *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (!list->at[i].derived)
			return true;
	return false;
}

static void check_switches(struct check *c)
{
	const struct policy_filesystem *fs = &c->policy->filesystem;

	if (fs->disabled)
		say(c, false, "/filesystem/disabled", "a sandbox without rules for files is none");
	if (!fs->mandatory && has_own(&fs->allow_write))
		say(c, true, "/filesystem/protectedPlaces", "what is written may make the host execute it later");
	if (!fs->hide_credentials)
		say(c, true, "/filesystem/hideCredentials", "keys and tokens can be read where something makes their directory readable");
}

static void check_workspace(struct check *c)
{
	const struct policy_workspace *workspace = &c->policy->workspace;
	const struct policy_verdict verdict = policy_decide(c->policy, workspace->path, POLICY_READ);

	if (verdict.allowed)
		return;
	if (verdict.rule && !verdict.rule->derived)
		say(c, false, verdict.rule->why, arena_printf(c->arena, "\"%s\" hides the working directory", verdict.rule->text));
	else
		say(c, true, workspace->why ? workspace->why : "working directory",
		    arena_printf(c->arena, "\"%s\" is too wide to be opened unasked: name what is needed with allowRead", workspace->path));
}

static void check_network(struct check *c)
{
	const struct policy_network *network = &c->policy->network;
	const struct domain_vec *first = network->domains.allowed.n ? &network->domains.allowed : &network->domains.denied;

	if (first->n == 0 || network->mode == POLICY_NETWORK_FILTERED)
		return;
	say(c, network->mode == POLICY_NETWORK_OFF, first->at[0].why,
	    network->mode == POLICY_NETWORK_OFF ? "nothing can be reached: the network is off"
	                                        : "domains are not filtered on the host's network: leave network.mode away");
}

/* Nobody is asked for a way out where there is none, or where everything is one. */
static void check_ways(struct check *c)
{
	const struct policy_network *network = &c->policy->network;
	const struct policy_ways *ways = &network->ways;
	const char *why = ways->parent.n ? ways->parent.at[0].why : ways->mitm.socket ? ways->mitm.why : ways->ports_why;

	if (!why || network->mode == POLICY_NETWORK_FILTERED)
		return;
	say(c, network->mode == POLICY_NETWORK_OFF, why,
	    network->mode == POLICY_NETWORK_OFF ? "nobody is asked: the network is off, for no domain is allowed"
	                                        : "nobody is asked on the host's network: leave network.mode away");
}

static void check_published(struct check *c)
{
	const struct policy_network *network = &c->policy->network;

	if (network->publish.n && network->mode == POLICY_NETWORK_HOST)
		say(c, false, network->publish.at[0].why,
		    "servers inside are on the host's network already: leave network.publish away, or network.mode");
}

/* --- What hangs on TLS. ------------------------------------------------------------------------------------------------------ */

static bool is_covered(const struct domain_vec *list, const struct domain_pattern *pattern)
{
	struct domain_pattern wanted = *pattern, all;

	wanted.port = 0; /* a credential is for a host */
	for (size_t i = 0; i < list->n; i++) {
		all = list->at[i];
		all.port = 0;
		if (domain_pattern_covers(&all, &wanted))
			return true;
	}
	return false;
}

static const char *find_fault(const struct check *c, const struct credential *credential)
{
	const struct policy_network *network = &c->policy->network;
	const struct domain_vec *hosts = credential->hosts.n ? &credential->hosts : &network->domains.allowed;
	bool reaches = hosts->n == 0;

	if (!network->tls.terminate && !c->policy->credentials.allow_plaintext_inject)
		return "masking needs network.tlsTerminate, so that a secret goes to a verified server alone";
	for (size_t i = 0; i < hosts->n; i++) {
		bool closed = is_covered(&network->tls.excluded, &hosts->at[i]);

		if (!is_covered(&network->domains.allowed, &hosts->at[i]))
			return arena_printf(c->arena, "injectHosts \"%s\" cannot be reached: add it to allowedDomains", hosts->at[i].text);
		if (closed && credential->hosts.n)
			return arena_printf(c->arena, "injectHosts \"%s\" lies within tlsTerminate.excludeDomains: nothing is put in there",
			                    hosts->at[i].text);
		reaches = reaches || !closed;
	}
	return reaches ? NULL : "every allowed domain lies within tlsTerminate.excludeDomains: nothing is put in anywhere";
}

static void check_credential(struct check *c, const struct credential *credential)
{
	const struct variable_vec *set = &c->policy->environment.set;
	const char *fault = credential->mask ? find_fault(c, credential) : NULL;

	if (fault)
		say(c, false, credential->why, fault);
	for (size_t i = 0; i < set->n; i++)
		if (!credential->is_file && set->at[i].value && strcmp(set->at[i].name, credential->name) == 0)
			say(c, false, credential->why, arena_printf(c->arena, "environment.set has %s as well", credential->name));
}

/* Part of a pair: masked as a whole. */
static bool is_whole(const struct check *c, const char *name)
{
	const struct credential_vec *variables = &c->policy->credentials.variables;

	for (size_t i = 0; i < variables->n; i++) {
		const struct credential *credential = &variables->at[i];

		if (strcmp(credential->name, name) == 0)
			return credential->mask && !credential->extract && !credential->jwt;
	}
	return false;
}

static unsigned count_uses(const struct check *c, const char *name)
{
	const struct credential_aws_pair_vec *pairs = &c->policy->credentials.aws_pairs;
	unsigned uses = 0;

	for (size_t i = 0; i < pairs->n; i++) {
		const char *const names[] = { pairs->at[i].id, pairs->at[i].key, pairs->at[i].token };

		for (size_t k = 0; k < 3; k++)
			uses += names[k] && strcmp(names[k], name) == 0;
	}
	return uses;
}

static void check_aws_pair(struct check *c, const struct credential_aws_pair *pair)
{
	const char *const names[] = { pair->id, pair->key, pair->token };

	for (size_t i = 0; i < 3; i++) {
		if (names[i] && !is_whole(c, names[i]))
			say(c, false, pair->why,
			    arena_printf(c->arena, "\"%s\" is not masked as a whole: list it in credentials.envVars with mode \"mask\"",
			                 names[i]));
		else if (names[i] && count_uses(c, names[i]) > 1)
			say(c, false, pair->why, arena_printf(c->arena, "\"%s\" is used more than once", names[i]));
	}
}

static void check_credentials(struct check *c)
{
	const struct policy_credentials *credentials = &c->policy->credentials;

	for (size_t i = 0; i < credentials->files.n; i++)
		check_credential(c, &credentials->files.at[i]);
	for (size_t i = 0; i < credentials->variables.n; i++)
		check_credential(c, &credentials->variables.at[i]);
	for (size_t i = 0; i < credentials->aws_pairs.n; i++)
		check_aws_pair(c, &credentials->aws_pairs.at[i]);
}

static void check_tls(struct check *c)
{
	const struct policy_network *network = &c->policy->network;
	const struct policy_tls *tls = &network->tls;

	if (tls->terminate && network->mode == POLICY_NETWORK_HOST)
		say(c, false, tls->why, "TLS is not opened on the host's network: leave network.mode away");
	if (network->requests.n && !tls->terminate && !network->refuse_opaque_tunnels)
		say(c, false, network->requests.at[0].why,
		    "without network.tlsTerminate requests over TLS are not seen; refuseOpaqueTunnels would leave plain HTTP alone");
	if (tls->ca_key && policy_allows(c->policy, tls->ca_key, POLICY_READ))
		say(c, false, tls->why, arena_printf(c->arena, "caKeyPath \"%s\" could be read inside", tls->ca_key));
}

int policy_check(const struct policy *policy, struct arena *arena, struct fault_vec *faults)
{
	struct check c = { .policy = policy, .arena = arena, .faults = faults };

	check_limits(&c);
	check_network(&c);
	check_ways(&c);
	check_published(&c);
	check_tls(&c);
	check_credentials(&c);
	if (policy->dialect == POLICY_COFFER) {
		check_switches(&c);
		check_rules(&c);
		check_workspace(&c);
	}
	return c.failed;
}

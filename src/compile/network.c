/*
 * The way out: nothing, the egress filter, or the host's network. The filter's rules go into the plan as they are, for the engine to hand over; the
 * sandbox gets a socket to reach it by and variables that say where, which most programs go by.
 */
#include "compile/stage.h"
#include "policy/upstream.h"

enum { HTTP_PORT = 3128, SOCKS_PORT = 1080 }; /* as in srt */

bool network_is_own(const struct compile *c)
{
	return c->policy->network.mode != POLICY_NETWORK_HOST;
}

bool network_is_filtered(const struct compile *c)
{
	return c->policy->network.mode == POLICY_NETWORK_FILTERED && c->rung == COMPILE_RUNG_NAMESPACES;
}

const char *network_why(const struct compile *c)
{
	return c->policy->network.mode_why ? c->policy->network.mode_why : WHY_DEFAULT;
}

bool network_publishes(const struct compile *c)
{
	return c->policy->network.publish.n && network_is_own(c) && c->rung == COMPILE_RUNG_NAMESPACES;
}

static int choose_published(struct compile *c)
{
	const struct published_vec *list = &c->policy->network.publish;

	if (list->n == 0 || network_publishes(c))
		return 0;
	return compile_weaken(c, list->at[0].why, "without a network of its own a sandbox has no servers to publish");
}

/* What is missing then is a way, not a wall: no error, whatever the policy asks for. */
static int choose_ways(struct compile *c)
{
	if (!c->facts->nftables)
		plan_build_note(&c->plan,
		                "only programs that go by proxy variables reach the network: this kernel has no nf_tables to lead "
		                "the others to the filter (CONFIG_NF_TABLES_INET, CONFIG_NFT_REDIR)");
	return 0;
}

int network_choose(struct compile *c)
{
	const struct policy_network *network = &c->policy->network;
	int r = choose_published(c);

	if (r < 0 || network->mode != POLICY_NETWORK_FILTERED || (network->domains.allowed.n == 0 && !network->ways.ports_why))
		return r;
	if (c->rung == COMPILE_RUNG_NAMESPACES)
		return choose_ways(c);
	return compile_weaken(c, network_why(c),
	                      "without namespaces there is no way past the egress filter to close, so nothing can be reached at all");
}

static const char *reason_of(const struct policy_network *network, const struct domain_pattern *pattern)
{
	for (size_t i = 0; i < network->denied_reasons.n; i++)
		if (strcmp(network->denied_reasons.at[i].name, pattern->text) == 0)
			return network->denied_reasons.at[i].value;
	return NULL;
}

static void add_field(struct str *out, const char *before, const char *text)
{
	str_add(out, before);
	str_add_json(out, text, strlen(text));
}

static void add_domains(struct str *out, const struct policy_network *network, const struct domain_vec *domains)
{
	for (size_t i = 0; i < domains->n; i++) {
		const struct domain_pattern *pattern = &domains->at[i];
		const char *reason = reason_of(network, pattern);

		add_field(out, i ? ", {\"text\": " : "{\"text\": ", pattern->text);
		add_field(out, ", \"why\": ", pattern->why ? pattern->why : WHY_DEFAULT);
		if (reason)
			add_field(out, ", \"reason\": ", reason);
		str_add_char(out, '}');
	}
}

unsigned compile_filter_uid(uint32_t sandbox_uid)
{
	enum { OWN_IDS = 0x7c0f0000, FILTERS = 0x10000000 };

	return sandbox_uid >= OWN_IDS ? sandbox_uid - FILTERS : sandbox_uid;
}

static void add_texts(struct str *out, const char *name, const struct text_vec *list)
{
	if (list->n == 0)
		return;
	for (size_t i = 0; i < list->n; i++) {
		str_printf(out, i ? ", " : ", \"%s\": [", name);
		str_add_json(out, list->at[i], strlen(list->at[i]));
	}
	str_add_char(out, ']');
}

static void add_hosts(struct str *out, const struct domain_vec *list)
{
	for (size_t i = 0; i < list->n; i++)
		add_field(out, i ? ", " : ", \"hosts\": [", list->at[i].text);
	str_add(out, list->n ? "]" : "");
}

static void add_headers(struct str *out, const struct access_header_vec *list)
{
	for (size_t i = 0; i < list->n; i++) {
		add_field(out, i ? ", " : ", \"headers\": {", list->at[i].name);
		if (list->at[i].value)
			add_field(out, ": ", list->at[i].value);
		else
			str_add(out, ": null");
	}
	str_add(out, list->n ? "}" : "");
}

static void add_flag(struct str *out, const char *name, bool flag)
{
	if (flag)
		str_printf(out, ", \"%s\": true", name);
}

static void write_request(const struct access_rule *rule, struct str *out)
{
	str_printf(out, "{\"layer\": %u, \"deny\": %s", rule->layer, rule->deny ? "true" : "false");
	add_field(out, ", \"why\": ", rule->why ? rule->why : WHY_DEFAULT);
	if (rule->reason)
		add_field(out, ", \"reason\": ", rule->reason);
	add_hosts(out, &rule->hosts);
	add_texts(out, "methods", &rule->methods);
	add_texts(out, "paths", &rule->paths);
	add_headers(out, &rule->headers);
	str_add_char(out, '}');
}

void network_write_requests(const struct compile *c, struct str *out)
{
	static const char *const targets[] = {
		[POLICY_TARGET_REFUSE] = NULL, [POLICY_TARGET_AS_SPELLED] = "asSpelled", [POLICY_TARGET_NORMALIZE] = "normalize"
	};
	const struct policy_network *network = &c->policy->network;

	for (size_t i = 0; i < network->requests.n; i++) {
		str_add(out, i ? ", " : ", \"requests\": [");
		write_request(&network->requests.at[i], out);
	}
	str_add(out, network->requests.n ? "]" : "");
	add_texts(out, "stripped_headers", &network->stripped_headers);
	if (targets[network->ambiguous_target])
		add_field(out, ", \"ambiguous_target\": ", targets[network->ambiguous_target]);
	add_flag(out, "refuse_opaque_tunnels", network->refuse_opaque_tunnels);
	add_flag(out, "require_host_match", network->require_host_match);
	add_flag(out, "plaintext_header_set",
	         network->allow_plaintext_header_set && (network->requests.n || network->asks & POLICY_ASKS_REQUESTS));
	add_flag(out, "asks_requests", network->asks & POLICY_ASKS_REQUESTS);
	add_flag(out, "asks_hosts", network->asks & POLICY_ASKS_HOSTS);
}

static const char *parent_member(const struct policy_network *network, const char *name)
{
	for (size_t i = 0; i < network->ways.parent.n; i++)
		if (strcmp(network->ways.parent.at[i].name, name) == 0)
			return network->ways.parent.at[i].value;
	return NULL;
}

/* What the settings say; in srt's dialect, what the caller's variables say where they do not. */
static const char *find_parent(const struct compile *c, const char *member, const char *upper, const char *lower)
{
	const char *value = parent_member(&c->policy->network, member);

	if (value || c->policy->dialect != POLICY_SRT)
		return value;
	value = environment_of_caller(c, upper);
	return value ? value : environment_of_caller(c, lower);
}

/* A variable that names no proxy that can be spoken to is as good as none, as in srt. */
static const char *usable(const struct compile *c, const char *url)
{
	struct upstream upstream;

	return url && upstream_parse(url, c->arena, &upstream) == 0 ? url : NULL;
}

/* The URLs: NULL where there is none. */
struct parents {
	const char *http, *https;
};

static struct parents find_parents(const struct compile *c)
{
	const char *http = find_parent(c, "http", "HTTP_PROXY", "http_proxy"),
		   *https = find_parent(c, "https", "HTTPS_PROXY", "https_proxy");

	return (struct parents){ usable(c, http), usable(c, https ? https : http) };
}

static bool has_tls(const struct compile *c, const char *url)
{
	struct upstream upstream;

	return url && upstream_parse(url, c->arena, &upstream) == 0 && upstream.tls;
}

static bool any_has_tls(const struct compile *c)
{
	const struct parents parents = find_parents(c);

	return has_tls(c, parents.http) || has_tls(c, parents.https);
}

bool network_parent_has_tls(const struct compile *c)
{
	return network_is_filtered(c) && any_has_tls(c);
}

bool compile_parent_has_tls(const struct policy *policy, const struct inputs *inputs, struct arena *arena, const char **ret_ca_path)
{
	const struct compile c = { .policy = policy, .inputs = inputs, .arena = arena };

	*ret_ca_path = find_parent(&c, "caCertPath", "NODE_EXTRA_CA_CERTS", "NODE_EXTRA_CA_CERTS");
	return any_has_tls(&c);
}

void network_write_parent(const struct compile *c, struct str *out)
{
	const struct parents parents = find_parents(c);
	const char *no_proxy = find_parent(c, "noProxy", "NO_PROXY", "no_proxy");

	if (!network_is_filtered(c) || (!parents.http && !parents.https))
		return;
	add_field(out, ", \"parent\": {\"no_proxy\": ", no_proxy ? no_proxy : "");
	if (parents.http)
		add_field(out, ", \"http\": ", parents.http);
	if (parents.https)
		add_field(out, ", \"https\": ", parents.https);
	str_add_char(out, '}');
}

static void add_ports(const struct policy_ways *ways, struct str *out)
{
	if (!ways->http_port && !ways->socks_port)
		return;
	str_add(out, ", \"outside\": {");
	if (ways->http_port)
		str_printf(out, "\"http\": %u%s", ways->http_port, ways->socks_port ? ", " : "");
	if (ways->socks_port)
		str_printf(out, "\"socks\": %u", ways->socks_port);
	str_add_char(out, '}');
}

static void add_mitm(const struct policy_mitm *mitm, struct str *out)
{
	if (!mitm->socket)
		return;
	add_field(out, ", \"mitm\": {\"socket\": ", mitm->socket);
	str_add(out, ", \"domains\": [");
	for (size_t i = 0; i < mitm->domains.n; i++)
		add_field(out, i ? ", " : "", mitm->domains.at[i].text);
	str_add(out, "]}");
}

static void write_rules(const struct compile *c, struct str *out)
{
	const struct policy_network *network = &c->policy->network;

	str_add(out, "{\"allowed\": [");
	add_domains(out, network, &network->domains.allowed);
	str_add(out, "], \"denied\": [");
	add_domains(out, network, &network->domains.denied);
	str_add(out, "], \"denied_addresses\": [");
	for (size_t i = 0; i < network->denied_addresses.n; i++)
		add_field(out, i ? ", " : "", network->denied_addresses.at[i]);
	str_printf(out, "], \"allow_private\": %s, \"dialect\": \"%s\"", network->allow_private_addresses ? "true" : "false",
	           c->policy->dialect == POLICY_SRT ? "srt" : "coffer");
	str_printf(out, ", \"uid\": %u", compile_filter_uid(c->facts->sandbox_uid));
	add_mitm(&network->ways.mitm, out);
	add_ports(&network->ways, out);
	str_add_char(out, '}');
}

void compile_network_rules(const struct policy *policy, const struct inputs *inputs, const struct facts *facts, struct arena *arena,
                           struct str *out)
{
	struct policy filtered = *policy; /* also where nothing may be reached any more */
	const struct compile c = { .policy = &filtered, .inputs = inputs, .facts = facts, .arena = arena, .rung = COMPILE_RUNG_NAMESPACES };

	filtered.network.mode = POLICY_NETWORK_FILTERED;

	write_rules(&c, out);
	str_add_n(out, "", 1);
	secrets_write_again(&c, out);
}

int network_put_filter(struct compile *c)
{
	const struct published_vec *list = &c->policy->network.publish;
	struct str rules, secrets;
	int r = 0;

	if (!network_is_filtered(c) && !network_publishes(c))
		return 0;
	str_init(&rules, COMPILE_RULES_MAX);
	str_init(&secrets, 4 * COMPILE_RULES_MAX);
	write_rules(c, &rules);
	secrets_write(c, &secrets);
	if (rules.failed || secrets.failed)
		r = compile_no_memory(c);
	if (r == 0)
		plan_add(&c->plan, OP_EGRESS, network_why(c), rules.text, rules.len, secrets.text, secrets.len,
		         (uint64_t)(secrets_open_tls(c) || network_parent_has_tls(c)));
	str_done(&rules);
	str_done(&secrets);
	for (size_t i = 0; r == 0 && network_publishes(c) && i < list->n; i++)
		plan_add(&c->plan, OP_PUBLISH, list->at[i].why, list->at[i].address, (uint64_t)list->at[i].port,
		         (uint64_t)list->at[i].inner);
	return r;
}

void network_put_wait(struct compile *c)
{
	if (network_is_filtered(c) || network_publishes(c))
		plan_add(&c->plan, OP_AWAIT, network_why(c));
}

void network_put_ways(struct compile *c)
{
	if (!network_is_own(c))
		return;
	plan_add(&c->plan, OP_LOOPBACK, network_why(c));
	if (!network_is_filtered(c))
		return;
	plan_add(&c->plan, OP_LISTEN, network_why(c), (uint64_t)HTTP_PORT);
	plan_add(&c->plan, OP_LISTEN, network_why(c), (uint64_t)SOCKS_PORT);
	if (c->facts->nftables)
		plan_add(&c->plan, OP_REDIRECT, network_why(c));
}

/* Both spellings, for programs disagree on them. What is inside itself is reached directly. */
enum whose { EVERYBODY, COFFERS, SRTS }; /* who counts on srt may count on its own */
static const struct {
	const char *name, *before;
	unsigned port; /* 0: before is the whole value */
	enum whose whose;
} variables[] = {
	{ "HTTP_PROXY", "http://", HTTP_PORT, EVERYBODY },
	{ "HTTPS_PROXY", "http://", HTTP_PORT, EVERYBODY },
	{ "http_proxy", "http://", HTTP_PORT, EVERYBODY },
	{ "https_proxy", "http://", HTTP_PORT, EVERYBODY },
	{ "ALL_PROXY", "socks5h://", SOCKS_PORT, COFFERS },
	{ "all_proxy", "socks5h://", SOCKS_PORT, COFFERS },
	{ "ALL_PROXY", "http://", HTTP_PORT, SRTS },
	{ "all_proxy", "http://", HTTP_PORT, SRTS },
	{ "FTP_PROXY", "socks5h://", SOCKS_PORT, EVERYBODY },
	{ "ftp_proxy", "socks5h://", SOCKS_PORT, EVERYBODY },
	{ "RSYNC_PROXY", "", HTTP_PORT, COFFERS },
	{ "RSYNC_PROXY", "", SOCKS_PORT, SRTS },
	{ "GRPC_PROXY", "http://", HTTP_PORT, EVERYBODY },
	{ "grpc_proxy", "http://", HTTP_PORT, EVERYBODY },
	{ "NODE_USE_ENV_PROXY", "1", 0, EVERYBODY }, /* Node 24 and 22.21: fetch and http go by the variables */
	{ "DOCKER_HTTP_PROXY", "http://", HTTP_PORT, SRTS },
	{ "DOCKER_HTTPS_PROXY", "http://", HTTP_PORT, SRTS },
	{ "CLOUDSDK_PROXY_TYPE", "http", 0, SRTS },
	{ "CLOUDSDK_PROXY_ADDRESS", "localhost", 0, SRTS },
	{ "CLOUDSDK_PROXY_PORT", "3128", 0, SRTS },
};

#define DIRECT "localhost,127.0.0.1,::1"
#define DIRECT_SRT DIRECT ",169.254.0.0/16,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16"

static int add(const struct compile *c, struct variable_vec *list, const char *name, const char *value)
{
	struct policy_variable *slot = value ? variable_vec_add(list, c->arena) : NULL;

	if (!slot)
		return -ENOMEM;
	*slot = (struct policy_variable){ name, value, WHY_DEFAULT };
	return 0;
}

int network_add_variables(const struct compile *c, struct variable_vec *list)
{
	bool srt = c->policy->dialect == POLICY_SRT;
	const char *direct = srt ? DIRECT_SRT : DIRECT;
	int r = 0;

	if (!network_is_filtered(c))
		return 0;
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]) && r == 0; i++) {
		const char *value = variables[i].before;

		if (variables[i].whose == (srt ? COFFERS : SRTS))
			continue;
		if (variables[i].port)
			value = arena_printf(c->arena, "%s%s:%u", value, srt ? "localhost" : "127.0.0.1", variables[i].port);
		r = add(c, list, variables[i].name, value);
	}
	if (r == 0)
		r = add(c, list, "NO_PROXY", direct);
	return r == 0 ? add(c, list, "no_proxy", direct) : r;
}

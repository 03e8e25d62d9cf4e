/*
 * Theory of operation. Local sockets are init's (sys/local.h): it makes them, binds them and connects them, to what was made inside and to what
 * allowUnixSockets lists. A listed path is opened for reading as well, or nobody inside would have it. It counts by its name where nothing inside can
 * give that name to another socket. Inside a tree that the sandbox may write, anything that lies there could be moved to it; there it is the socket
 * that has the name when the command starts, and a directory or pattern cannot be listed at all.
 */
#include "base/path.h"
#include "compile/stage.h"
#include "policy/pattern.h"

enum { ABI_SCOPES = 6 };

bool sockets_keeps_abstract(const struct compile *c)
{
	return (c->rung == COMPILE_RUNG_NAMESPACES && network_is_own(c)) || c->facts->landlock_abi >= ABI_SCOPES;
}

/* Something besides it could be moved to it: it is below the top of a writable tree. */
static bool can_be_given_away(const struct compile *c, const char *path)
{
	const struct region *region = &c->regions.at[region_find(&c->regions, path)];

	return region_is_host_writable(region) && strcmp(region->path, path) != 0;
}

static int add_line(struct compile *c, char letter, const char *glob, const struct policy_rule *rule)
{
	struct pattern *line = glob ? pattern_vec_add(&c->patterns, c->arena) : NULL;

	if (!line)
		return compile_no_memory(c);
	*line = (struct pattern){ letter, glob, rule->why ? rule->why : WHY_DEFAULT, true };
	return 0;
}

static int refuse_wide(struct compile *c, const struct policy_rule *rule)
{
	int r = err_set(c->err, ERR_POLICY, EXDEV,
	                "%s: what the sandbox may write could be moved there, sockets of the host among it: name the socket itself",
	                rule->text);

	if (rule->why)
		err_at(c->err, rule->why);
	return r;
}

static int list_path(struct compile *c, const struct policy_rule *rule, const char *path)
{
	const struct survey_entry *entry = survey_find(c->inputs->survey, path);
	bool absent = !entry || entry->kind == SURVEY_ABSENT || entry->kind == SURVEY_UNREADABLE;
	const char *real = entry ? entry->real : path;

	if (absent && !rule->optional && !rule->glob && fresh_holds(c, real)) /* elsewhere rules.c has said so */
		plan_build_note(&c->plan, "%s: does not exist, so nobody can connect to it: start its server first", path);
	if (!can_be_given_away(c, real))
		return add_line(c, 's', pattern_quote(c->arena, real), rule);
	if (absent)
		return 0;
	return entry->kind == SURVEY_DIR ? refuse_wide(c, rule) : add_line(c, 'i', real, rule);
}

static int list_glob(struct compile *c, const struct policy_rule *rule)
{
	const struct survey_entry *top = survey_find(c->inputs->survey, rule->path);

	for (size_t i = 0; i < c->regions.n; i++)
		if (region_is_host_writable(&c->regions.at[i]) && path_within(c->regions.at[i].path, top ? top->real : rule->path))
			return refuse_wide(c, rule);
	if (can_be_given_away(c, top ? top->real : rule->path))
		return refuse_wide(c, rule);
	return add_line(c, 's', patterns_real_glob(c, rule), rule);
}

static int list_sockets(struct compile *c)
{
	const struct rule_vec *list = &c->policy->network.unix_sockets;
	int r = 0;

	for (size_t i = 0; r == 0 && i < list->n; i++) {
		const struct policy_rule *rule = &list->at[i];

		r = rule->glob ? list_glob(c, rule) : list_path(c, rule, rule->path);
		if (r == 0 && rule->name)
			r = list_path(c, rule, rule->name);
	}
	return r;
}

/* On rung two init has to be shown /proc for that: what is there is not given away for what nobody asked for. */
static bool is_worth_it(const struct compile *c)
{
	return c->rung == COMPILE_RUNG_NAMESPACES || c->acts || c->acts_on_opens || c->policy->network.unix_sockets.n;
}

int sockets_choose(struct compile *c)
{
	const struct policy_network *network = &c->policy->network;
	const char *reason = network->allow_all_unix_sockets ? NULL : patterns_reason_against(c);

	c->hands_out_sockets = !network->allow_all_unix_sockets && !reason && is_worth_it(c);
	if (c->hands_out_sockets)
		return list_sockets(c);
	if (!reason || network->unix_sockets.n == 0)
		return 0;
	return compile_weaken(c, network->unix_sockets.at[0].why, "no Unix socket can be connected to: %s", reason);
}

#include "session/why.h"

#include "base/path.h"
#include "base/str.h"
#include "policy/decide.h"
#include "policy/pattern.h"
#include "policy/places.h"
#include "policy/schema.h"

#include <errno.h>
#include <string.h>

enum { WHY_TEXT_MAX = 3 * PATH_BYTES_MAX, COMMAND_TEXT_MAX = 8 << 20 };

/* A change of one setting, before it is written down. No pointer: no change. */
struct change {
	const char *pointer; /* of the setting, as in schema.def */
	const char *path;    /* for a list of paths or domains */
	const char *value;   /* for the others, as JSON */
};

static const struct change no_change;
static const struct change private_addresses = { "/network/allowPrivateAddresses", NULL, "true" };
static const struct change host_network = { "/network/mode", NULL, "\"host\"" };
static const struct change unix_sockets = { "/network/allowAllUnixSockets", NULL, "true" };
static const struct change tracing = { "/process/allowPtrace", NULL, "true" };
static const struct change nesting = { "/allowNestedUserNamespaces", NULL, "true" };
static const struct change git_config = { "/filesystem/allowGitConfig", NULL, "true" };
static const struct change instructions = { "/filesystem/allowAgentInstructions", NULL, "true" };
static const struct change protected_places = { "/filesystem/protectedPlaces", NULL, "false" };

static struct change allow_path(const char *pointer, const char *path)
{
	/* Advice to open all of "/" is no advice. */
	if (!path || !path_is_normal(path) || strcmp(path, "/") == 0)
		return no_change;
	return (struct change){ .pointer = pointer, .path = path };
}

static bool within(const struct rule_vec *rules, const struct policy_rule *rule)
{
	return rules->n && rule >= rules->at && rule < rules->at + rules->n;
}

/* A built-in place is opened by the setting that is about its kind; a denyWrite of somebody's own by nothing. */
static struct change allow_place(const struct policy_rule *rule)
{
	if (!rule->place)
		return no_change;
	if (rule->place->class == PLACE_GIT_CONFIG)
		return git_config;
	return rule->place->class == PLACE_INSTRUCTION ? instructions : protected_places;
}

static struct change allow_write(const struct policy *policy, const char *path, const char *target)
{
	if (!path_is_normal(target))
		return no_change;
	struct policy_verdict verdict = policy_decide(policy, target, POLICY_WRITE);
	if (verdict.allowed)
		return no_change; /* the file system's own permissions said no */
	if (verdict.rule && within(&policy->filesystem.deny_write, verdict.rule))
		return allow_place(verdict.rule);
	return allow_path("/filesystem/allowWrite", path);
}

/* An existing file: itself. What makes or removes a name changes the directory. */
static struct change allow_write_file(const struct policy *policy, const struct denial *denial, struct arena *arena)
{
	(void)arena;
	return allow_write(policy, denial->target, denial->target);
}

static struct change allow_write_name(const struct policy *policy, const struct denial *denial, struct arena *arena)
{
	return path_is_normal(denial->target) ? allow_write(policy, path_parent(arena, denial->target), denial->target) : no_change;
}

static struct change allow_open(const struct policy *policy, const struct denial *denial, struct arena *arena)
{
	if (denial->errnum == EROFS || !path_is_normal(denial->target) || policy_allows(policy, denial->target, POLICY_READ))
		return allow_write_file(policy, denial, arena);
	return allow_path("/filesystem/allowRead", denial->target);
}

static struct change allow_read(const struct policy *policy, const struct denial *denial, struct arena *arena)
{
	(void)policy;
	(void)arena;
	return allow_path("/filesystem/allowRead", denial->target);
}

/* "example.com:443": unless a list, or the address that it leads to, says no. */
static struct change allow_domain(const struct policy *policy, const struct denial *denial)
{
	struct domain_pattern wanted;
	struct domain_verdict verdict;
	if (domain_pattern_parse(denial->target, false, &wanted) < 0)
		return no_change;
	verdict = domain_decide(&policy->network.domains, &wanted.host, wanted.port);
	if (verdict.allowed)
		return denial->rule && strstr(denial->rule, "a private address") ? private_addresses : no_change;
	return verdict.rule ? no_change : (struct change){ .pointer = "/network/allowedDomains", .path = denial->target };
}

/* A target is an address ("192.0.2.1:443", "[2001:db8::1]:53"), a path or "@name" of a local socket, or a family by name. */
static struct change allow_network(const struct policy *policy, const struct denial *denial, struct arena *arena)
{
	(void)arena;
	const char *target = denial->target;
	if (policy->network.allow_all_unix_sockets && (*target == '/' || *target == '@'))
		return no_change;
	if (*target == '/')
		return allow_path("/network/allowUnixSockets", target);
	if (*target == '@' || strncmp(target, "unix", 4) == 0 || strncmp(target, "AF_UNIX", 7) == 0)
		return policy->network.allow_all_unix_sockets ? no_change : unix_sockets;
	if (policy->network.mode == POLICY_NETWORK_FILTERED)
		return allow_domain(policy, denial);
	bool internet =
	    *target == '[' || (*target >= '0' && *target <= '9') || strncmp(target, "inet", 4) == 0 || strncmp(target, "AF_INET", 7) == 0;
	return internet && policy->network.mode == POLICY_NETWORK_OFF ? host_network : no_change;
}

/* A path is refused for its name. */
static struct change allow_bind(const struct policy *policy, const struct denial *denial, struct arena *arena)
{
	return *denial->target == '/' ? allow_write_name(policy, denial, arena) : allow_network(policy, denial, arena);
}

static struct change allow_tracing(const struct policy *policy, const struct denial *denial, struct arena *arena)
{
	(void)denial;
	(void)arena;
	return policy->process.allow_ptrace ? no_change : tracing;
}

static struct change allow_nesting(const struct policy *policy, const struct denial *denial, struct arena *arena)
{
	(void)denial;
	(void)arena;
	return policy->process.allow_nested_user_namespaces ? no_change : nesting;
}

/* Operations that some policy allows. For one that is not here there is no remedy. */
static const struct {
	const char *operation;
	struct change (*find)(const struct policy *policy, const struct denial *denial, struct arena *arena);
} remedies[] = {
	{ "open", allow_open },           { "read", allow_read },         { "exec", allow_read },         { "write", allow_write_file },
	{ "truncate", allow_write_file }, { "chmod", allow_write_file },  { "chown", allow_write_file },  { "utime", allow_write_file },
	{ "setxattr", allow_write_file }, { "create", allow_write_name }, { "mkdir", allow_write_name },  { "mknod", allow_write_name },
	{ "symlink", allow_write_name },  { "link", allow_write_name },   { "rename", allow_write_name }, { "unlink", allow_write_name },
	{ "rmdir", allow_write_name },    { "connect", allow_network },   { "bind", allow_bind },         { "sendto", allow_network },
	{ "send", allow_network },        { "socket", allow_network },    { "ptrace", allow_tracing },    { "unshare", allow_nesting },
	{ "clone", allow_nesting },       { "namespace", allow_nesting },
};

static char *keep(struct arena *arena, const struct str *s)
{
	return s->failed ? NULL : arena_dup_n(arena, s->text, s->len);
}

/* "--allow-write /srv", "--network host", "--no-protected-places" */
static char *as_option(const struct change *change, const struct policy_field *field, struct arena *arena)
{
	autostr struct str s = { 0 };
	str_init(&s, WHY_TEXT_MAX);
	bool negated = field->kind == POLICY_BOOL && strcmp(change->value, "false") == 0;
	str_printf(&s, "--%s%s", negated ? "no-" : "", field->option);
	if (change->path) {
		const char *word = field->kind == POLICY_PATHS ? pattern_quote(arena, change->path) : change->path;
		if (!word)
			return NULL;
		str_add_char(&s, ' ');
		str_add_shell(&s, word);
	} else if (field->kind != POLICY_BOOL) {
		str_add_char(&s, ' ');
		str_add_n(&s, change->value + 1, strlen(change->value) - 2);
	}
	return keep(arena, &s);
}

static void add_value(const struct change *change, const struct policy_field *field, struct str *s)
{
	if (!change->path) {
		str_add(s, change->value);
		return;
	}
	bool pattern = field->kind == POLICY_PATHS && strpbrk(change->path, "*?[\\");
	str_add(s, pattern ? "[{\"path\": " : "[");
	str_add_json(s, change->path, strlen(change->path));
	str_add(s, pattern ? ", \"literal\": true}]" : "]");
}

/* {"filesystem": {"allowWrite": ["/srv"]}} */
static char *as_settings(const struct change *change, const struct policy_field *field, struct arena *arena)
{
	autostr struct str s = { 0 };
	str_init(&s, WHY_TEXT_MAX);
	unsigned depth = 0;
	for (const char *name = change->pointer; *name == '/'; name += strcspn(name, "/")) {
		name++;
		str_printf(&s, "{\"%.*s\": ", (int)strcspn(name, "/"), name);
		depth++;
	}
	add_value(change, field, &s);
	while (depth--)
		str_add_char(&s, '}');
	return keep(arena, &s);
}

/* ---- what nobody wants to hear of ---- */

static void add_command(const struct policy *policy, const char *const *argv, struct str *out)
{
	bool line = policy->dialect == POLICY_SRT && argv[0] && argv[1] && argv[2] && strcmp(argv[1], "-c") == 0;

	for (argv += line ? 2 : 0; *argv; argv++) {
		str_add(out, out->len ? " " : "");
		str_add(out, *argv);
	}
}

/* srt has another word for a refusal of the filter's: init's have the name of a process. */
static void add_line(const struct denial *denial, struct str *out)
{
	bool outbound = !*denial->process && strcmp(denial->operation, "connect") == 0;

	if (*denial->target == '/')
		str_add(out, denial->target);
	else
		str_printf(out, "deny %s %s", outbound ? "network-outbound" : denial->operation, denial->target);
	if (outbound)
		str_printf(out, " (%s)", denial->rule ? denial->rule : "default");
}

static bool holds_one_of(const struct str *line, const struct text_vec *parts)
{
	for (size_t i = 0; i < parts->n; i++)
		if (strstr(line->text, parts->at[i]))
			return true;
	return false;
}

bool why_ignores(const struct policy *policy, const char *const *argv, const struct denial *denial)
{
	autostr struct str command = { 0 }, line = { 0 };

	if (policy->ignored.n == 0)
		return false;
	str_init(&command, COMMAND_TEXT_MAX);
	str_init(&line, WHY_TEXT_MAX);
	add_command(policy, argv, &command);
	add_line(denial, &line);
	for (size_t i = 0; i < policy->ignored.n && !command.failed && !line.failed; i++) {
		const struct policy_ignored *ignored = &policy->ignored.at[i];

		if ((strcmp(ignored->command, "*") == 0 || strstr(command.text, ignored->command)) && holds_one_of(&line, &ignored->parts))
			return true;
	}
	return false;
}

/* Nothing opens that. */
static bool is_coffers(const struct policy *policy, const char *target)
{
	const struct policy_rule *rule = path_is_normal(target) ? policy_decide(policy, target, POLICY_READ).rule : NULL;

	return rule && rule->place && rule->place->class == PLACE_OWN;
}

void why_explain(const struct policy *policy, struct denial *denial, struct arena *arena)
{
	struct change change = no_change;
	for (size_t i = 0; i < sizeof(remedies) / sizeof(remedies[0]) && !is_coffers(policy, denial->target); i++)
		if (strcmp(remedies[i].operation, denial->operation) == 0)
			change = remedies[i].find(policy, denial, arena);
	const struct policy_field *field = change.pointer ? policy_field_by_pointer(change.pointer) : NULL;
	denial->remedy = field ? as_option(&change, field, arena) : NULL;
	denial->settings = field ? as_settings(&change, field, arena) : NULL;
}

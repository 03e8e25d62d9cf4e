#include "policy/environment.h"

#include "base/own.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static const char *const inherited[] = {
	/* who and where */
	"PATH",
	"HOME",
	"USER",
	"LOGNAME",
	"SHELL",
	"PWD",
	/* language and time */
	"LANG",
	"LANGUAGE",
	"LC_*",
	"TZ",
	/* the terminal */
	"TERM",
	"COLORTERM",
	"COLUMNS",
	"LINES",
	"NO_COLOR",
	"FORCE_COLOR",
	"CLICOLOR",
	"CLICOLOR_FORCE",
	"CI",
	/* where toolchains of places.def are */
	"PYENV_ROOT",
	"PYENV_VERSION",
	"VIRTUAL_ENV",
	"CONDA_PREFIX",
	"CONDA_DEFAULT_ENV",
	"NVM_DIR",
	"NVM_BIN",
	"FNM_DIR",
	"VOLTA_HOME",
	"BUN_INSTALL",
	"DENO_INSTALL",
	"PNPM_HOME",
	"CARGO_HOME",
	"RUSTUP_HOME",
	"RUSTUP_TOOLCHAIN",
	"GOPATH",
	"GOROOT",
	"JAVA_HOME",
	"SDKMAN_DIR",
	"RBENV_ROOT",
	"ASDF_DIR",
	"ASDF_DATA_DIR",
	"DOTNET_ROOT",
	"OPAM_SWITCH_PREFIX",
	"NIX_PROFILES",
	"NIX_SSL_CERT_FILE",
	/* builds that can be repeated */
	"SOURCE_DATE_EPOCH",
};

static int inherit(struct policy *policy, struct arena *arena, const char *name)
{
	const char **slot = text_vec_add(&policy->environment.inherit, arena);

	if (!slot)
		return -ENOMEM;
	*slot = name;
	return 0;
}

int environment_inherit_default(struct policy *policy, struct arena *arena)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(inherited) && r == 0; i++)
		r = inherit(policy, arena, inherited[i]);
	return r;
}

int environment_inherit_all(struct policy *policy, struct arena *arena)
{
	return inherit(policy, arena, "*");
}

static bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static size_t name_length(const char *text)
{
	size_t n = 0;

	if (text[0] >= '0' && text[0] <= '9')
		return 0;
	while (is_name_byte(text[n]))
		n++;
	return n;
}

bool environment_name_is_valid(const char *name, bool prefix)
{
	size_t n = name_length(name);

	if (prefix && name[n] == '*')
		return name[n + 1] == '\0';
	return n > 0 && name[n] == '\0';
}

bool environment_name_is_secret(const char *name)
{
	static const char *const marks[] = { "TOKEN",  "SECRET",      "PASSWORD",   "PASSWD", "PASSPHRASE", "CREDENTIAL",  "API_KEY",
		                             "APIKEY", "PRIVATE_KEY", "ACCESS_KEY", "AUTH",   "COOKIE",     "SESSION_KEY", "DSN" };

	for (size_t i = 0; i < ARRAY_LEN(marks); i++)
		for (const char *p = name; *p; p++)
			if (strncasecmp(p, marks[i], strlen(marks[i])) == 0)
				return true;
	return false;
}

int environment_set(struct policy *policy, struct arena *arena, const char *name, const char *value, const char *why)
{
	struct variable_vec old = policy->environment.set, fresh = { 0 };
	struct policy_variable *slot;

	/* Into a new array: the policy may be a copy that shares the old one. */
	for (size_t i = 0; i < old.n; i++) {
		if (strcmp(old.at[i].name, name) == 0)
			continue;
		slot = variable_vec_add(&fresh, arena);
		if (!slot)
			return -ENOMEM;
		*slot = old.at[i];
	}
	slot = variable_vec_add(&fresh, arena);
	if (!slot)
		return -ENOMEM;
	slot->name = arena_dup(arena, name);
	slot->value = arena_dup(arena, value);
	slot->why = arena_dup(arena, why);
	if (!slot->name || (value && !slot->value) || (why && !slot->why))
		return -ENOMEM;
	policy->environment.set = fresh;
	return 0;
}

/* n bytes of name against an inherit entry: a name, or a prefix that ends in '*'. */
static bool is_listed(const struct policy_environment *environment, const char *name, size_t n)
{
	for (size_t i = 0; i < environment->inherit.n; i++) {
		const char *entry = environment->inherit.at[i];
		size_t len = strlen(entry);

		if (len > 0 && entry[len - 1] == '*' ? n >= len - 1 && memcmp(name, entry, len - 1) == 0
		                                     : n == len && memcmp(name, entry, n) == 0)
			return true;
	}
	return false;
}

bool environment_is_inherited(const struct policy *policy, const char *name)
{
	return is_listed(&policy->environment, name, strlen(name));
}

static bool starts_with_name(const char *entry, const char *name, size_t n)
{
	return strncmp(entry, name, n) == 0 && entry[n] == '=';
}

static bool is_decided(const struct policy_environment *environment, const struct text_vec *chosen, const char *name, size_t n)
{
	for (size_t i = 0; i < environment->set.n; i++)
		if (strlen(environment->set.at[i].name) == n && memcmp(environment->set.at[i].name, name, n) == 0)
			return true;
	for (size_t i = 0; i < chosen->n; i++)
		if (starts_with_name(chosen->at[i], name, n))
			return true;
	return false;
}

struct selection {
	const struct policy_environment *environment;
	struct arena *arena;
	struct text_vec chosen;
	int failed;
};

static void choose(struct selection *selection, const char *entry)
{
	const char **slot = entry ? text_vec_add(&selection->chosen, selection->arena) : NULL;

	if (slot)
		*slot = entry;
	else
		selection->failed = -ENOMEM;
}

static void offer(struct selection *selection, const char *entry)
{
	size_t n = name_length(entry);

	if (n == 0 || entry[n] != '=' || !is_listed(selection->environment, entry, n))
		return;
	if (!is_decided(selection->environment, &selection->chosen, entry, n))
		choose(selection, entry);
}

/* coffer's own word on a variable: in place of the caller's, unless the policy sets it. */
static void impose(struct selection *selection, const char *name, const char *value)
{
	size_t n = strlen(name);
	const char *entry = arena_printf(selection->arena, "%s=%s", name, value);

	for (size_t i = 0; i < selection->environment->set.n; i++)
		if (strcmp(selection->environment->set.at[i].name, name) == 0)
			return;
	for (size_t i = 0; entry && i < selection->chosen.n; i++)
		if (starts_with_name(selection->chosen.at[i], name, n)) {
			selection->chosen.at[i] = entry;
			return;
		}
	choose(selection, entry);
}

static void withdraw(struct selection *selection, const char *name)
{
	size_t n = strlen(name), kept = 0;

	for (size_t i = 0; i < selection->chosen.n; i++)
		if (!starts_with_name(selection->chosen.at[i], name, n))
			selection->chosen.at[kept++] = selection->chosen.at[i];
	selection->chosen.n = kept;
}

int policy_environment_build(const struct policy *policy, struct arena *arena, const char *const *caller, const struct variable_vec *ours,
                             const char *const **ret_env)
{
	struct selection selection = { .environment = &policy->environment, .arena = arena };
	const struct variable_vec *set = &policy->environment.set;

	for (; caller && *caller; caller++)
		offer(&selection, *caller);
	impose(&selection, "COFFER", "1");
	for (size_t i = 0; i < ours->n; i++)
		if (ours->at[i].value)
			impose(&selection, ours->at[i].name, ours->at[i].value);
		else
			withdraw(&selection, ours->at[i].name);
	for (size_t i = 0; i < set->n; i++)
		if (set->at[i].value)
			choose(&selection, arena_printf(arena, "%s=%s", set->at[i].name, set->at[i].value));

	const char **end = text_vec_add(&selection.chosen, arena); /* zeroed: the NULL at the end */

	if (selection.failed || !end)
		return -ENOMEM;
	*ret_env = selection.chosen.at;
	return 0;
}

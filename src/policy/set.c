#include "policy/set.h"

#include "base/num.h"
#include "policy/address.h"
#include "policy/environment.h"
#include "policy/profiles.h"

#include <errno.h>
#include <string.h>

enum { FOUND_MAX = 120, HOSTNAME_BYTES_MAX = 64 /* HOST_NAME_MAX of Linux */ };

/* --- Saying what is wrong, and who asked. ----------------------------------------------------------------------------------- */

static const char *list_choices(const struct setter *setter)
{
	const char *choices = setter->field->choices, *text = "", *choice;
	size_t n;

	for (unsigned i = 0; text && (choice = policy_choice(choices, i, &n)); i++)
		text = arena_printf(setter->arena, "%s%s%.*s", text, i ? " or " : "", (int)n, choice);
	return text;
}

const char *setter_allowed(const struct setter *setter)
{
	return setter->field->kind == POLICY_CHOICE ? list_choices(setter) : policy_kind_info(setter->field->kind)->allowed;
}

static const char *pointer_below(const struct setter *setter, const char *below)
{
	if (setter->is_option)
		return NULL;
	return *below ? arena_printf(setter->arena, "%s/%s", setter->field->pointer, below) : setter->field->pointer;
}

int setter_refuse(struct setter *setter, const char *below, const json_t *value, const char *allowed)
{
	struct policy_fault fault = {
		.code = ERR_POLICY,
		.source = setter->source,
		.pointer = pointer_below(setter, below),
		.allowed = allowed ? allowed : setter_allowed(setter),
	};
	char found[FOUND_MAX];

	json_describe(value, found, sizeof(found));
	fault.found = arena_dup(setter->arena, found);
	if (!fault.found || !fault.allowed || (!setter->is_option && !fault.pointer))
		return -ENOMEM;
	return policy_fault_add(setter->faults, setter->arena, fault);
}

const char *setter_why(const struct setter *setter, const char *below)
{
	const char *pointer = pointer_below(setter, below);

	if (setter->is_option)
		return arena_dup(setter->arena, setter->source);
	return pointer ? arena_printf(setter->arena, "%s %s", setter->source, pointer) : NULL;
}

static const char *number_text(const struct setter *setter, size_t index)
{
	return arena_printf(setter->arena, "%zu", index);
}

void *setter_place(const struct setter *setter)
{
	return (char *)setter->policy + setter->field->place;
}

/* For fields whose provenance has a place of its own. */
static int set_why(const struct setter *setter)
{
	const char **slot = (const char **)(void *)((char *)setter->policy + setter->field->why);

	if (!setter->field->why)
		return 0;
	*slot = setter_why(setter, "");
	return *slot ? 0 : -ENOMEM;
}

/* --- Simple values. --------------------------------------------------------------------------------------------------------- */

static int set_bool(struct setter *setter, const json_t *value)
{
	bool *place = setter_place(setter);

	if (!json_is_boolean(value))
		return setter_refuse(setter, "", value, NULL);
	*place = json_is_true(value);
	return 0;
}

static int set_choice(struct setter *setter, const json_t *value)
{
	const char *text = json_string_value(value), *choice;
	unsigned index = 0;
	size_t n;

	for (; text && (choice = policy_choice(setter->field->choices, index, &n)); index++)
		if (strlen(text) == n && memcmp(text, choice, n) == 0) {
			memcpy(setter_place(setter), &index, sizeof(index)); /* an enum of whichever name */
			return set_why(setter);
		}
	return setter_refuse(setter, "", value, NULL);
}

/* Hundredths of a processor. More than two decimals are refused rather than rounded. */
static int share_of(const char *text, uint64_t *ret)
{
	uint64_t value = 0;
	int r;

	if (strchr(text, '.')) {
		/* A duration in seconds is a decimal number with three places. */
		r = text[strspn(text, "0123456789.")] ? -EINVAL : num_duration(text, &value);
		if (r < 0 || value % 10)
			return -EINVAL;
		*ret = value / 10;
		return 0;
	}
	r = num_count(text, &value);
	if (r < 0)
		return r;
	if (value != NUM_UNLIMITED && __builtin_mul_overflow(value, 100u, &value))
		return -ERANGE;
	*ret = value;
	return 0;
}

static int limit_of(enum policy_kind kind, const char *text, uint64_t *ret)
{
	if (kind == POLICY_SIZE)
		return num_size(text, ret);
	if (kind == POLICY_DURATION)
		return num_duration(text, ret);
	return kind == POLICY_SHARE ? share_of(text, ret) : num_count(text, ret);
}

static int set_limit(struct setter *setter, const json_t *value)
{
	struct policy_limit *limit = setter_place(setter);
	const char *text = json_string_value(value);
	bool takes_real = setter->field->kind == POLICY_DURATION || setter->field->kind == POLICY_SHARE;
	uint64_t amount = 0;

	if (json_is_integer(value))
		text = arena_printf(setter->arena, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_real(value) && takes_real && json_real_value(value) < 1e15)
		text = arena_printf(setter->arena, "%.12g", json_real_value(value));
	else if (!text)
		return setter_refuse(setter, "", value, NULL);
	if (!text)
		return -ENOMEM;
	if (limit_of(setter->field->kind, text, &amount) < 0)
		return setter_refuse(setter, "", value, NULL);
	limit->value = amount;
	limit->why = setter_why(setter, "");
	return limit->why ? 0 : -ENOMEM;
}

static int set_depth(struct setter *setter, const json_t *value)
{
	unsigned *place = setter_place(setter);
	uint64_t depth = 0;

	if (json_is_integer(value) && json_integer_value(value) > 0)
		depth = (uint64_t)json_integer_value(value);
	else if (setter->is_option && json_is_string(value) && num_count(json_string_value(value), &depth) < 0)
		depth = 0;
	if (depth < 1 || depth > 10)
		return setter_refuse(setter, "", value, NULL);
	*place = (unsigned)depth;
	return 0;
}

static int set_mode(struct setter *setter, const json_t *value)
{
	const char *text = json_string_value(value);
	unsigned *place = setter_place(setter), mode = 0;
	size_t n = text ? strspn(text, "01234567") : 0;

	if (n == 0 || n > 4 || text[n])
		return setter_refuse(setter, "", value, NULL);
	for (size_t i = 0; i < n; i++)
		mode = mode * 8 + (unsigned)(text[i] - '0');
	if (mode > 0777)
		return setter_refuse(setter, "", value, NULL);
	*place = mode;
	return 0;
}

/* --- Texts. ----------------------------------------------------------------------------------------------------------------- */

static int set_text(struct setter *setter, const json_t *value)
{
	const char **place = setter_place(setter);

	*place = arena_dup(setter->arena, json_string_value(value));
	return *place ? set_why(setter) : -ENOMEM;
}

static bool is_hostname(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
	size_t n = strspn(text, letters);

	return n > 0 && n <= HOSTNAME_BYTES_MAX && !text[n] && text[0] != '-' && text[n - 1] != '-';
}

static int set_hostname(struct setter *setter, const json_t *value)
{
	if (!json_is_string(value) || !is_hostname(json_string_value(value)))
		return setter_refuse(setter, "", value, NULL);
	return set_text(setter, value);
}

static int set_profile(struct setter *setter, const json_t *value)
{
	if (!json_is_string(value) || !policy_profile(json_string_value(value)))
		return setter_refuse(setter, "", value, policy_profile_names());
	return set_text(setter, value);
}

static int set_path(struct setter *setter, const json_t *value)
{
	if (!json_is_string(value) || !json_string_length(value))
		return setter_refuse(setter, "", value, NULL);
	return set_text(setter, value);
}

/* --- Lists. ----------------------------------------------------------------------------------------------------------------- */

/* An entry as the path that it names; NULL when it is none. */
static const char *path_of(const json_t *entry, bool *ret_literal)
{
	const json_t *path = entry;

	*ret_literal = json_is_object(entry);
	if (*ret_literal) {
		path = json_object_get(entry, "path");
		if (json_object_size(entry) != 2 || !json_is_true(json_object_get(entry, "literal")))
			return NULL;
	}
	return json_is_string(path) && json_string_length(path) ? json_string_value(path) : NULL;
}

static int refuse_path(struct setter *setter, const json_t *entry, const char *below)
{
	const char *inner = arena_printf(setter->arena, "%s/path", below);

	if (!inner)
		return -ENOMEM;
	if (json_object_size(entry) == 2 && json_is_true(json_object_get(entry, "literal")) &&
	    json_is_string(json_object_get(entry, "path")))
		return setter_refuse(setter, inner, json_object_get(entry, "path"), "a path");
	return setter_refuse(setter, below, entry, "a path, or {\"path\": \"…\", \"literal\": true}");
}

static int add_path(struct setter *setter, const json_t *entry, const char *below)
{
	bool literal;
	const char *path = path_of(entry, &literal), *why = setter_why(setter, below);

	if (!why)
		return -ENOMEM;
	if (!path)
		return refuse_path(setter, entry, below);
	return policy_add_rule(setter->arena, setter_place(setter), path, literal, why);
}

static int add_name(struct setter *setter, const json_t *entry, const char *below)
{
	struct text_vec *list = setter_place(setter);
	const char *name = json_string_value(entry), **slot;

	if (!name || !environment_name_is_valid(name, true))
		return setter_refuse(setter, below, entry, "the name of a variable, or its start and \"*\"");
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->at[i], name) == 0)
			return 0;
	slot = text_vec_add(list, setter->arena);
	if (!slot)
		return -ENOMEM;
	*slot = arena_dup(setter->arena, name);
	return *slot ? 0 : -ENOMEM;
}

int setter_add_pattern(struct setter *setter, void *list, const json_t *entry, const char *below)
{
	bool deny = strcmp(setter->field->pointer, "/network/deniedDomains") == 0;
	const char *text = arena_dup(setter->arena, json_string_value(entry)), *why = setter_why(setter, below);
	struct domain_pattern pattern, *slot;

	if (!why || (json_is_string(entry) && !text))
		return -ENOMEM;
	if (!text || strlen(text) != json_string_length(entry) || domain_pattern_parse(text, deny, &pattern) < 0)
		return setter_refuse(setter, below, entry, "a domain such as \"example.com\", \"*.example.com\" or \"example.com:443\"");
	slot = domain_vec_add(list, setter->arena);
	if (!slot)
		return -ENOMEM;
	pattern.why = why;
	*slot = pattern;
	return 0;
}

static int add_domain(struct setter *setter, const json_t *entry, const char *below)
{
	return setter_add_pattern(setter, setter_place(setter), entry, below);
}

static int add_address(struct setter *setter, const json_t *entry, const char *below)
{
	const char *text = json_string_value(entry), **slot;
	struct address_range range;

	if (!text || strlen(text) != json_string_length(entry) || address_range_parse(text, &range) < 0)
		return setter_refuse(setter, below, entry, "an address, or a range such as \"10.0.0.0/8\" or \"fd00::/8\"");
	slot = text_vec_add(setter_place(setter), setter->arena);
	if (!slot)
		return -ENOMEM;
	*slot = arena_dup(setter->arena, text);
	return *slot ? 0 : -ENOMEM;
}

static int add_published(struct setter *setter, const json_t *entry, const char *below)
{
	const char *text = arena_dup(setter->arena, json_string_value(entry)), *why = setter_why(setter, below);
	struct published published, *slot;

	if (!why || (json_is_string(entry) && !text))
		return -ENOMEM;
	if (!text || strlen(text) != json_string_length(entry) || publish_parse(setter->arena, text, &published) < 0)
		return setter_refuse(setter, below, entry, "a port such as \"8080\", \"8080:80\" or \"192.0.2.1:8080:80\"");
	slot = published_vec_add(setter_place(setter), setter->arena);
	if (!slot)
		return -ENOMEM;
	published.why = why;
	*slot = published;
	return 0;
}

typedef int add_function(struct setter *setter, const json_t *entry, const char *below);

static add_function *const adders[POLICY_KINDS_END] = {
	[POLICY_PATHS] = add_path,        [POLICY_NAMES] = add_name,        [POLICY_DOMAINS] = add_domain,
	[POLICY_ADDRESSES] = add_address, [POLICY_PUBLISH] = add_published,
};

static int set_list(struct setter *setter, const json_t *value)
{
	size_t i;
	json_t *entry;
	int r = 0;

	if (!json_is_array(value))
		return setter_refuse(setter, "", value, NULL);
	json_array_foreach (value, i, entry) {
		const char *below = number_text(setter, i);

		if (!below)
			return -ENOMEM;
		r = adders[setter->field->kind](setter, entry, below);
		if (r < 0)
			return r;
	}
	return 0;
}

static int set_variables(struct setter *setter, const json_t *value)
{
	const char *name;
	json_t *text;
	int r = 0;

	if (!json_is_object(value))
		return setter_refuse(setter, "", value, NULL);
	json_object_foreach ((json_t *)(uintptr_t)value, name, text) {
		const char *why = setter_why(setter, name);

		if (!why)
			return -ENOMEM;
		if (!environment_name_is_valid(name, false))
			r = setter_refuse(setter, name, text, "the name of a variable: letters, digits and \"_\", no digit first");
		else if (!json_is_string(text) && !json_is_null(text))
			r = setter_refuse(setter, name, text, "a text, or null");
		else
			r = environment_set(setter->policy, setter->arena, name, json_string_value(text), why);
		if (r < 0)
			return r;
	}
	return 0;
}

static int set_reasons(struct setter *setter, const json_t *value)
{
	struct variable_vec *reasons = setter_place(setter);
	const char *domain;
	json_t *text;

	if (!json_is_object(value))
		return setter_refuse(setter, "", value, NULL);
	json_object_foreach ((json_t *)(uintptr_t)value, domain, text) {
		struct policy_variable *slot;

		if (!json_string_length(text))
			return setter_refuse(setter, domain, text, "a text, and not an empty one");
		slot = variable_vec_add(reasons, setter->arena);
		if (!slot)
			return -ENOMEM;
		slot->name = arena_dup(setter->arena, domain);
		slot->value = arena_dup(setter->arena, json_string_value(text));
		if (!slot->name || !slot->value)
			return -ENOMEM;
	}
	return 0;
}

/* --- All of them. ----------------------------------------------------------------------------------------------------------- */

typedef int set_function(struct setter *setter, const json_t *value);

static set_function *const setters[POLICY_KINDS_END] = {
	[POLICY_BOOL] = set_bool,
	[POLICY_CHOICE] = set_choice,
	[POLICY_SIZE] = set_limit,
	[POLICY_DURATION] = set_limit,
	[POLICY_COUNT] = set_limit,
	[POLICY_SHARE] = set_limit,
	[POLICY_DEPTH] = set_depth,
	[POLICY_MODE] = set_mode,
	[POLICY_HOSTNAME] = set_hostname,
	[POLICY_PROFILE] = set_profile,
	[POLICY_PATH] = set_path,
	[POLICY_PATHS] = set_list,
	[POLICY_NAMES] = set_list,
	[POLICY_VARIABLES] = set_variables,
	[POLICY_DOMAINS] = set_list,
	[POLICY_ADDRESSES] = set_list,
	[POLICY_REASONS] = set_reasons,
	[POLICY_PORT] = setter_set_port,
	[POLICY_PARENT] = setter_set_parent,
	[POLICY_MITM] = setter_set_mitm,
	[POLICY_PUBLISH] = set_list,
	[POLICY_TLS] = setter_set_tls,
	[POLICY_REQUESTS] = setter_set_requests,
	[POLICY_HEADERS] = setter_set_headers,
	[POLICY_CREDENTIALS] = setter_set_credentials,
	[POLICY_AWS_PAIRS] = setter_set_aws_pairs,
	[POLICY_SIGV4] = setter_set_sigv4,
	[POLICY_TEXT_LISTS] = setter_set_ignored,
};

int setter_apply(struct setter *setter, const json_t *value)
{
	size_t index = policy_field_index(setter->field);
	size_t before = setter->faults->n;

	if (setter->field->fate != POLICY_SET)
		return setter_check_shape(setter, value);

	int r = setters[setter->field->kind](setter, value);

	if (r == 0 && setter->faults->n == before)
		setter->policy->given[index / 64] |= UINT64_C(1) << index % 64;
	return r;
}

#include "api/api.h"

#include "policy/print.h"
#include "session/place.h"

#include <errno.h>
#include <unistd.h>

/* The columns of schema.def that the public table has. What lands nowhere in a policy is no setting. */
#define AT(member) true
#define IGNORED false
#define REFUSED false
#define KIND_BOOL COFFER_SETTING_BOOL
#define KIND_CHOICE COFFER_SETTING_CHOICE
#define KIND_SIZE COFFER_SETTING_SIZE
#define KIND_DURATION COFFER_SETTING_DURATION
#define KIND_COUNT COFFER_SETTING_COUNT
#define KIND_SHARE COFFER_SETTING_SHARE
#define KIND_DEPTH COFFER_SETTING_COUNT
#define KIND_MODE COFFER_SETTING_TEXT
#define KIND_HOSTNAME COFFER_SETTING_TEXT
#define KIND_PROFILE COFFER_SETTING_TEXT
#define KIND_PATH COFFER_SETTING_PATH
#define KIND_PATHS COFFER_SETTING_PATHS
#define KIND_NAMES COFFER_SETTING_NAMES
#define KIND_VARIABLES COFFER_SETTING_VARIABLES
#define KIND_TEXT COFFER_SETTING_TEXT
#define KIND_TEXTS COFFER_SETTING_TEXT
#define KIND_TEXT_LISTS COFFER_SETTING_TEXT
#define KIND_DOMAINS COFFER_SETTING_NAMES
#define KIND_ADDRESSES COFFER_SETTING_NAMES
#define KIND_PUBLISH COFFER_SETTING_NAMES
#define KIND_REASONS COFFER_SETTING_TEXT
#define KIND_PORT COFFER_SETTING_COUNT
#define KIND_PARENT COFFER_SETTING_TEXT
#define KIND_MITM COFFER_SETTING_TEXT
#define KIND_TLS COFFER_SETTING_TEXT
#define KIND_REQUESTS COFFER_SETTING_TEXT
#define KIND_HEADERS COFFER_SETTING_NAMES
#define KIND_CREDENTIALS COFFER_SETTING_TEXT
#define KIND_AWS_PAIRS COFFER_SETTING_TEXT
#define KIND_SIGV4 COFFER_SETTING_TEXT
#define KIND_OBJECT COFFER_SETTING_TEXT
#define KIND_ARRAY COFFER_SETTING_TEXT

static const struct {
	bool counts;
	struct coffer_setting setting;
} rows[] = {
#define FIELD(pointer, kind, place, why, origin, option, alias, choices, sentence, example) \
	{ place, { pointer, option, alias, choices, sentence, example, KIND_##kind } },
#include "policy/schema.def"
#undef FIELD
};

const struct coffer_setting *coffer_setting_at(size_t index)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].counts && index-- == 0)
			return &rows[i].setting;
	return NULL;
}

const struct policy_field *api_field(const char *name)
{
	const struct policy_field *field = *name == '/' ? policy_field_by_pointer(name) : policy_field_by_name(name);
	return field && field->fate == POLICY_SET ? field : NULL;
}

int api_no_field(const char *name, struct coffer_error *error)
{
	struct err err = { 0 };
	return api_fail(err_set(&err, ERR_USAGE, EINVAL, "there is no setting \"%s\": coffer-settings(5) has them", name), &err, error);
}

int coffer_setting_schema(char **ret_text, struct coffer_error *error)
{
	struct policy initial;
	struct arena arena;
	autostr struct str text = { 0 };
	arena_init(&arena, API_ARENA_MAX);
	str_init(&text, API_ARENA_MAX);
	int r = policy_init(&initial, &arena) < 0 ? api_no_memory(error) : 0;
	if (r == 0) {
		policy_print_schema(&initial, &text);
		r = api_give_text(&text, ret_text, error);
	}
	arena_done(&arena);
	return r;
}

int coffer_policy_get(const struct coffer_policy *policy, const char *name, char **ret_text, struct coffer_error *error)
{
	const struct policy_field *field = api_field(name);
	autostr struct str text = { 0 };
	if (!field)
		return api_no_field(name, error);
	str_init(&text, API_ARENA_MAX);
	policy_print_field(&policy->policy, field, &text);
	return api_give_text(&text, ret_text, error);
}

/* Documents that tighten are merged when paths are known; here they are those of a run that started now. */
static int settle(const struct coffer_policy *policy, struct arena *arena, struct policy *ret_policy, struct err *err)
{
	struct session_place place;
	*ret_policy = policy->policy;
	if (!policy->policy.tighten)
		return 0;
	int r = session_place_find((const char *const *)environ, NULL, arena, &place, err);
	return r < 0 ? r : policy_resolve(ret_policy, arena, place.cwd, place.home, err);
}

int coffer_policy_text(const struct coffer_policy *policy, char **ret_text, struct coffer_error *error)
{
	struct err err = { 0 };
	struct policy settled;
	struct arena arena;
	autostr struct str text = { 0 };
	arena_init(&arena, API_ARENA_MAX);
	str_init(&text, API_ARENA_MAX);
	int r = api_fail(settle(policy, &arena, &settled, &err), &err, error);
	if (r == 0) {
		policy_print_json(&settled, &text);
		r = api_give_text(&text, ret_text, error);
	}
	arena_done(&arena);
	return r;
}

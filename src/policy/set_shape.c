/* Fields of srt's documents that land nowhere: their shape is checked as srt checks it, and what this version cannot do is refused. */
#include "policy/set.h"

#include <errno.h>
#include <string.h>

static bool all_texts(const json_t *value)
{
	size_t i;
	json_t *entry;

	if (!json_is_array(value))
		return false;
	json_array_foreach (value, i, entry)
		if (!json_is_string(entry))
			return false;
	return true;
}

static bool all_lists(const json_t *value)
{
	const char *name;
	json_t *member;

	if (!json_is_object(value))
		return false;
	json_object_foreach ((json_t *)(uintptr_t)value, name, member)
		if (!all_texts(member))
			return false;
	return true;
}

static bool is_port(const json_t *value)
{
	return json_is_integer(value) && json_integer_value(value) >= 1 && json_integer_value(value) <= 65535;
}

static bool has_shape(enum policy_kind kind, const json_t *value)
{
	switch (kind) {
	case POLICY_BOOL:
		return json_is_boolean(value);
	case POLICY_TEXT:
		return json_is_string(value);
	case POLICY_TEXTS:
		return all_texts(value);
	case POLICY_TEXT_LISTS:
		return all_lists(value);
	case POLICY_PORT:
		return is_port(value);
	case POLICY_ARRAY:
		return json_is_array(value);
	default:
		return json_is_object(value);
	}
}

/* false, "", [] and {} ask for nothing. */
static bool says_nothing(const json_t *value)
{
	if (json_is_array(value))
		return json_array_size(value) == 0;
	if (json_is_object(value))
		return json_object_size(value) == 0;
	return json_is_false(value) || (json_is_string(value) && json_string_length(value) == 0);
}

static int refuse_unsupported(struct setter *setter, const json_t *value)
{
	int r =
	    setter_refuse(setter, "", value,
	                  json_is_array(value) ? "an empty list: this version does not do that" : "nothing: this version does not do that");

	if (r == 0)
		setter->faults->at[setter->faults->n - 1].code = ERR_UNSUPPORTED;
	return r;
}

int setter_check_shape(struct setter *setter, const json_t *value)
{
	size_t before = setter->faults->n;
	int r = 0;

	if (!has_shape(setter->field->kind, value))
		return setter_refuse(setter, "", value, NULL);
	if (setter->faults->n == before && setter->field->fate == POLICY_UNSUPPORTED && !says_nothing(value))
		r = refuse_unsupported(setter, value);
	return r;
}

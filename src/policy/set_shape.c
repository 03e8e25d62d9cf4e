/* Fields of srt's documents that land nowhere: their shape is checked as srt checks it, and what this version cannot do is refused. */
#include "policy/set.h"

#include <errno.h>
#include <string.h>

static int refuse_below(struct setter *setter, const char *name, const json_t *value, const char *allowed)
{
	const char *below = arena_dup(setter->arena, name);

	return below ? setter_refuse(setter, below, value, allowed) : -ENOMEM;
}

/* One member of an object by its word in `choices`: "command!" is a text that has to be there, "args[]" a list of texts, "argv0" a text. */
static int check_member(struct setter *setter, const json_t *object, const char *word, size_t n)
{
	bool needed = word[n - 1] == '!', list = word[n - 1] == ']';
	const char *name = arena_dup_n(setter->arena, word, n - needed - 2 * list);
	const json_t *member = name ? json_object_get(object, name) : NULL;

	if (!name)
		return -ENOMEM;
	if (member ? (list ? setter_is_texts(member) : json_is_string(member)) : !needed)
		return 0;
	return refuse_below(setter, name, member, list ? "a list of texts" : "a text");
}

static int check_object(struct setter *setter, const json_t *value)
{
	const char *word;
	size_t n;
	int r = 0;

	if (!json_is_object(value))
		return setter_refuse(setter, "", value, NULL);
	for (unsigned i = 0; setter->field->choices && r == 0 && (word = policy_choice(setter->field->choices, i, &n)); i++)
		r = check_member(setter, value, word, n);
	return r;
}

/* With "/" among its choices a text is an absolute path. */
static bool is_text(const struct setter *setter, const json_t *value)
{
	return json_is_string(value) && (!setter->field->choices || json_string_value(value)[0] == '/');
}

static int check_kind(struct setter *setter, const json_t *value)
{
	bool good;

	switch (setter->field->kind) {
	case POLICY_OBJECT:
		return check_object(setter, value);
	case POLICY_BOOL:
		good = json_is_boolean(value);
		break;
	case POLICY_TEXT:
		good = is_text(setter, value);
		break;
	case POLICY_ARRAY:
		good = json_is_array(value);
		break;
	default:
		good = setter_is_texts(value);
	}
	return good ? 0 : setter_refuse(setter, "", value, NULL);
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
	int r = check_kind(setter, value);

	if (r == 0 && setter->faults->n == before && setter->field->fate == POLICY_UNSUPPORTED && !says_nothing(value))
		r = refuse_unsupported(setter, value);
	return r;
}

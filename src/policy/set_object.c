/* Values that are objects, and lists of them: read by tables of their members. */
#include "policy/set.h"

#include <errno.h>
#include <string.h>

static const char *join(const struct setter *setter, const char *below, const char *name)
{
	return *below ? arena_printf(setter->arena, "%s/%s", below, name) : arena_dup(setter->arena, name);
}

static int read_member(struct setter *setter, const struct setter_member *member, void *object, const json_t *value, const char *below)
{
	return member ? member->read(setter, object, value, below) : setter_refuse(setter, below, value, "nothing: it has no such member");
}

/* srt drops what it does not know, but for credentials, where a forgotten word would be a secret lost. */
static bool is_lenient(const struct setter *setter)
{
	return setter->policy->dialect == POLICY_SRT && setter->field->kind != POLICY_CREDENTIALS;
}

int setter_read_members(struct setter *setter, const struct setter_member *members, void *object, const json_t *value, const char *below)
{
	const char *name;
	json_t *member;
	int r = 0;

	if (!json_is_object(value))
		return setter_refuse(setter, below, value, *below ? "an object" : NULL);
	json_object_foreach ((json_t *)(uintptr_t)value, name, member) {
		const char *place = join(setter, below, name);
		size_t i = 0;

		while (members[i].name && strcmp(members[i].name, name) != 0)
			i++;
		if (!place)
			return -ENOMEM;
		if (members[i].name || !is_lenient(setter))
			r = read_member(setter, members[i].name ? &members[i] : NULL, object, member, place);
		if (r < 0)
			return r;
	}
	return 0;
}

int setter_read_list(struct setter *setter, void *list, const json_t *value, const char *below,
                     int (*add)(struct setter *setter, void *list, const json_t *entry, const char *below))
{
	size_t i;
	json_t *entry;

	if (!json_is_array(value))
		return setter_refuse(setter, below, value, *below ? "a list" : NULL);
	json_array_foreach (value, i, entry) {
		const char *number = arena_printf(setter->arena, "%zu", i), *place = number ? join(setter, below, number) : NULL;
		int r = place ? add(setter, list, entry, place) : -ENOMEM;

		if (r < 0)
			return r;
	}
	return 0;
}

int setter_read_text(struct setter *setter, const char **place, const json_t *value, const char *below)
{
	if (!json_is_string(value) || !json_string_length(value))
		return setter_refuse(setter, below, value, "a text");
	*place = arena_dup(setter->arena, json_string_value(value));
	return *place ? 0 : -ENOMEM;
}

int setter_add_text(struct setter *setter, void *list, const json_t *entry, const char *below)
{
	const char *text = NULL, **slot;
	int r = setter_read_text(setter, &text, entry, below);

	if (r < 0 || !text)
		return r;
	slot = text_vec_add(list, setter->arena);
	if (!slot)
		return -ENOMEM;
	*slot = text;
	return 0;
}

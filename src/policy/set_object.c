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

bool setter_is_texts(const json_t *value)
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

/* ---- ignoreViolations ---- */

static int add_part(struct setter *setter, struct text_vec *parts, const json_t *part)
{
	const char **slot = text_vec_add(parts, setter->arena);

	if (slot)
		*slot = arena_dup(setter->arena, json_string_value(part));
	return slot && *slot ? 0 : -ENOMEM;
}

/* An empty part is in every line, as in srt. */
static int add_ignored(struct setter *setter, const char *command, const json_t *parts)
{
	struct policy_ignored *ignored = ignored_vec_add(setter_place(setter), setter->arena);
	size_t i;
	json_t *part;
	int r = 0;

	if (!ignored)
		return -ENOMEM;
	*ignored = (struct policy_ignored){ .command = command };
	json_array_foreach (parts, i, part)
		r = r ? r : add_part(setter, &ignored->parts, part);
	return r;
}

int setter_set_ignored(struct setter *setter, const json_t *value)
{
	const char *name;
	json_t *parts;
	int r = 0;

	if (!json_is_object(value))
		return setter_refuse(setter, "", value, NULL);
	json_object_foreach ((json_t *)(uintptr_t)value, name, parts) {
		const char *command = arena_dup(setter->arena, name);

		if (!command)
			return -ENOMEM;
		r = setter_is_texts(parts) ? add_ignored(setter, command, parts) : setter_refuse(setter, command, parts, "a list of texts");
		if (r < 0)
			return r;
	}
	return 0;
}

#include "policy/read.h"

#include "base/json.h"
#include "base/nearest.h"
#include "policy/merge.h"
#include "policy/profiles.h"
#include "policy/set.h"

#include <errno.h>
#include <string.h>

struct reader {
	struct setter setter; /* policy, arena, source, faults */
	enum policy_dialect dialect;
};

static const char *last_name(const char *pointer)
{
	return strrchr(pointer, '/') + 1;
}

/* --- Keys that nobody knows. ------------------------------------------------------------------------------------------------ */

struct guess {
	const char *key, *section; /* where it was found: "" or "/filesystem" */
	const char *pointer;
	unsigned distance;
};

static void consider(struct guess *guess, const char *pointer, const char *name, bool same_section)
{
	unsigned distance = nearest_distance(guess->key, name) + !same_section;

	if (distance >= guess->distance)
		return;
	guess->distance = distance;
	guess->pointer = pointer;
}

static const char *section_of(struct arena *arena, const char *pointer)
{
	return arena_dup_n(arena, pointer, (size_t)(strrchr(pointer, '/') - pointer));
}

/* Fields and sections, those beside the key a little nearer than others. */
static const char *find_nearest(struct reader *reader, const char *section, const char *key)
{
	struct guess guess = { .key = key, .section = section, .distance = nearest_limit(strlen(key)) + 1 };

	for (const struct policy_field *field = policy_field_next(NULL); field; field = policy_field_next(field)) {
		const char *own = section_of(reader->setter.arena, field->pointer);

		if (!own)
			return NULL;
		consider(&guess, field->pointer, last_name(field->pointer), strcmp(own, section) == 0);
		if (*own)
			consider(&guess, own, own + 1, !*section);
	}
	return guess.pointer;
}

static int refuse_key(struct reader *reader, const char *section, const char *key)
{
	struct setter *setter = &reader->setter;
	struct policy_fault fault = { .code = ERR_POLICY, .source = setter->source, .found = "an unknown key" };

	fault.pointer = arena_printf(setter->arena, "%s/%s", section, key);
	fault.nearest = find_nearest(reader, section, key);
	return fault.pointer ? policy_fault_add(setter->faults, setter->arena, fault) : -ENOMEM;
}

/* --- Keys that somebody knows. ---------------------------------------------------------------------------------------------- */

static bool is_section(const char *pointer)
{
	size_t n = strlen(pointer);

	for (const struct policy_field *field = policy_field_next(NULL); field; field = policy_field_next(field))
		if (strncmp(field->pointer, pointer, n) == 0 && field->pointer[n] == '/')
			return true;
	return false;
}

static int read_field(struct reader *reader, const struct policy_field *field, const json_t *value)
{
	if (field->kind == POLICY_PROFILE && reader->setter.policy->profile)
		return 0; /* already read: it came first */
	reader->setter.field = field;
	return setter_apply(&reader->setter, value);
}

static int refuse_section(struct reader *reader, const char *pointer, const json_t *value)
{
	const struct policy_field field = { .pointer = pointer, .kind = POLICY_OBJECT };

	reader->setter.field = &field;
	return setter_refuse(&reader->setter, "", value, NULL);
}

static int read_section(struct reader *reader, const char *section, const json_t *object);

static int read_key(struct reader *reader, const char *section, const char *key, const json_t *value)
{
	const char *pointer = arena_printf(reader->setter.arena, "%s/%s", section, key);
	bool is_name = !strchr(key, '/'); /* else the pointer would lie */
	const struct policy_field *field = pointer && is_name ? policy_field_by_pointer(pointer) : NULL;

	if (!pointer)
		return -ENOMEM;
	if (field)
		return read_field(reader, field, value);
	if (!*section && is_name && is_section(pointer))
		return json_is_object(value) ? read_section(reader, pointer, value) : refuse_section(reader, pointer, value);
	if (reader->dialect == POLICY_SRT &&
	    strcmp(section, "/credentials") != 0) /* there a word that says nothing would be a secret lost */
		return 0;
	return refuse_key(reader, section, key);
}

/* Sections have no sections: the recursion is one deep. */
static int read_section(struct reader *reader, const char *section, const json_t *object)
{
	const char *key;
	json_t *value;
	int r = 0;

	json_object_foreach ((json_t *)(uintptr_t)object, key, value) {
		r = read_key(reader, section, key, value);
		if (r < 0)
			break;
	}
	return r;
}

static const json_t *value_at(const json_t *root, const char *pointer)
{
	const char *slash = strchr(pointer + 1, '/');

	if (!slash)
		return json_object_get(root, pointer + 1);
	return json_object_get(json_object_getn(root, pointer + 1, (size_t)(slash - pointer - 1)), slash + 1);
}

/* A section that is missing is missed once; one that is no object has been refused already. */
static int require_section(struct reader *reader, const json_t *root, const char *pointer)
{
	const struct policy_field section = { .pointer = pointer, .kind = POLICY_OBJECT };
	struct setter *setter = &reader->setter;

	setter->field = &section;
	if (value_at(root, pointer))
		return 0;
	return policy_fault_add(
	    setter->faults, setter->arena,
	    (struct policy_fault){
		.code = ERR_POLICY, .source = setter->source, .pointer = pointer, .found = "nothing", .allowed = setter_allowed(setter) });
}

static int require_keys(struct reader *reader, const json_t *root)
{
	struct setter *setter = &reader->setter;
	int r = require_section(reader, root, "/network");

	if (r == 0)
		r = require_section(reader, root, "/filesystem");
	for (const struct policy_field *field = policy_field_next(NULL); field && r == 0; field = policy_field_next(field)) {
		const char *section = section_of(setter->arena, field->pointer);

		if (!section)
			return -ENOMEM;
		if (field->origin != POLICY_NEEDED_BY_SRT || !json_is_object(value_at(root, section)) || value_at(root, field->pointer))
			continue;
		setter->field = field;
		r = policy_fault_add(setter->faults, setter->arena,
		                     (struct policy_fault){ .code = ERR_POLICY,
		                                            .source = setter->source,
		                                            .pointer = field->pointer,
		                                            .found = "nothing",
		                                            .allowed = setter_allowed(setter) });
	}
	return r;
}

/* srt says it of the document; without file rules nothing is denied anyway. */
static int refuse_inert(struct reader *reader, const struct rule_vec *list)
{
	struct setter *setter = &reader->setter;
	size_t n = strlen(setter->source);
	int r = 0;

	for (size_t i = 0; i < list->n && r == 0; i++) {
		const struct policy_rule *rule = &list->at[i];

		if (!policy_rule_is_inert(rule) || strncmp(rule->why, setter->source, n) != 0 || rule->why[n] != ' ')
			continue;
		r = policy_fault_add(setter->faults, setter->arena,
		                     (struct policy_fault){ .code = ERR_POLICY,
		                                            .source = setter->source,
		                                            .pointer = rule->why + n + 1,
		                                            .found = rule->text,
		                                            .allowed = "a pattern without the last slash, which denies nothing" });
	}
	return r;
}

static int judge_srt(struct reader *reader, const json_t *root)
{
	const struct policy_filesystem *fs = &reader->setter.policy->filesystem;
	int r = require_keys(reader, root);

	if (r == 0 && !fs->disabled)
		r = refuse_inert(reader, &fs->deny_read);
	return r == 0 && !fs->disabled ? refuse_inert(reader, &fs->deny_write) : r;
}

/* --- Documents. ------------------------------------------------------------------------------------------------------------- */

static int read_root(struct reader *reader, const json_t *root)
{
	int r;

	if (!json_is_object(root)) {
		const struct policy_field whole = { .pointer = "", .kind = POLICY_OBJECT };

		reader->setter.field = &whole;
		return setter_refuse(&reader->setter, "", root, NULL);
	}
	r = read_section(reader, "", root);
	if (r == 0 && reader->dialect == POLICY_SRT)
		r = judge_srt(reader, root);
	return r;
}

/*
 * The profile goes first, into the policy itself; what the document says beside it goes into a request that tightens. A profile
 * that is no profile is found by read_root.
 */
static int read_profile(struct reader *reader, const json_t *root, struct policy **ret_request, struct err *err)
{
	const char *name = json_string_value(json_object_get(root, "profile"));
	const struct policy_document *profile = name ? policy_profile(name) : NULL;
	struct policy *policy = reader->setter.policy, *request;
	int r;

	*ret_request = NULL;
	if (!profile)
		return 0;
	request = ARENA_NEW(reader->setter.arena, struct policy);
	if (!request)
		return -ENOMEM;
	r = policy_read(policy, reader->setter.arena, profile, reader->setter.faults, err);
	if (r < 0)
		return r;
	policy_init_request(request);
	policy->profile = arena_dup(reader->setter.arena, name);
	request->profile = policy->profile;
	*ret_request = request;
	return policy->profile ? 0 : -ENOMEM;
}

static int apply_document(struct reader *reader, const json_t *root, struct err *err)
{
	struct policy *policy = reader->setter.policy, *request;
	int r = read_profile(reader, root, &request, err);

	if (r < 0)
		return r;
	if (request)
		reader->setter.policy = request;
	r = read_root(reader, root);
	reader->setter.policy = policy;
	if (request)
		policy->ignored = request->ignored; /* no permission: beside a profile it counts as it stands */
	return r == 0 && request ? policy_tighten(policy, request, reader->setter.arena) : r;
}

static int refuse_text(const struct setter *setter, const struct err *wrong)
{
	struct policy_fault fault = { .code = wrong->code, .source = setter->source, .allowed = arena_dup(setter->arena, wrong->text) };

	return fault.allowed ? policy_fault_add(setter->faults, setter->arena, fault) : -ENOMEM;
}

/* What the call found goes to the caller; r is how the reading itself went. */
static int report(const struct setter *setter, int r, struct fault_vec *faults, struct err *err)
{
	for (size_t i = 0; faults && r == 0 && i < setter->faults->n; i++)
		r = policy_fault_add(faults, setter->arena, setter->faults->at[i]);
	if (r == -ENOMEM)
		return err_set(err, ERR_LIMIT, ENOMEM, "the settings need more memory than a request may have");
	return r < 0 ? r : policy_faults_err(setter->faults, err);
}

int policy_read(struct policy *policy, struct arena *arena, const struct policy_document *document, struct fault_vec *faults,
                struct err *err)
{
	struct fault_vec found = { 0 };
	struct policy next = *policy;
	struct reader reader = {
		.setter = { .policy = &next, .arena = arena, .source = arena_dup(arena, document->source), .faults = &found },
		.dialect = document->dialect,
	};
	struct err wrong = { 0 };
	autojson json_t *root = NULL;
	int r = reader.setter.source ? json_read(document->text, document->n, document->source, &root, &wrong) : -ENOMEM;

	if (r == 0)
		r = apply_document(&reader, root, err);
	else if (r != -ENOMEM)
		r = refuse_text(&reader.setter, &wrong);
	r = report(&reader.setter, r, faults, err);
	if (r == 0)
		*policy = next;
	return r;
}

/* --- Options. --------------------------------------------------------------------------------------------------------------- */

/* "NAME=VALUE" */
static json_t *variable_of(struct arena *arena, const char *text)
{
	size_t n = strcspn(text, "=");
	const char *name = arena_dup_n(arena, text, n);
	json_t *object = name ? json_object() : NULL;

	if (object && json_object_set_new_nocheck(object, name, json_string_nocheck(text + n + 1)) < 0)
		json_done(&object);
	return object;
}

/* An option gives one entry of these at a time. */
static bool takes_list(enum policy_kind kind)
{
	return kind == POLICY_PATHS || kind == POLICY_NAMES || kind == POLICY_DOMAINS || kind == POLICY_ADDRESSES || kind == POLICY_PUBLISH;
}

/* The JSON value that an option's text stands for. Its bytes need not be UTF-8, for paths are bytes. */
static json_t *value_of(struct arena *arena, enum policy_kind kind, const char *text)
{
	if (kind == POLICY_BOOL && (!text || strcmp(text, "true") == 0 || strcmp(text, "false") == 0))
		return json_boolean(!text || text[0] == 't');
	if (!text)
		return json_null();
	if (kind == POLICY_VARIABLES)
		return variable_of(arena, text);

	json_t *value = json_string_nocheck(text);

	return takes_list(kind) ? json_pack("[o]", value) : value;
}

int policy_set(struct policy *policy, struct arena *arena, const struct policy_word *word, struct fault_vec *faults, struct err *err)
{
	struct fault_vec found = { 0 };
	struct policy next = *policy;
	struct setter setter = {
		.policy = &next, .arena = arena, .field = word->field, .source = arena_dup(arena, word->why), .is_option = true
	};

	/* --env NAME takes it from the caller. */
	if (word->field->kind == POLICY_VARIABLES && word->value && !strchr(word->value, '='))
		setter.field = policy_field_by_pointer("/environment/inherit");
	setter.faults = &found;

	autojson json_t *value = setter.source ? value_of(arena, setter.field->kind, word->value) : NULL;
	int r = report(&setter, value ? setter_apply(&setter, value) : -ENOMEM, faults, err);

	if (r == 0)
		*policy = next;
	return r;
}

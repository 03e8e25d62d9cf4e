#include "policy/print.h"

#include "policy/environment.h"

#include <string.h>

static void add_text(struct str *out, const char *text)
{
	str_add_json(out, text, strlen(text));
}

/* The largest unit that leaves nothing over, so that what is read back is the same. */
static void add_scaled(struct str *out, uint64_t value, uint64_t step, const char *const *units)
{
	while (units[1] && value && value % step == 0) {
		value /= step;
		units++;
	}
	str_printf(out, "\"%llu%s\"", (unsigned long long)value, *units);
}

static void add_number(struct str *out, uint64_t value)
{
	/* Beyond what a JSON reader takes as an integer it is text. */
	str_printf(out, value > INT64_MAX ? "\"%llu\"" : "%llu", (unsigned long long)value);
}

static void add_share(struct str *out, uint64_t hundredths)
{
	if (hundredths % 100 == 0)
		add_number(out, hundredths / 100);
	else
		str_printf(out, "\"%llu.%02llu\"", (unsigned long long)(hundredths / 100), (unsigned long long)(hundredths % 100));
}

static void add_limit(struct str *out, enum policy_kind kind, uint64_t value)
{
	static const char *const sizes[] = { "", "K", "M", "G", "T", NULL };
	static const char *const durations[] = { "ms", "s", NULL };

	if (value == NUM_UNLIMITED)
		str_add(out, "\"unlimited\"");
	else if (kind == POLICY_SIZE)
		add_scaled(out, value, 1024, sizes);
	else if (kind == POLICY_DURATION)
		add_scaled(out, value, 1000, durations);
	else if (kind == POLICY_SHARE)
		add_share(out, value);
	else
		add_number(out, value);
}

static void add_rules(struct str *out, const struct rule_vec *list)
{
	const char *comma = "";

	str_add_char(out, '[');
	for (size_t i = 0; i < list->n; i++) {
		if (list->at[i].derived || list->at[i].except)
			continue;
		str_add(out, comma);
		str_add(out, list->at[i].literal ? "{\"path\": " : "");
		add_text(out, list->at[i].text);
		str_add(out, list->at[i].literal ? ", \"literal\": true}" : "");
		comma = ", ";
	}
	str_add_char(out, ']');
}

static void add_names(struct str *out, const struct text_vec *names)
{
	str_add_char(out, '[');
	for (size_t i = 0; i < names->n; i++) {
		str_add(out, i ? ", " : "");
		add_text(out, names->at[i]);
	}
	str_add_char(out, ']');
}

static void add_variables(struct str *out, const struct variable_vec *set)
{
	str_add_char(out, '{');
	for (size_t i = 0; i < set->n; i++) {
		str_add(out, i ? ", " : "");
		add_text(out, set->at[i].name);
		str_add(out, ": ");
		if (!set->at[i].value)
			str_add(out, "null");
		else
			add_text(out, environment_name_is_secret(set->at[i].name) ? "•••" : set->at[i].value);
	}
	str_add_char(out, '}');
}

static void add_domains(struct str *out, const struct domain_vec *domains)
{
	str_add_char(out, '[');
	for (size_t i = 0; i < domains->n; i++) {
		str_add(out, i ? ", " : "");
		add_text(out, domains->at[i].text);
	}
	str_add_char(out, ']');
}

static void add_published(struct str *out, const struct published_vec *list)
{
	str_add_char(out, '[');
	for (size_t i = 0; i < list->n; i++) {
		str_add(out, i ? ", " : "");
		add_text(out, list->at[i].text);
	}
	str_add_char(out, ']');
}

static void add_choice(struct str *out, const char *choices, const void *place)
{
	unsigned index;
	size_t n = 0;

	memcpy(&index, place, sizeof(index)); /* an enum of whichever name */

	const char *choice = policy_choice(choices, index, &n);

	str_add_json(out, choice ? choice : "", n);
}

/* Kinds with members, and those that are a text. */
static void add_compound(struct str *out, enum policy_kind kind, const void *place)
{
	switch (kind) {
	case POLICY_PUBLISH:
		add_published(out, place);
		break;
	case POLICY_REASONS:
	case POLICY_VARIABLES:
		add_variables(out, place);
		break;
	case POLICY_PARENT:
	case POLICY_MITM:
	case POLICY_TLS:
	case POLICY_REQUESTS:
	case POLICY_CREDENTIALS:
	case POLICY_AWS_PAIRS:
	case POLICY_SIGV4:
	case POLICY_TEXT_LISTS:
		policy_print_object(kind, place, out);
		break;
	default:
		if (*(const char *const *)place)
			add_text(out, *(const char *const *)place);
	}
}

void policy_print_field(const struct policy *policy, const struct policy_field *field, struct str *out)
{
	const void *place = (const char *)policy + field->place;

	switch (field->kind) {
	case POLICY_BOOL:
		str_add(out, *(const bool *)place ? "true" : "false");
		break;
	case POLICY_CHOICE:
		add_choice(out, field->choices, place);
		break;
	case POLICY_SIZE:
	case POLICY_DURATION:
	case POLICY_COUNT:
	case POLICY_SHARE:
		add_limit(out, field->kind, ((const struct policy_limit *)place)->value);
		break;
	case POLICY_DEPTH:
		str_printf(out, "%u", *(const unsigned *)place);
		break;
	case POLICY_MODE:
		str_printf(out, "\"%03o\"", *(const unsigned *)place);
		break;
	case POLICY_PATHS:
		add_rules(out, place);
		break;
	case POLICY_NAMES:
	case POLICY_ADDRESSES:
	case POLICY_HEADERS:
		add_names(out, place);
		break;
	case POLICY_DOMAINS:
		add_domains(out, place);
		break;
	case POLICY_PORT:
		if (*(const unsigned *)place)
			str_printf(out, "%u", *(const unsigned *)place);
		break;
	default:
		add_compound(out, field->kind, place);
	}
}

/* --- Walking the table, section by section. ---------------------------------------------------------------------------------- */

struct sections {
	struct str *out;
	char open[64];      /* the section that is open, "" at the top */
	bool is_first;      /* nothing printed yet in it */
	const char *inside; /* what opens a section behind its name */
	const char *after;  /* what closes one */
};

static void indent(struct sections *s)
{
	str_add(s->out, s->is_first ? "\n  " : ",\n  ");
	if (s->open[0])
		str_add(s->out, "  ");
	s->is_first = false;
}

static void close_section(struct sections *s)
{
	if (s->open[0])
		str_add(s->out, s->after);
	s->open[0] = '\0';
	s->is_first = false;
}

/* Prints what stands in front of a field's value, sections that end and begin included. */
static void begin_field(struct sections *s, const struct policy_field *field)
{
	const char *name = field->pointer + 1, *slash = strchr(name, '/');
	size_t n = slash ? (size_t)(slash - name) : 0;

	if (strlen(s->open) != n || memcmp(s->open, name, n) != 0) {
		close_section(s);
		if (slash && n < sizeof(s->open)) {
			indent(s);
			str_add_json(s->out, name, n);
			str_add(s->out, s->inside);
			memcpy(s->open, name, n);
			s->open[n] = '\0';
			s->is_first = true;
		}
	}
	indent(s);
	add_text(s->out, slash ? slash + 1 : name);
	str_add(s->out, ": ");
}

/* A document of srt's cannot do without its domain lists, empty as they have to be. */
static bool is_printed(const struct policy_field *field)
{
	return field->fate == POLICY_SET || field->origin == POLICY_NEEDED_BY_SRT;
}

static void print_value(const struct policy *policy, const struct policy_field *field, struct str *out)
{
	if (field->fate == POLICY_SET)
		policy_print_field(policy, field, out);
	else
		str_add(out, "[]");
}

void policy_print_json(const struct policy *policy, struct str *out)
{
	struct sections s = { .out = out, .is_first = true, .inside = ": {", .after = "\n  }" };
	autostr struct str value = { 0 };

	str_init(&value, out->ceiling);
	str_add_char(out, '{');
	for (const struct policy_field *field = policy_field_next(NULL); field; field = policy_field_next(field)) {
		str_clear(&value);
		/* A profile's fields are all there; named as well, it would make the document tighten itself. */
		if (is_printed(field) && field->kind != POLICY_PROFILE)
			print_value(policy, field, &value);
		if (!value.len)
			continue;
		begin_field(&s, field);
		str_add_n(out, value.text, value.len);
	}
	close_section(&s);
	str_add(out, "\n}\n");
	out->failed |= value.failed;
}

/* --- JSON Schema. ------------------------------------------------------------------------------------------------------------ */

static void add_choices(struct str *out, const char *choices)
{
	const char *choice;
	size_t n;

	str_add(out, "\"enum\": [");
	for (unsigned i = 0; (choice = policy_choice(choices, i, &n)); i++) {
		str_add(out, i ? ", " : "");
		str_add_json(out, choice, n);
	}
	str_add_char(out, ']');
}

static void print_property(const struct policy *initial, const struct policy_field *field, struct str *out)
{
	autostr struct str value = { 0 };

	str_init(&value, out->ceiling);
	if (field->fate == POLICY_SET && field->kind != POLICY_PATH && field->kind != POLICY_PROFILE)
		policy_print_field(initial, field, &value);
	str_add_char(out, '{');
	if (field->kind == POLICY_CHOICE)
		add_choices(out, field->choices);
	else
		str_add(out, policy_kind_info(field->kind)->schema);
	if (field->fate == POLICY_UNSUPPORTED && policy_kind_info(field->kind)->schema[9] == 'a') /* "type": "array" */
		str_add(out, ", \"maxItems\": 0");
	str_add(out, ", \"description\": ");
	add_text(out, field->sentence);
	if (value.len) {
		str_add(out, ", \"default\": ");
		str_add_n(out, value.text, value.len);
	}
	str_printf(out, ", \"examples\": [%s]}", field->example);
}

void policy_print_schema(const struct policy *initial, struct str *out)
{
	struct sections s = { .out = out,
		              .is_first = true,
		              .inside = ": {\"type\": \"object\", \"additionalProperties\": false, \"properties\": {",
		              .after = "\n  }}" };

	str_add(
	    out,
	    "{\n\"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n\"title\": \"coffer settings\",\n\"type\": \"object\",\n"
	    "\"additionalProperties\": false,\n\"properties\": {");
	for (const struct policy_field *field = policy_field_next(NULL); field; field = policy_field_next(field)) {
		begin_field(&s, field);
		print_property(initial, field, out);
	}
	close_section(&s);
	str_add(out, "\n}\n}\n");
}

#include "base/json.h"

#include "base/str.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { JSON_DEPTH_MAX = 128, JSON_SHOWN_MAX = 60 };

void json_done(json_t **doc)
{
	json_decref(*doc);
	*doc = NULL;
}

/* Where a scan of the text stands. Strings are skipped, so that a bracket within one does not count. */
struct scan {
	unsigned line, column;
	int depth;
	bool in_string, quoted;
};

static void step_string(struct scan *scan, char c)
{
	if (scan->quoted)
		scan->quoted = false;
	else if (c == '\\')
		scan->quoted = true;
	else if (c == '"')
		scan->in_string = false;
}

static void step(struct scan *scan, char c)
{
	if (c == '\n') {
		scan->line++;
		scan->column = 0;
	} else {
		scan->column++;
	}
	if (scan->in_string) {
		step_string(scan, c);
		return;
	}
	scan->in_string = c == '"';
	scan->depth += (c == '[' || c == '{') - (c == ']' || c == '}');
}

/* Jansson's own limit of depth is 2048 and not ours to set: so it is looked at beforehand. */
static int check_depth(const char *text, size_t n, struct err *err)
{
	struct scan scan = { .line = 1 };

	for (size_t i = 0; i < n; i++) {
		step(&scan, text[i]);
		if (scan.depth > JSON_DEPTH_MAX)
			return err_set(err, ERR_POLICY, EINVAL, "line %u, column %u: nested deeper than %d", scan.line, scan.column,
			               JSON_DEPTH_MAX);
	}
	return 0;
}

static int parse(const char *text, size_t n, json_t **ret_doc, struct err *err)
{
	json_error_t why;

	if (n > JSON_DOCUMENT_MAX)
		return err_set(err, ERR_POLICY, EFBIG, "longer than %d bytes", JSON_DOCUMENT_MAX);

	int r = check_depth(text, n, err);

	if (r < 0)
		return r;

	json_t *doc = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);

	if (!doc && json_error_code(&why) == json_error_out_of_memory)
		return err_set(err, ERR_LIMIT, ENOMEM, "out of memory");
	if (!doc)
		return err_set(err, ERR_POLICY, EINVAL, "line %d, column %d: %s", why.line, why.column, why.text);
	*ret_doc = doc;
	return 0;
}

int json_read(const char *text, size_t n, const char *source, json_t **ret_doc, struct err *err)
{
	int r = parse(text, n, ret_doc, err);

	if (r < 0)
		err_at(err, source);
	return r;
}

static void describe_string(const json_t *value, struct str *out)
{
	const char *text = json_string_value(value);
	size_t n = json_string_length(value);

	str_add(out, "string ");
	if (n <= JSON_SHOWN_MAX) {
		str_add_json(out, text, n);
		return;
	}
	n = JSON_SHOWN_MAX;
	while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80) /* never within a character */
		n--;
	str_add_json(out, text, n);
	str_add(out, "…");
}

static void describe(const json_t *value, struct str *out)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		describe_string(value, out);
		break;
	case JSON_INTEGER:
		str_printf(out, "number %lld", (long long)json_integer_value(value));
		break;
	case JSON_REAL:
		str_printf(out, "number %.15g", json_real_value(value));
		break;
	case JSON_ARRAY:
		str_printf(out, "array of %zu", json_array_size(value));
		break;
	case JSON_OBJECT:
		str_printf(out, "object of %zu", json_object_size(value));
		break;
	case JSON_TRUE:
		str_add(out, "true");
		break;
	case JSON_FALSE:
		str_add(out, "false");
		break;
	case JSON_NULL:
		str_add(out, "null");
		break;
	}
}

void json_describe(const json_t *value, char *ret_text, size_t room)
{
	struct str out autostr;

	str_init(&out, 1024);
	if (value)
		describe(value, &out);
	else
		str_add(&out, "nothing");
	if (room)
		snprintf(ret_text, room, "%s", out.text);
}

const char *json_text_of(const json_t *object, const char *key, struct arena *arena)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? arena_dup(arena, text) : NULL;
}

uint64_t json_number_of(const json_t *object, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(object, key));

	return n > 0 ? (uint64_t)n : 0;
}

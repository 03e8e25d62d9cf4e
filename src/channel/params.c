#include "channel/params.h"

#include "base/base64.h"
#include "base/json.h"
#include "base/nearest.h"
#include "base/own.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 32, COUNT_MAX_BITS = 53 };

/* ---- types ---- */

static bool is_text(const json_t *value)
{
	return json_is_string(value);
}

static bool is_count(const json_t *value)
{
	return json_is_integer(value) && json_integer_value(value) >= 0 && json_integer_value(value) < (json_int_t)1 << COUNT_MAX_BITS;
}

static bool is_flag(const json_t *value)
{
	return json_is_boolean(value);
}

static bool is_data(const json_t *value)
{
	size_t n = json_string_length(value);
	autofree char *bytes = json_is_string(value) ? malloc(BASE64_ROOM(n) + 1) : NULL;

	return bytes && base64_read(json_string_value(value), n, bytes) >= 0;
}

static bool is_path(const json_t *value)
{
	return json_is_string(value) || (json_object_size(value) == 1 && is_data(json_object_get(value, "base64")));
}

static bool is_object(const json_t *value)
{
	return json_is_object(value);
}

static bool is_array(const json_t *value)
{
	return json_is_array(value);
}

static bool is_texts(const json_t *value)
{
	size_t i;
	const json_t *one;

	json_array_foreach (value, i, one) {
		if (!json_is_string(one))
			return false;
	}
	return json_array_size(value) > 0 && json_array_size(value) < PARAMS_ARGV_MAX && json_string_length(json_array_get(value, 0)) > 0;
}

static bool holds(const json_t *value, bool nulls)
{
	const char *key;
	const json_t *one;

	json_object_foreach ((json_t *)(uintptr_t)value, key, one) {
		if (!json_is_string(one) && !(nulls && json_is_null(one)))
			return false;
	}
	return json_is_object(value);
}

static bool is_labels(const json_t *value)
{
	return holds(value, false);
}

static bool is_env(const json_t *value)
{
	return holds(value, true);
}

static const struct type {
	const char *name;
	bool (*fits)(const json_t *value);
	const char *words;
} types[] = {
	{ "text", is_text, "a string" },
	{ "count", is_count, "a number, 0 or more" },
	{ "flag", is_flag, "true or false" },
	{ "data", is_data, "base64" },
	{ "path", is_path, "a path: a string, or {\"base64\": \"…\"}" },
	{ "object", is_object, "an object" },
	{ "array", is_array, "an array" },
	{ "texts", is_texts, "an array of strings, the first not empty" },
	{ "labels", is_labels, "an object of strings" },
	{ "env", is_env, "an object of strings and nulls" },
};

/* ---- a method's list ---- */

struct param {
	char name[NAME_MAX_BYTES];
	const struct type *type;
	bool needed;
};

/* The first of a list; *list is behind it. False at the end. */
static bool next_param(const char **list, struct param *param)
{
	const char *word = *list + strspn(*list, " "), *colon = strchr(word, ':');
	size_t n = strcspn(word, " ");

	if (!n || !colon || (size_t)(colon - word) >= NAME_MAX_BYTES)
		return false;
	*param = (struct param){ .needed = word[n - 1] == '!' };
	memcpy(param->name, word, (size_t)(colon - word));
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strncmp(colon + 1, types[i].name, strlen(types[i].name)) == 0 && strchr(" !", colon[1 + strlen(types[i].name)]))
			param->type = &types[i];
	*list = word + n;
	return param->type;
}

static int unknown(const char *list, const char *key, struct err *err)
{
	struct nearest nearest = { .wanted = key };
	struct param param;
	char near[NAME_MAX_BYTES] = "";

	while (next_param(&list, &param)) {
		nearest_try(&nearest, param.name);
		if (nearest.word == param.name) {
			memcpy(near, param.name, sizeof(near));
			nearest.word = near;
		}
	}
	err_at(err, key);
	return err_set(err, ERR_USAGE, EINVAL, near[0] ? "unknown parameter \"%s\"; did you mean \"%s\"?" : "unknown parameter \"%s\"", key,
	               near);
}

static bool is_known(const char *list, const char *key)
{
	struct param param;

	while (next_param(&list, &param))
		if (strcmp(param.name, key) == 0)
			return true;
	return false;
}

static int wrong(const struct param *param, const json_t *value, struct err *err)
{
	char found[64] = "nothing";
	int r;

	if (value)
		json_describe(value, found, sizeof(found));
	r = err_set(err, ERR_USAGE, EINVAL, "%s: %s is needed, found %s", param->name, param->type->words, found);
	err_at(err, param->name);
	return r;
}

int params_check(const char *list, const json_t *params, struct err *err)
{
	struct param param;
	const char *key;
	const json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)params, key, value) {
		if (!is_known(list, key))
			return unknown(list, key, err);
	}
	while (next_param(&list, &param)) {
		value = params_get(params, param.name);
		if (value ? !param.type->fits(value) : param.needed)
			return wrong(&param, value, err);
	}
	return 0;
}

/* ---- getters ---- */

const json_t *params_get(const json_t *params, const char *name)
{
	const json_t *value = json_object_get(params, name);

	return json_is_null(value) ? NULL : value;
}

const char *params_text(const json_t *params, const char *name)
{
	return json_string_value(params_get(params, name));
}

uint64_t params_count(const json_t *params, const char *name, uint64_t otherwise)
{
	const json_t *value = params_get(params, name);

	return value ? (uint64_t)json_integer_value(value) : otherwise;
}

bool params_flag(const json_t *params, const char *name, bool otherwise)
{
	const json_t *value = params_get(params, name);

	return value ? json_is_true(value) : otherwise;
}

static int read_path(const json_t *coded, char *path)
{
	const char *text = json_string_value(coded);
	size_t n = json_string_length(coded);
	ssize_t bytes = BASE64_ROOM(n) <= PATH_BYTES_MAX ? base64_read(text, n, path) : -ENAMETOOLONG;

	if (bytes < 0)
		return (int)bytes;
	path[bytes] = '\0';
	return strlen(path) == (size_t)bytes ? 0 : -EINVAL;
}

int params_path(const json_t *value, char ret_path[PATH_BYTES_MAX + 1], struct err *err)
{
	const char *text = json_string_value(value);
	int r = 0;

	ret_path[0] = '\0';
	if (json_is_object(value))
		r = read_path(json_object_get(value, "base64"), ret_path);
	else if (text && strlen(text) <= PATH_BYTES_MAX)
		memcpy(ret_path, text, strlen(text) + 1);
	else if (text)
		r = -ENAMETOOLONG;
	return r < 0 ? err_set(err, ERR_POLICY, -r, "a path has at most %d bytes, none of them NUL", PATH_BYTES_MAX) : 0;
}

int params_data(const json_t *params, const char *name, struct str *bytes)
{
	const json_t *value = params_get(params, name);
	size_t n = json_string_length(value);
	autofree char *decoded = malloc(BASE64_ROOM(n) + 1);
	ssize_t got = decoded ? base64_read(value ? json_string_value(value) : "", n, decoded) : -ENOMEM;

	if (got > 0)
		str_add_n(bytes, decoded, (size_t)got);
	return got < 0 ? (int)got : bytes->failed ? -ENOMEM : 0;
}

const char **params_texts(const json_t *params, const char *name)
{
	const json_t *array = params_get(params, name), *one;
	const char **texts = calloc(json_array_size(array) + 1, sizeof(*texts));
	size_t i;

	if (!texts)
		return NULL;
	json_array_foreach (array, i, one) {
		texts[i] = json_string_value(one);
	}
	return texts;
}

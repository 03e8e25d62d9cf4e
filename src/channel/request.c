#include "channel/request.h"

#include "base/json.h"
#include "base/nearest.h"
#include "base/own.h"
#include "channel/params.h"
#include "channel/work.h"

#include <errno.h>
#include <string.h>

#define METHOD(name, work, end, params) { name, work, end, params },
const struct method methods[] = {
#include "channel/methods.def"
};
#undef METHOD
const size_t methods_n = ARRAY_LEN(methods);

static int find_method(const char *name, const struct method **ret_method, struct err *err)
{
	struct nearest nearest = { .wanted = name };

	for (size_t i = 0; i < methods_n; i++) {
		if (strcmp(methods[i].name, name) == 0) {
			*ret_method = &methods[i];
			return 0;
		}
		nearest_try(&nearest, methods[i].name);
	}
	return err_set(err, ERR_USAGE, ENOSYS,
	               nearest.word ? "there is no method \"%s\"; did you mean \"%s\"?" : "there is no method \"%s\"", name, nearest.word);
}

static uint64_t id_of(const json_t *line)
{
	const json_t *id = json_object_get(line, "id");
	json_int_t n = json_integer_value(id);

	return json_is_integer(id) && n > 0 && n < (json_int_t)1 << 53 ? (uint64_t)n : 0;
}

static int check_members(const json_t *line, struct err *err)
{
	const char *key;
	const json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)line, key, value) {
		if (strcmp(key, "id") != 0 && strcmp(key, "method") != 0 && strcmp(key, "params") != 0)
			return err_set(err, ERR_USAGE, EINVAL, "a request has id, method and params, not \"%s\"", key);
	}
	if (!id_of(line))
		return err_set(err, ERR_USAGE, EINVAL, "id: a number from 1 to 2^53-1 is needed");
	if (!json_is_string(json_object_get(line, "method")))
		return err_set(err, ERR_USAGE, EINVAL, "method: a string is needed");
	value = params_get(line, "params");
	return value && !json_is_object(value) ? err_set(err, ERR_USAGE, EINVAL, "params: an object is needed") : 0;
}

int channel_request_read(const char *line, size_t n, struct request *ret_request, struct err *err)
{
	autojson json_t *read = NULL;
	const struct method *method = NULL;
	int r = json_read(line, n, "line", &read, err);

	ret_request->id = 0;
	if (r < 0) {
		err->code = ERR_USAGE;
		return r;
	}
	if (!json_is_object(read))
		return err_set(err, ERR_USAGE, EINVAL, "a line is an object");
	ret_request->id = id_of(read);
	r = check_members(read, err);
	if (r == 0)
		r = find_method(json_string_value(json_object_get(read, "method")), &method, err);
	if (r < 0)
		return r;

	const json_t *given = params_get(read, "params");
	autojson json_t *params = given ? json_incref((json_t *)(uintptr_t)given) : json_object();

	r = params ? params_check(method->params, params, err) : err_set(err, ERR_LIMIT, ENOMEM, "no memory for a request");
	if (r < 0)
		return r;
	ret_request->method = method;
	ret_request->params = TAKE_PTR(params);
	return 0;
}

void channel_request_done(struct request *request)
{
	json_decref(request->params);
	request->params = NULL;
}

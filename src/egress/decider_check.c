/* What the other side may say. It is trusted with every decision; a slip of it is the end of the stream, and so of all that would have passed. */
#include "egress/decider.h"

#include "base/utf8.h"
#include "policy/access.h"

#include <ctype.h>
#include <string.h>

enum {
	HEADERS_MAX = 190,
	HEADER_BYTES_MAX = 64 << 10,
	REASON_BYTES_MAX = 1 << 10,
	CREDENTIAL_MAX = 8 << 10,
	STATUS_LEAST = 400,
	STATUS_MOST = 599
};

/* Framing, and what only a credential may be. */
static const char *const framing[] = { "host", "content-length", "transfer-encoding", "connection",       "upgrade",
	                               "te",   "trailer",        "keep-alive",        "proxy-connection", NULL };
static const char *const credentials[] = { "authorization", "proxy-authorization", "cookie", "x-api-key", NULL };

static bool is_one_of(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (access_is_same_header(name, strlen(name), *names))
			return true;
	return false;
}

/* No member but these. */
static bool has_only(const json_t *object, const char *const *names)
{
	const char *name;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)object, name, value) {
		const char *const *known = names;

		while (*known && strcmp(*known, name) != 0)
			known++;
		if (!*known)
			return false;
	}
	return true;
}

/* No control character but the tab. */
static bool is_line(const json_t *value)
{
	const char *text = json_string_value(value);
	size_t n = json_string_length(value);

	for (size_t at = 0; text && at < n;) {
		uint32_t code = 0;
		size_t length = utf8_take(text + at, n - at, &code);

		if (!length || (code < ' ' && code != '\t') || (code >= 0x7f && code <= 0x9f))
			return false;
		at += length;
	}
	return text;
}

static bool is_lower_name(const char *name)
{
	for (const char *c = name; *c; c++)
		if (isupper((unsigned char)*c))
			return false;
	return access_is_token(name);
}

static bool is_whole(const json_t *value, json_int_t least, json_int_t most)
{
	return json_is_integer(value) && json_integer_value(value) >= least && json_integer_value(value) <= most;
}

static bool has_doubles(const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		for (size_t k = 0; k < i; k++)
			if (json_equal(json_array_get(list, i), json_array_get(list, k)))
				return true;
	return false;
}

/* Bytes of the values; 0 when one is none. */
static size_t count_values(const json_t *values)
{
	size_t i, bytes = 1;
	json_t *value;

	if (!json_is_array(values))
		return 0;
	json_array_foreach (values, i, value) {
		if (!is_line(value))
			return 0;
		bytes += json_string_length(value);
	}
	return bytes;
}

static bool check_set(const json_t *set)
{
	const char *name;
	json_t *values;
	size_t entries = 0, bytes = 0;

	if (!json_is_object(set) || json_object_size(set) == 0)
		return false;
	json_object_foreach ((json_t *)(uintptr_t)set, name, values) {
		size_t n = count_values(values);

		if (n == 0 || !is_lower_name(name) || is_one_of(framing, name) || is_one_of(credentials, name))
			return false;
		entries += json_array_size(values) ? json_array_size(values) : 1;
		bytes += strlen(name) + n - 1;
	}
	return entries <= HEADERS_MAX && bytes <= HEADER_BYTES_MAX;
}

static bool check_remove(const json_t *list)
{
	size_t i, bytes = 0;
	json_t *entry;

	if (!json_is_array(list) || json_array_size(list) == 0 || json_array_size(list) > HEADERS_MAX || has_doubles(list))
		return false;
	json_array_foreach (list, i, entry) {
		const char *name = json_string_value(entry);

		if (!name || !is_lower_name(name) || is_one_of(framing, name))
			return false;
		bytes += strlen(name);
	}
	return bytes <= HEADER_BYTES_MAX;
}

/* Placed in a header as it is. */
static bool check_credential(const json_t *frame)
{
	const json_t *class = json_object_get(frame, "cred"), *value = json_object_get(frame, "credential");
	const char *text = json_string_value(value);
	size_t n = json_string_length(value);

	if (!class && !value)
		return true;
	if (!json_string_length(class) || !text || n == 0 || n > CREDENTIAL_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (text[i] <= ' ' || text[i] >= 0x7f)
			return false;
	return true;
}

static bool check_allow(const json_t *frame, struct verdict *verdict)
{
	static const char *const names[] = { "t", "id", "action", "setHeaders", "removeHeaders", "cred", "credential", NULL };

	verdict->action = VERDICT_ALLOW;
	verdict->set = json_object_get(frame, "setHeaders");
	verdict->remove = json_object_get(frame, "removeHeaders");
	verdict->credential_class = json_string_value(json_object_get(frame, "cred"));
	verdict->credential = json_string_value(json_object_get(frame, "credential"));
	return has_only(frame, names) && (!verdict->set || check_set(verdict->set)) &&
	       (!verdict->remove || check_remove(verdict->remove)) && check_credential(frame);
}

static bool check_deny(const json_t *frame, struct verdict *verdict)
{
	static const char *const names[] = { "t", "id", "action", "status", "reason", NULL };
	const json_t *status = json_object_get(frame, "status"), *reason = json_object_get(frame, "reason");

	verdict->action = VERDICT_DENY;
	verdict->status = (unsigned)json_integer_value(status);
	verdict->reason = json_string_value(reason);
	return has_only(frame, names) && is_whole(status, STATUS_LEAST, STATUS_MOST) &&
	       (!reason || (json_string_length(reason) && json_string_length(reason) <= REASON_BYTES_MAX && is_line(reason)));
}

static bool check_need_body(const json_t *frame, struct verdict *verdict)
{
	static const char *const names[] = { "t", "id", "action", "max", NULL };
	const json_t *most = json_object_get(frame, "max");

	verdict->action = VERDICT_NEED_BODY;
	verdict->most = (uint64_t)json_integer_value(most);
	return has_only(frame, names) && is_whole(most, 1, DECIDER_BODY_MAX);
}

static bool is_word(const json_t *frame, const char *name, const char *word)
{
	const char *text = json_string_value(json_object_get(frame, name));

	return text && strcmp(text, word) == 0;
}

bool decider_check_verdict(const json_t *frame, struct verdict *ret_verdict)
{
	const json_t *id = json_object_get(frame, "id");
	struct verdict verdict = { .id = (uint64_t)json_integer_value(id) };
	bool good = is_word(frame, "t", "verdict") && is_whole(id, 1, ((json_int_t)1 << 53) - 1);

	if (good && is_word(frame, "action", "allow"))
		good = check_allow(frame, &verdict);
	else if (good && is_word(frame, "action", "deny"))
		good = check_deny(frame, &verdict);
	else
		good = good && is_word(frame, "action", "need_body") && check_need_body(frame, &verdict);
	if (good)
		*ret_verdict = verdict;
	return good;
}

static bool is_list_of_texts(const json_t *list)
{
	size_t i;
	json_t *entry;

	if (!json_is_array(list) || has_doubles(list))
		return false;
	json_array_foreach (list, i, entry)
		if (!is_line(entry))
			return false;
	return true;
}

bool decider_check_hello(const json_t *frame)
{
	static const char *const names[] = { "t", "proto", "allowedDomains", "deniedDomains", NULL };

	return json_is_object(frame) && has_only(frame, names) && is_word(frame, "t", "hello") &&
	       is_whole(json_object_get(frame, "proto"), 1, 1) && is_list_of_texts(json_object_get(frame, "allowedDomains")) &&
	       is_list_of_texts(json_object_get(frame, "deniedDomains"));
}

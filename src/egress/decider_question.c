/* A request as the decider is told of it: names in lower case, values as the client wrote them, each once. */
#include "egress/decider.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { TARGET_MAX = 8 << 10 };

/* A field's bytes are Latin-1. False: control characters. */
static bool add_value(struct str *text, struct head_text value)
{
	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = (unsigned char)value.at[i];

		if ((c < ' ' && c != '\t') || (c >= 0x7f && c <= 0x9f))
			return false;
		if (c < 0x80)
			str_add_char(text, (char)c);
		else
			str_printf(text, "%c%c", 0xc0 | c >> 6, 0x80 | (c & 0x3f));
	}
	return true;
}

static bool add_json_value(struct str *frame, struct head_text value)
{
	autostr struct str text;
	bool good;

	str_init(&text, 2 * HEAD_BYTES_MAX + 1);
	good = add_value(&text, value);
	str_add_json(frame, text.len ? text.text : "", text.len);
	frame->failed |= text.failed;
	return good;
}

static bool is_same_name(struct head_text a, struct head_text b)
{
	return a.n == b.n && strncasecmp(a.at, b.at, a.n) == 0;
}

static bool came_before(const struct head *head, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (is_same_name(head->field[k].name, head->field[i].name))
			return true;
	return false;
}

static bool add_values(struct str *frame, const struct head *head, size_t i)
{
	bool good = true;

	str_add(frame, "\"");
	for (size_t k = 0; k < head->field[i].name.n; k++)
		str_add_char(frame, (char)tolower((unsigned char)head->field[i].name.at[k]));
	str_add(frame, "\":[");
	for (size_t k = i; k < head->fields_n && good; k++) {
		if (!is_same_name(head->field[k].name, head->field[i].name))
			continue;
		str_add(frame, k > i ? "," : "");
		good = add_json_value(frame, head->field[k].value);
	}
	str_add_char(frame, ']');
	return good;
}

/* Host has a member of its own. */
static bool add_fields(struct str *frame, const struct head *head)
{
	const char *before = ",\"headers\":{";
	bool good = true;

	for (size_t i = 0; i < head->fields_n && good; i++) {
		if (head_text_is(head->field[i].name, "host")) {
			continue;
		} else if (!came_before(head, i)) {
			str_add(frame, before);
			good = add_values(frame, head, i);
			before = ",";
		}
	}
	str_add(frame, before[1] ? "" : "}");
	return good;
}

static bool add_target(struct str *frame, const struct request *request)
{
	const char *mark = memchr(request->path.at, '?', request->path.n);
	size_t n = mark ? (size_t)(mark - request->path.at) : request->path.n, rest = request->path.n - n;

	str_add(frame, ",\"path\":");
	str_add_json(frame, n ? request->path.at : "/", n ? n : 1);
	if (rest > 1) {
		str_add(frame, ",\"query\":");
		str_add_json(frame, mark + 1, rest - 1);
	}
	return n <= TARGET_MAX;
}

bool decider_write_question(const struct conn *conn, uint64_t id, const struct request *request, const struct host *host, struct str *frame)
{
	const struct head_field *said;
	size_t from = 0;
	bool good = true;

	str_printf(frame, "{\"t\":\"req\",\"id\":%llu,\"method\":\"%s\",\"host\":", (unsigned long long)id,
	           http_method_str((enum http_method)request->head.parser.method));
	str_add_json_text(frame, host->text);
	str_printf(frame, ",\"port\":%u", request->port);
	said = head_next(&request->head, "host", &from);
	if (said) {
		str_add(frame, ",\"hostHeader\":");
		good = add_json_value(frame, said->value);
	}
	if (conn->client.secure && conn->says_name) {
		str_add(frame, ",\"sni\":");
		str_add_json_text(frame, conn->name.text);
	}
	good = good && add_target(frame, request) && add_fields(frame, &request->head);
	str_add_char(frame, '}');
	return good && !frame->failed && frame->len <= DECIDER_FRAME_MAX;
}

#include "egress/head.h"
#include "egress/weak.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

enum { LENGTH_DIGITS_MAX = 18 };

/* ---- the end of a head ---- */

static int check_line(const char *line, size_t n)
{
	if (memchr(line, '\0', n) || memchr(line, '\r', n))
		return -EPROTO;
	return n > 0 && (line[0] == ' ' || line[0] == '\t') ? -EPROTO : 0;
}

int head_find_end(const char *text, size_t n, size_t *scanned)
{
	for (size_t start = *scanned;;) {
		const char *lf = memchr(text + start, '\n', n - start);
		size_t end = lf ? (size_t)(lf - text) : n;

		if (!lf)
			return memchr(text + start, '\0', n - start) ? -EPROTO : 0;
		if (end == start || text[end - 1] != '\r' || check_line(text + start, end - 1 - start) < 0)
			return -EPROTO;
		if (end - 1 == start)
			return (int)end + 1;
		*scanned = start = end + 1;
	}
}

int head_find_end_lenient(const char *text, size_t n)
{
	for (size_t start = 0;;) {
		const char *lf = memchr(text + start, '\n', n - start);
		size_t end = lf ? (size_t)(lf - text) : n;

		if (!lf)
			return 0;
		if (end == start || (end == start + 1 && text[start] == '\r'))
			return start == 0 ? -EPROTO : (int)end + 1;
		start = end + 1;
	}
}

/* ---- http-parser ---- */

static int on_target(http_parser *parser, const char *at, size_t n)
{
	struct head *head = parser->data;

	if (head->target.n > 0 && head->target.at + head->target.n != at)
		return -1;
	if (head->target.n == 0)
		head->target.at = at;
	head->target.n += n;
	return 0;
}

static int on_reason(http_parser *parser, const char *at, size_t n)
{
	struct head *head = parser->data;

	if (head->reason.n == 0)
		head->reason.at = at;
	head->reason.n += n;
	return 0;
}

/* An empty name or value is not told; so a name after a value begins a field. */
static int on_name(http_parser *parser, const char *at, size_t n)
{
	struct head *head = parser->data;

	if (head->fields_n == HEAD_FIELDS_MAX) {
		head->too_many = true;
		return -1;
	}
	head->field[head->fields_n++] = (struct head_field){ .name = { at, n }, .value = { at + n, 0 } };
	return 0;
}

static int on_value(http_parser *parser, const char *at, size_t n)
{
	struct head *head = parser->data;
	struct head_text *value = head->fields_n ? &head->field[head->fields_n - 1].value : NULL;

	if (!value || (value->n > 0 && value->at + value->n != at))
		return -1; /* folded */
	if (value->n == 0)
		value->at = at;
	value->n += n;
	return 0;
}

/* RFC 9112, 6.3: whatever its fields say. */
static bool is_bodyless(unsigned status)
{
	return status < 200 || status == 204 || status == 304;
}

static int on_head(http_parser *parser)
{
	const struct head *head = parser->data;

	if (parser->method != HTTP_CONNECT || parser->type == HTTP_RESPONSE)
		parser->upgrade = 0; /* such fields are not passed on */
	return head->skip_body || (parser->type == HTTP_RESPONSE && is_bodyless(parser->status_code)) ? 1 : 0;
}

static int on_complete(http_parser *parser)
{
	struct head *head = parser->data;

	head->complete = true;
	return 0;
}

static const http_parser_settings settings = {
	.on_url = on_target,
	.on_status = on_reason,
	.on_header_field = on_name,
	.on_header_value = on_value,
	.on_headers_complete = on_head,
	.on_message_complete = on_complete,
};

/* ---- what it lets through ---- */

/* RFC 9110, 5.6.2. */
static bool is_token(struct head_text text)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < text.n; i++) {
		char c = text.at[i];
		bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

		if (!plain && (c == '\0' || !strchr(others, c)))
			return false;
	}
	return text.n > 0;
}

static bool is_clean(struct head_text text)
{
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

bool head_text_is(struct head_text text, const char *word)
{
	return text.n == strlen(word) && strncasecmp(text.at, word, text.n) == 0;
}

const struct head_field *head_next(const struct head *head, const char *name, size_t *from)
{
	while (*from < head->fields_n) {
		const struct head_field *field = &head->field[(*from)++];

		if (head_text_is(field->name, name))
			return field;
	}
	return NULL;
}

static struct head_text trim(struct head_text text)
{
	while (text.n > 0 && (text.at[text.n - 1] == ' ' || text.at[text.n - 1] == '\t'))
		text.n--;
	while (text.n > 0 && (text.at[0] == ' ' || text.at[0] == '\t')) {
		text.at++;
		text.n--;
	}
	return text;
}

/* The only field of that name; -EPROTO when there are several. NULL when there is none. */
static int find_only(const struct head *head, const char *name, const struct head_field **ret_field)
{
	size_t from = 0;

	*ret_field = head_next(head, name, &from);
	return *ret_field && head_next(head, name, &from) ? -EPROTO : 0;
}

static int read_length(struct head_text text, uint64_t *ret_length)
{
	uint64_t length = 0;

	if (text.n == 0 || text.n > LENGTH_DIGITS_MAX)
		return -EPROTO;
	for (size_t i = 0; i < text.n; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return -EPROTO;
		length = length * 10 + (uint64_t)(text.at[i] - '0');
	}
	*ret_length = length;
	return 0;
}

static int read_framing(struct head *head, enum http_parser_type type)
{
	const struct head_field *length, *coding;
	int r = find_only(head, "content-length", &length);

	if (r == 0)
		r = find_only(head, "transfer-encoding", &coding);
	if (r < 0 || (length && coding))
		return -EPROTO;
	if (coding && !WEAKENED("framing") && (!head_text_is(trim(coding->value), "chunked") || head->parser.http_minor == 0))
		return -EPROTO;
	head->framing = coding ? FRAMED_CHUNKS : FRAMED_EMPTY;
	if (length) {
		head->framing = FRAMED_LENGTH;
		return read_length(trim(length->value), &head->length);
	}
	if (!coding && type == HTTP_RESPONSE && !head->complete)
		head->framing = FRAMED_END;
	return 0;
}

/* Both have read the same fields; if they do not mean the same, whose word would the body go by? */
static bool is_agreed(const struct head *head, enum http_parser_type type)
{
	bool empty = head->framing == FRAMED_EMPTY || (head->framing == FRAMED_LENGTH && head->length == 0);

	if (head->complete)
		return empty || type == HTTP_RESPONSE;
	if (head->framing == FRAMED_LENGTH)
		return head->parser.content_length == head->length;
	if (head->framing == FRAMED_CHUNKS)
		return head->parser.flags & F_CHUNKED;
	return head->framing == FRAMED_END && !(head->parser.flags & F_CHUNKED) && head->parser.content_length == UINT64_MAX;
}

static int check_fields(const struct head *head)
{
	for (size_t i = 0; i < head->fields_n; i++)
		if (!is_token(head->field[i].name) || !is_clean(head->field[i].value))
			return -EPROTO;
	return is_clean(head->reason) ? 0 : -EPROTO;
}

int head_read(const char *text, size_t n, enum http_parser_type type, struct head *head)
{
	size_t read;
	int r;

	*head = (struct head){ .skip_body = head->skip_body };
	http_parser_init(&head->parser, type);
	head->parser.data = head;
	read = http_parser_execute(&head->parser, &settings, text, n);
	if (head->too_many)
		return -E2BIG;
	if (read != n || HTTP_PARSER_ERRNO(&head->parser) != HPE_OK)
		return -EPROTO;
	if (head->parser.http_major != 1 || head->parser.http_minor > 1)
		return -EPROTO;
	r = check_fields(head);
	if (r == 0)
		r = read_framing(head, type);
	return r == 0 && !is_agreed(head, type) ? -EPROTO : r;
}

/* ---- lists, and what is passed on ---- */

static bool list_holds(struct head_text list, struct head_text word)
{
	while (list.n > 0) {
		const char *comma = memchr(list.at, ',', list.n);
		struct head_text item = { list.at, comma ? (size_t)(comma - list.at) : list.n };
		size_t used = item.n + (comma ? 1 : 0);

		list.at += used;
		list.n -= used;
		item = trim(item);
		if (item.n == word.n && strncasecmp(item.at, word.at, word.n) == 0)
			return true;
	}
	return false;
}

static bool lists(const struct head *head, const char *name, struct head_text word)
{
	const struct head_field *field;

	for (size_t from = 0; (field = head_next(head, name, &from));)
		if (list_holds(field->value, word))
			return true;
	return false;
}

bool head_lists(const struct head *head, const char *name, const char *word)
{
	return lists(head, name, (struct head_text){ word, strlen(word) });
}

/* RFC 9110, 7.6.1, and what we write ourselves. */
static bool is_for_us(struct head_text name)
{
	static const char *const ours[] = { "host", "connection", "content-length", "transfer-encoding", "keep-alive",
		                            "te",   "trailer",    "upgrade",        "http2-settings",    "expect" };

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (head_text_is(name, ours[i]))
			return true;
	return name.n > 6 && !WEAKENED("fields") && strncasecmp(name.at, "proxy-", 6) == 0;
}

static bool is_dropped(const struct head_filter *filter, struct head_text name)
{
	return filter && filter->drops && filter->drops(filter, name);
}

void head_write_fields(const struct head *head, const struct head_filter *filter, struct str *out)
{
	for (size_t i = 0; i < head->fields_n; i++) {
		const struct head_field *field = &head->field[i];

		if (is_for_us(field->name) || lists(head, "connection", field->name) || is_dropped(filter, field->name))
			continue;
		str_add_n(out, field->name.at, field->name.n);
		str_add(out, ": ");
		if (filter && filter->write)
			filter->write(filter, field->value, out);
		else
			str_add_n(out, field->value.at, field->value.n);
		str_add(out, "\r\n");
	}
	if (filter && filter->add)
		filter->add(filter, out);
}

void head_write_framing(enum head_framing framing, uint64_t length, struct str *out)
{
	if (framing == FRAMED_CHUNKS)
		str_add(out, "Transfer-Encoding: chunked\r\n");
	if (framing == FRAMED_LENGTH)
		str_printf(out, "Content-Length: %llu\r\n", (unsigned long long)length);
}

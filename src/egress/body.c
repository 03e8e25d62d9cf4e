#include "egress/body.h"

#include <stdio.h>
#include <string.h>

static void put(struct body_out *out, const char *bytes, size_t n)
{
	if (n > sizeof(out->bytes) - out->n) {
		out->failed = true;
		return;
	}
	memcpy(out->bytes + out->n, bytes, n);
	out->n += n;
}

static void put_data(struct body *body, const char *at, size_t n)
{
	char size[32];

	if (n == 0)
		return;
	if (body->in_chunks)
		put(body->out, size, (size_t)snprintf(size, sizeof(size), "%zx\r\n", n));
	put(body->out, at, n);
	if (body->in_chunks)
		put(body->out, "\r\n", 2);
}

static void swap_data(struct body *body, const char *at, size_t n, bool last)
{
	const char *bytes;

	n = swap_feed(body->swap, at, n, last, &bytes);
	body->out->failed |= body->swap->held.failed;
	put_data(body, bytes, n);
}

static int on_data(http_parser *parser, const char *at, size_t n)
{
	struct body *body = parser->data;

	if (body->swap)
		swap_data(body, at, n, false);
	else
		put_data(body, at, n);
	return body->out->failed ? -1 : 0;
}

static int on_complete(http_parser *parser)
{
	struct body *body = parser->data;

	if (body->swap)
		swap_data(body, "", 0, true);
	if (body->in_chunks)
		put(body->out, "0\r\n\r\n", 5);
	body->complete = true;
	http_parser_pause(parser, 1);
	return 0;
}

static const http_parser_settings settings = { .on_body = on_data, .on_message_complete = on_complete };

void body_init(struct body *body, const struct head *head, bool in_chunks)
{
	*body = (struct body){ .parser = head->parser, .in_chunks = in_chunks, .complete = head->complete };
}

size_t body_feed(struct body *body, const char *bytes, size_t n, struct body_out *out)
{
	size_t used;

	body->out = out;
	body->parser.data = body;
	used = http_parser_execute(&body->parser, &settings, bytes, n);
	if (!body->complete && (used != n || HTTP_PARSER_ERRNO(&body->parser) != HPE_OK))
		body->failed = true;
	if (out->failed)
		body->failed = true;
	return used;
}

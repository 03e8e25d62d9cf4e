#include "egress/response.h"

#include <errno.h>

enum { NO_CONTENT = 204, STATUS_MIN = 100, STATUS_MAX = 599 };

int response_read(const char *text, size_t n, bool to_head, struct response *ret_response)
{
	struct response *response = ret_response;
	int r;

	*response = (struct response){ .head = { .skip_body = to_head } };
	r = head_read(text, n, HTTP_RESPONSE, &response->head);
	if (r < 0)
		return -EPROTO;
	response->status = response->head.parser.status_code;
	if (response->status < STATUS_MIN || response->status > STATUS_MAX)
		return -EPROTO;
	if (response->status == NO_CONTENT) /* has none, and says so in one way */
		response->head.framing = FRAMED_EMPTY;
	response->keep = response->head.framing != FRAMED_END && http_should_keep_alive(&response->head.parser);
	return 0;
}

void response_write(const struct response *response, const struct response_form *form, struct str *out)
{
	str_printf(out, "HTTP/1.1 %u ", response->status);
	str_add_n(out, response->head.reason.at, response->head.reason.n);
	str_add(out, "\r\n");
	head_write_fields(&response->head, form->filter, out);
	head_write_framing(form->framing, response->head.length, out);
	str_add(out, form->close ? "Connection: close\r\n\r\n" : "\r\n");
}

void response_write_switch(const struct response *response, const struct head_filter *filter, struct str *out)
{
	size_t from = 0;
	const struct head_field *upgrade = head_next(&response->head, "upgrade", &from);

	str_printf(out, "HTTP/1.1 %u ", response->status);
	str_add_n(out, response->head.reason.at, response->head.reason.n);
	str_add(out, "\r\nConnection: Upgrade\r\n");
	if (upgrade) {
		str_add(out, "Upgrade: ");
		str_add_n(out, upgrade->value.at, upgrade->value.n);
		str_add(out, "\r\n");
	}
	head_write_fields(&response->head, filter, out);
	str_add(out, "\r\n");
}

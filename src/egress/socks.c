#include "egress/socks.h"

#include <errno.h>
#include <string.h>

enum { NO_AUTHENTICATION = 0, CONNECT = 1, IPV4 = 1, NAME = 3, IPV6 = 4, REQUEST_HEAD = 4, PORT_BYTES = 2 };

int socks_read_greeting(const void *bytes, size_t n, bool *ret_acceptable)
{
	const unsigned char *b = bytes;

	if (n > 0 && b[0] != SOCKS_VERSION)
		return -EPROTO;
	if (n < 2 || n < 2 + (size_t)b[1])
		return 0;
	*ret_acceptable = b[1] > 0 && memchr(b + 2, NO_AUTHENTICATION, b[1]) != NULL;
	return 2 + b[1];
}

/* Where the address begins, and its length; 0 for an unknown type. */
static size_t address_length(const unsigned char *b, size_t *ret_at)
{
	*ret_at = REQUEST_HEAD;
	switch (b[3]) {
	case IPV4:
		return 4;
	case IPV6:
		return 16;
	case NAME:
		*ret_at = REQUEST_HEAD + 1;
		return b[4];
	default:
		return 0;
	}
}

int socks_read_request(const void *bytes, size_t n, struct socks_request *ret_request)
{
	const unsigned char *b = bytes;
	struct socks_request request = { .refused = SOCKS_GRANTED };
	size_t at, length;

	if (n > 0 && b[0] != SOCKS_VERSION)
		return -EPROTO;
	if (n < REQUEST_HEAD + 1)
		return 0;
	if (b[2] != 0)
		return -EPROTO;
	length = address_length(b, &at);
	if (b[3] == NAME && length == 0)
		return -EPROTO;
	if (length > 0 && n < at + length + PORT_BYTES)
		return 0;
	if (length == 0)
		request.refused = SOCKS_NO_SUCH_ADDRESS;
	if (b[1] != CONNECT)
		request.refused = SOCKS_NO_SUCH_COMMAND;
	memcpy(request.host, b + at, length);
	request.host_n = length;
	request.is_name = b[3] == NAME;
	at += length;
	if (length > 0)
		request.port = (uint16_t)(b[at] << 8 | b[at + 1]);
	*ret_request = request;
	return (int)(at + (length > 0 ? PORT_BYTES : 0));
}

void socks_write_reply(enum socks_reply reply, char ret_bytes[SOCKS_REPLY_BYTES])
{
	memset(ret_bytes, 0, SOCKS_REPLY_BYTES);
	ret_bytes[0] = SOCKS_VERSION;
	ret_bytes[1] = (char)reply;
	ret_bytes[3] = IPV4;
}

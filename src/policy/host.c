#include "policy/host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

enum { LABEL_MAX = 63, IPV4_AT = 12 };

static const unsigned char mapped[IPV4_AT] = { [10] = 0xff, [11] = 0xff };

static char lower(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f');
}

static bool is_label_byte(char c)
{
	return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '-' || c == '_';
}

/* A number as strtoul reads it with base 0: then inet_aton may take the whole for an address. */
static bool is_number(const char *label, size_t n)
{
	bool hex = n > 1 && label[0] == '0' && lower(label[1]) == 'x';

	for (size_t i = hex ? 2 : 0; i < n; i++)
		if (hex ? !is_hex(label[i]) : !is_digit(label[i]))
			return false;
	return true;
}

void host_of_address(const unsigned char *address, size_t n, struct host *ret_host)
{
	struct host host = { .kind = HOST_IPV6 };

	if (n == 4) {
		memcpy(host.address, mapped, IPV4_AT);
		memcpy(host.address + IPV4_AT, address, 4);
	} else {
		memcpy(host.address, address, HOST_ADDRESS_BYTES);
	}
	if (memcmp(host.address, mapped, IPV4_AT) == 0)
		host.kind = HOST_IPV4;
	if (host.kind == HOST_IPV4)
		(void)inet_ntop(AF_INET, host.address + IPV4_AT, host.text, sizeof(host.text));
	else
		(void)inet_ntop(AF_INET6, host.address, host.text, sizeof(host.text));
	*ret_host = host;
}

static int parse_address(int family, const char *bytes, size_t n, struct host *ret_host)
{
	char text[INET6_ADDRSTRLEN];
	unsigned char address[HOST_ADDRESS_BYTES];

	if (n >= sizeof(text) || memchr(bytes, '\0', n))
		return -EINVAL;
	memcpy(text, bytes, n);
	text[n] = '\0';
	if (inet_pton(family, text, address) != 1)
		return -EINVAL;
	host_of_address(address, family == AF_INET ? 4 : HOST_ADDRESS_BYTES, ret_host);
	return 0;
}

static bool is_label(const char *label, size_t n)
{
	if (n == 0 || n > LABEL_MAX || label[0] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!is_label_byte(label[i]))
			return false;
	return true;
}

/* Checks the labels, and gives the last one. */
static const char *check_name(const char *bytes, size_t n, size_t *ret_last)
{
	for (size_t start = 0;;) {
		const char *dot = memchr(bytes + start, '.', n - start);
		size_t len = dot ? (size_t)(dot - bytes) - start : n - start;

		if (!is_label(bytes + start, len))
			return NULL;
		*ret_last = len;
		if (!dot)
			return bytes + start;
		start += len + 1;
	}
}

int host_parse(const char *bytes, size_t n, struct host *ret_host)
{
	struct host host = { .kind = HOST_NAME };
	const char *last;
	size_t last_len;

	if (n > 2 && bytes[0] == '[' && bytes[n - 1] == ']')
		return parse_address(AF_INET6, bytes + 1, n - 2, ret_host);
	if (n > 1 && bytes[n - 1] == '.')
		n--;
	if (n == 0 || n >= sizeof(host.text))
		return -EINVAL;
	last = check_name(bytes, n, &last_len);
	if (!last)
		return -EINVAL;
	if (is_number(last, last_len))
		return parse_address(AF_INET, bytes, n, ret_host);
	for (size_t i = 0; i < n; i++)
		host.text[i] = lower(bytes[i]);
	*ret_host = host;
	return 0;
}

bool host_is_same(const struct host *a, const struct host *b)
{
	if (a->kind != b->kind)
		return false;
	return a->kind == HOST_NAME ? strcmp(a->text, b->text) == 0 : memcmp(a->address, b->address, sizeof(a->address)) == 0;
}

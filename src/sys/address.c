#include "sys/address.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

static void add_port(struct text *text, in_port_t port)
{
	text_add(text, ":");
	text_number(text, ntohs(port), 10);
}

static bool add_v4(struct text *text, const uint8_t byte[4], in_port_t port)
{
	enum { LOOPBACK_NET = 127 };
	static const uint8_t unspecified[4];

	if (byte[0] == LOOPBACK_NET || memcmp(byte, unspecified, sizeof(unspecified)) == 0)
		return false;
	for (int i = 0; i < 4; i++) {
		text_add(text, i ? "." : "");
		text_number(text, byte[i], 10);
	}
	add_port(text, port);
	return true;
}

static bool add_v6(struct text *text, const uint8_t byte[16], in_port_t port)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff }, zero[15];

	if (memcmp(byte, mapped, sizeof(mapped)) == 0)
		return add_v4(text, byte + sizeof(mapped), port);
	if (memcmp(byte, zero, sizeof(zero)) == 0 && byte[15] <= 1)
		return false;
	for (int i = 0; i < 16; i += 2) {
		text_add(text, i ? ":" : "[");
		text_number(text, (unsigned)byte[i] << 8 | byte[i + 1], 16);
	}
	text_add(text, "]");
	add_port(text, port);
	return true;
}

bool address_add_remote(struct text *text, const void *address, size_t n)
{
	struct sockaddr_in6 six = { 0 };
	struct sockaddr_in four = { 0 };

	memcpy(&six, address, n < sizeof(six) ? n : sizeof(six));
	memcpy(&four, &six, sizeof(four));
	if (four.sin_family == AF_INET && n >= sizeof(four))
		return add_v4(text, (const uint8_t *)&four.sin_addr, four.sin_port);
	if (six.sin6_family == AF_INET6 && n >= sizeof(six))
		return add_v6(text, six.sin6_addr.s6_addr, six.sin6_port);
	return false;
}

void address_spell_abstract(const struct sockaddr_storage *address, char ret_text[ADDRESS_ABSTRACT_MAX])
{
	const char *name = ((const struct sockaddr_un *)address)->sun_path + 1;
	size_t n = strnlen(name, sizeof(((struct sockaddr_un *)0)->sun_path) - 1);

	ret_text[0] = '@';
	memcpy(ret_text + 1, name, n);
	ret_text[n + 1] = '\0';
}

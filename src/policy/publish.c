#include "policy/publish.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

/* One to five digits, up to a colon or the end. NULL: no port. */
static const char *take_port(const char *text, uint16_t *ret_port)
{
	size_t n = strspn(text, "0123456789");
	unsigned port = 0;

	if (n == 0 || n > 5 || text[0] == '0' || (text[n] && text[n] != ':'))
		return NULL;
	for (size_t i = 0; i < n; i++)
		port = port * 10 + (unsigned)(text[i] - '0');
	if (port > UINT16_MAX)
		return NULL;
	*ret_port = (uint16_t)port;
	return text + n;
}

/* "[::1]:…" or "192.0.2.1:…": returns what follows the colon; NULL: no address. In front of a port alone there is none. */
static const char *take_address(struct arena *arena, const char *text, const char **ret_address)
{
	bool six = text[0] == '[';
	size_t n = strcspn(text, six ? "]" : ":");
	const char *end = text + n + six;
	unsigned char bytes[sizeof(struct in6_addr)];
	char canonical[INET6_ADDRSTRLEN], *address;

	if (*end != ':')
		return NULL;
	address = arena_dup_n(arena, text + six, n - six);
	if (!address || inet_pton(six ? AF_INET6 : AF_INET, address, bytes) != 1 ||
	    !inet_ntop(six ? AF_INET6 : AF_INET, bytes, canonical, sizeof(canonical)))
		return NULL;
	*ret_address = arena_dup(arena, canonical);
	return *ret_address ? end + 1 : NULL;
}

int publish_parse(struct arena *arena, const char *text, struct published *ret)
{
	struct published published = { .text = text, .address = "127.0.0.1" };
	const char *at = text;

	if (text[0] == '[' || strchr(text, '.'))
		at = take_address(arena, text, &published.address);
	at = at ? take_port(at, &published.port) : NULL;
	published.inner = published.port;
	if (at && *at)
		at = take_port(at + 1, &published.inner);
	if (!at || *at)
		return -EINVAL;
	*ret = published;
	return 0;
}

bool publish_is_same(const struct published *a, const struct published *b)
{
	return a->port == b->port && a->inner == b->inner && strcmp(a->address, b->address) == 0;
}

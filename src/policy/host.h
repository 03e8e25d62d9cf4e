/*
 * host.h: the one canonical form of a host: what is checked is what is dialled.
 *
 * A name is ASCII letters, digits, '-', '_' between dots, at most 253 bytes (RFC 1035), lower case, without the final dot. What looks like
 * an IPv4 address in any spelling of inet_aton, but is not the plain one, is no host: programs disagree about what it means. The same
 * for bytes that end a C string somewhere, for zones of IPv6 ("%eth0"), and for anything that IDNA would have to translate first.
 */
#ifndef COFFER_POLICY_HOST_H
#define COFFER_POLICY_HOST_H

#include <stdbool.h>
#include <stddef.h>

enum host_kind { HOST_NAME, HOST_IPV4, HOST_IPV6 };
enum { HOST_TEXT_MAX = 254, HOST_ADDRESS_BYTES = 16 };

struct host {
	enum host_kind kind;
	char text[HOST_TEXT_MAX];                  /* a name, or an address as inet_ntop writes it, without brackets */
	unsigned char address[HOST_ADDRESS_BYTES]; /* of an address, network order; IPv4 as ::ffff:a.b.c.d */
};

/*
 * Reads n bytes: a name, an IPv4 address, or an IPv6 address in brackets. An IPv6 address that wraps an IPv4 one (::ffff:a.b.c.d) becomes
 * that. Returns 0, or -EINVAL for what is no host.
 */
int host_parse(const char *bytes, size_t n, struct host *ret_host);
/* An address of 4 or 16 bytes, as sockets have them. */
void host_of_address(const unsigned char *address, size_t n, struct host *ret_host);

bool host_is_same(const struct host *a, const struct host *b);

#endif

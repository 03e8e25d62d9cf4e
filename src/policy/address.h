/*
 * address.h: which addresses a name may lead to. A name is resolved once, every answer is judged here, and the one that was judged is dialled.
 *
 * IANA's special-purpose registries (RFC 6890 and its updates) as a table, with the addresses at which clouds answer their own machines. What
 * wraps an IPv4 address is judged by that address: IPv4-mapped, -compatible and -translated (RFC 2765), NAT64 (RFC 6052), 6to4, Teredo, ISATAP.
 */
#ifndef COFFER_POLICY_ADDRESS_H
#define COFFER_POLICY_ADDRESS_H

#include "base/vec.h"
#include "policy/host.h"

/* prefix counts from the first of 128 bits; an IPv4 range is below ::ffff:0:0/96. */
struct address_range {
	unsigned char bytes[HOST_ADDRESS_BYTES];
	unsigned prefix;
};
VEC(struct address_range, address_range_vec)

/* "10.0.0.0/8", "fd00::/8", or one address. 0 or -EINVAL; bits behind the prefix must be zero. */
int address_range_parse(const char *text, struct address_range *ret_range);
bool address_is_in(const struct host *address, const struct address_range *range);

/* What is refused besides the table. Own addresses are this host's interfaces'. */
struct address_rules {
	bool allow_private; /* RFC 1918, RFC 4193 and the shared range of RFC 6598 */
	struct address_range_vec denied, own;
};

/* NULL when the address may be dialled, else what kind of address it is: "a loopback", "a cloud metadata", "a denied" … address. */
const char *address_refusal(const struct address_rules *rules, const struct host *address);

#endif

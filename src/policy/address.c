#include "policy/address.h"

#include "base/num.h"

#include <errno.h>
#include <string.h>

enum { BITS = 8 * HOST_ADDRESS_BYTES, IPV4_AT = 12, IPV4_PREFIX = 96 };

/* The first range that fits decides. */
static const struct {
	const char *range, *kind;
	bool is_private;
} special[] = {
	{ "169.254.169.254", "a cloud metadata", false },    /* AWS, Azure, Google and most others */
	{ "169.254.170.0/24", "a cloud metadata", false },   /* tasks of AWS ECS and EKS */
	{ "168.63.129.16", "a cloud metadata", false },      /* Azure */
	{ "100.100.100.200", "a cloud metadata", false },    /* Alibaba */
	{ "192.0.0.192", "a cloud metadata", false },        /* Oracle */
	{ "fd00:ec2::/32", "a cloud metadata", false },      /* AWS: instances, names, credentials of EKS */
	{ "fd20:ce::254", "a cloud metadata", false },       /* Google */
	{ "fd00:c1::a9fe:a9fe", "a cloud metadata", false }, /* Oracle */
	{ "fd00:42::42", "a cloud metadata", false },        /* Scaleway */
	{ "0.0.0.0/8", "an unspecified", false },
	{ "127.0.0.0/8", "a loopback", false },
	{ "169.254.0.0/16", "a link-local", false },
	{ "224.0.0.0/4", "a multicast", false },
	{ "255.255.255.255", "a broadcast", false },
	{ "240.0.0.0/4", "a reserved", false },
	{ "10.0.0.0/8", "a private", true },
	{ "172.16.0.0/12", "a private", true },
	{ "192.168.0.0/16", "a private", true },
	{ "100.64.0.0/10", "a private", true },
	{ "192.0.0.0/24", "a reserved", false },
	{ "192.0.2.0/24", "a documentation", false },
	{ "198.51.100.0/24", "a documentation", false },
	{ "203.0.113.0/24", "a documentation", false },
	{ "198.18.0.0/15", "a benchmarking", false }, /* and where names lead inside a sandbox */
	{ "192.88.99.0/24", "a reserved", false },
	{ "::", "an unspecified", false },
	{ "::1", "a loopback", false },
	{ "fe80::/10", "a link-local", false },
	{ "fec0::/10", "a link-local", false },
	{ "ff00::/8", "a multicast", false },
	{ "fc00::/7", "a private", true },
	{ "64:ff9b:1::/48", "a private", true },
	{ "100::/64", "a reserved", false },
	{ "2001:db8::/32", "a documentation", false },
	{ "3fff::/20", "a documentation", false },
	{ "5f00::/16", "a reserved", false },
};

/* Where an IPv4 address is inside an IPv6 one. Teredo (RFC 4380) has its bits inverted. */
static const struct {
	const char *range;
	unsigned at, invert;
} wrapping[] = {
	{ "64:ff9b::/96", 12, 0 }, { "2002::/16", 2, 0 }, { "2001::/32", 12, 0xff }, { "::ffff:0:0:0/96", 12, 0 }, { "::/96", 12, 0 },
};

static bool has_prefix(const unsigned char *a, const unsigned char *b, unsigned prefix)
{
	unsigned whole = prefix / 8, rest = prefix % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

static bool is_clean(const struct address_range *range)
{
	for (unsigned bit = range->prefix; bit < BITS; bit++)
		if (range->bytes[bit / 8] & (0x80 >> bit % 8))
			return false;
	return true;
}

static int parse_host(const char *text, size_t n, struct host *ret_host)
{
	char bracketed[64];
	bool colon = memchr(text, ':', n);
	int r;

	if (n + 2 > sizeof(bracketed))
		return -EINVAL;
	memcpy(bracketed + 1, text, n);
	bracketed[0] = '[';
	bracketed[n + 1] = ']';
	r = colon ? host_parse(bracketed, n + 2, ret_host) : host_parse(text, n, ret_host);
	return r == 0 && ret_host->kind == HOST_NAME ? -EINVAL : r;
}

int address_range_parse(const char *text, struct address_range *ret_range)
{
	const char *slash = strchr(text, '/');
	struct address_range range = { .prefix = BITS };
	uint64_t prefix;
	struct host host;
	int r = parse_host(text, slash ? (size_t)(slash - text) : strlen(text), &host);
	unsigned before;

	if (r < 0)
		return r;
	memcpy(range.bytes, host.address, sizeof(range.bytes));
	if (slash) {
		before = host.kind == HOST_IPV4 && !strchr(text, ':') ? IPV4_PREFIX : 0;
		if (num_count(slash + 1, &prefix) < 0 || prefix > BITS - before)
			return -EINVAL;
		range.prefix = before + (unsigned)prefix;
	}
	if (!is_clean(&range))
		return -EINVAL;
	*ret_range = range;
	return 0;
}

bool address_is_in(const struct host *address, const struct address_range *range)
{
	return address->kind != HOST_NAME && has_prefix(address->address, range->bytes, range->prefix);
}

static bool is_in_text(const struct host *address, const char *text)
{
	struct address_range range;

	return address_range_parse(text, &range) == 0 && address_is_in(address, &range);
}

static bool is_in_any(const struct host *address, const struct address_range_vec *ranges)
{
	for (size_t i = 0; i < ranges->n; i++)
		if (address_is_in(address, &ranges->at[i]))
			return true;
	return false;
}

/* ISATAP (RFC 5214): any prefix, then 0000:5efe or 0200:5efe, then the IPv4 address. */
static bool is_isatap(const unsigned char *bytes)
{
	return (bytes[8] & ~2) == 0 && bytes[9] == 0 && bytes[10] == 0x5e && bytes[11] == 0xfe;
}

static bool unwrap(const struct host *address, struct host *ret_inner)
{
	unsigned char inner[4];
	unsigned at = 0, invert = 0;

	if (address->kind != HOST_IPV6)
		return false;
	for (size_t i = 0; i < sizeof(wrapping) / sizeof(wrapping[0]) && !at; i++)
		if (is_in_text(address, wrapping[i].range)) {
			at = wrapping[i].at;
			invert = wrapping[i].invert;
		}
	if (!at && is_isatap(address->address))
		at = IPV4_AT;
	if (!at)
		return false;
	for (unsigned i = 0; i < 4; i++)
		inner[i] = (unsigned char)(address->address[at + i] ^ invert);
	host_of_address(inner, sizeof(inner), ret_inner);
	return true;
}

static const char *judge(const struct address_rules *rules, const struct host *address)
{
	if (is_in_any(address, &rules->denied))
		return "a denied";
	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
		if (is_in_text(address, special[i].range) && !(special[i].is_private && rules->allow_private))
			return special[i].kind;
	return is_in_any(address, &rules->own) ? "one of this host's own" : NULL;
}

const char *address_refusal(const struct address_rules *rules, const struct host *address)
{
	struct host inner;
	const char *kind = judge(rules, address);

	return kind || !unwrap(address, &inner) ? kind : judge(rules, &inner);
}

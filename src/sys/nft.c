/*
 * Theory of operation. One batch, which the kernel carries out whole or not at all: a table of the inet family, in it a chain that sees what is sent
 * by the processes of the namespace before anything else has changed it, and in that a rule for each port; a second chain sees what comes out of it. A rule is a list of expressions over a
 * register: each loads, compares or acts, and the first comparison that fails ends the rule (linux/netfilter/nf_tables.h).
 */
#include "sys/nft.h"

#include "sys/netlink.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <string.h>

#define NAME "coffer"
#define WALL "wall"

enum { PRIORITY_NAT = -100 /* NF_IP_PRI_NAT_DST */, PRIORITY_FILTER = 0 /* NF_IP_PRI_FILTER */, PORT_DNS = 53 };
enum { IPV4_TARGET_AT = 16, IPV6_TARGET_AT = 24, PORT_TARGET_AT = 2 }; /* in their headers */

static void add_text(struct netlink *batch, unsigned attribute, const char *text)
{
	netlink_add(batch, attribute, text, strlen(text) + 1);
}

static void add_number(struct netlink *batch, unsigned attribute, uint32_t number)
{
	const uint32_t big = htonl(number);

	netlink_add(batch, attribute, &big, sizeof(big));
}

/* ---- expressions ---- */

struct expression {
	size_t element, data;
};

static struct expression begin_expression(struct netlink *batch, const char *name)
{
	struct expression opened = { .element = netlink_open(batch, NFTA_LIST_ELEM) };

	add_text(batch, NFTA_EXPR_NAME, name);
	opened.data = netlink_open(batch, NFTA_EXPR_DATA);
	return opened;
}

static void end_expression(struct netlink *batch, struct expression opened)
{
	netlink_close(batch, opened.data);
	netlink_close(batch, opened.element);
}

static void compare(struct netlink *batch, uint32_t operation, const void *bytes, size_t n)
{
	struct expression opened = begin_expression(batch, "cmp");
	size_t value;

	add_number(batch, NFTA_CMP_SREG, NFT_REG_1);
	add_number(batch, NFTA_CMP_OP, operation);
	value = netlink_open(batch, NFTA_CMP_DATA);
	netlink_add(batch, NFTA_DATA_VALUE, bytes, n);
	netlink_close(batch, value);
	end_expression(batch, opened);
}

static void check_meta(struct netlink *batch, uint32_t key, uint32_t operation, unsigned char value)
{
	struct expression opened = begin_expression(batch, "meta");

	add_number(batch, NFTA_META_DREG, NFT_REG_1);
	add_number(batch, NFTA_META_KEY, key);
	end_expression(batch, opened);
	compare(batch, operation, &value, sizeof(value));
}

static void want_protocol(struct netlink *batch, unsigned char network, unsigned char transport)
{
	check_meta(batch, NFT_META_NFPROTO, NFT_CMP_EQ, network);
	check_meta(batch, NFT_META_L4PROTO, NFT_CMP_EQ, transport);
}

static void load_header(struct netlink *batch, uint32_t base, uint32_t at, size_t n)
{
	struct expression opened = begin_expression(batch, "payload");

	add_number(batch, NFTA_PAYLOAD_DREG, NFT_REG_1);
	add_number(batch, NFTA_PAYLOAD_BASE, base);
	add_number(batch, NFTA_PAYLOAD_OFFSET, at);
	add_number(batch, NFTA_PAYLOAD_LEN, (uint32_t)n);
	end_expression(batch, opened);
}

static void want_beyond_loopback4(struct netlink *batch)
{
	static const unsigned char loopback = 127; /* the first byte */

	load_header(batch, NFT_PAYLOAD_NETWORK_HEADER, IPV4_TARGET_AT, sizeof(loopback));
	compare(batch, NFT_CMP_NEQ, &loopback, sizeof(loopback));
}

static void want_beyond_loopback6(struct netlink *batch)
{
	load_header(batch, NFT_PAYLOAD_NETWORK_HEADER, IPV6_TARGET_AT, sizeof(in6addr_loopback));
	compare(batch, NFT_CMP_NEQ, &in6addr_loopback, sizeof(in6addr_loopback));
}

static void redirect_to(struct netlink *batch, uint16_t port)
{
	const uint16_t big = htons(port);
	struct expression opened = begin_expression(batch, "immediate");
	size_t value;

	add_number(batch, NFTA_IMMEDIATE_DREG, NFT_REG_1);
	value = netlink_open(batch, NFTA_IMMEDIATE_DATA);
	netlink_add(batch, NFTA_DATA_VALUE, &big, sizeof(big));
	netlink_close(batch, value);
	end_expression(batch, opened);
	opened = begin_expression(batch, "redir");
	add_number(batch, NFTA_REDIR_REG_PROTO_MIN, NFT_REG_1);
	end_expression(batch, opened);
}

static void drop(struct netlink *batch)
{
	struct expression opened = begin_expression(batch, "immediate");
	size_t value, verdict;

	add_number(batch, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	value = netlink_open(batch, NFTA_IMMEDIATE_DATA);
	verdict = netlink_open(batch, NFTA_DATA_VERDICT);
	add_number(batch, NFTA_VERDICT_CODE, NF_DROP);
	netlink_close(batch, verdict);
	netlink_close(batch, value);
	end_expression(batch, opened);
}

/* ---- rules ---- */

static size_t begin_rule(struct netlink *batch, const char *chain, unsigned flags)
{
	const struct nfgenmsg inet = { .nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0 };

	netlink_begin(batch, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND | flags, &inet, sizeof(inet));
	add_text(batch, NFTA_RULE_TABLE, NAME);
	add_text(batch, NFTA_RULE_CHAIN, chain);
	return netlink_open(batch, NFTA_RULE_EXPRESSIONS);
}

static void end_rule(struct netlink *batch, size_t expressions)
{
	netlink_close(batch, expressions);
	netlink_end(batch);
}

static void add_dns_rule(struct netlink *batch, uint16_t port)
{
	const uint16_t dns = htons(PORT_DNS);
	size_t rule = begin_rule(batch, NAME, 0);

	want_protocol(batch, NFPROTO_IPV4, IPPROTO_UDP);
	load_header(batch, NFT_PAYLOAD_TRANSPORT_HEADER, PORT_TARGET_AT, sizeof(dns));
	compare(batch, NFT_CMP_EQ, &dns, sizeof(dns));
	redirect_to(batch, port);
	end_rule(batch, rule);
}

static void add_tcp6_rule(struct netlink *batch, uint16_t port)
{
	size_t rule = begin_rule(batch, NAME, 0);

	want_protocol(batch, NFPROTO_IPV6, IPPROTO_TCP);
	want_beyond_loopback6(batch);
	redirect_to(batch, port);
	end_rule(batch, rule);
}

/* The last one, which answers for all. */
static void add_tcp4_rule(struct netlink *batch, uint16_t port)
{
	size_t rule = begin_rule(batch, NAME, NLM_F_ACK);

	want_protocol(batch, NFPROTO_IPV4, IPPROTO_TCP);
	want_beyond_loopback4(batch);
	redirect_to(batch, port);
	end_rule(batch, rule);
}

/* No other protocol leaves the loopback. TCP's answers do, in a way: to the address that the client has as its own. */
static void add_wall4(struct netlink *batch)
{
	size_t rule = begin_rule(batch, WALL, 0);

	check_meta(batch, NFT_META_NFPROTO, NFT_CMP_EQ, NFPROTO_IPV4);
	check_meta(batch, NFT_META_L4PROTO, NFT_CMP_NEQ, IPPROTO_TCP);
	want_beyond_loopback4(batch);
	load_header(batch, NFT_PAYLOAD_NETWORK_HEADER, IPV4_TARGET_AT, sizeof(netlink_own_address));
	compare(batch, NFT_CMP_NEQ, netlink_own_address, sizeof(netlink_own_address));
	drop(batch);
	end_rule(batch, rule);
}

static void add_wall6(struct netlink *batch)
{
	size_t rule = begin_rule(batch, WALL, 0);

	check_meta(batch, NFT_META_NFPROTO, NFT_CMP_EQ, NFPROTO_IPV6);
	check_meta(batch, NFT_META_L4PROTO, NFT_CMP_NEQ, IPPROTO_TCP);
	want_beyond_loopback6(batch);
	drop(batch);
	end_rule(batch, rule);
}

/* ---- the table ---- */

static void add_chain(struct netlink *batch, const char *name, const char *type, int priority)
{
	const struct nfgenmsg inet = { .nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0 };
	size_t hook;

	netlink_begin(batch, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN, NLM_F_CREATE, &inet, sizeof(inet));
	add_text(batch, NFTA_CHAIN_TABLE, NAME);
	add_text(batch, NFTA_CHAIN_NAME, name);
	hook = netlink_open(batch, NFTA_CHAIN_HOOK);
	add_number(batch, NFTA_HOOK_HOOKNUM, NF_INET_LOCAL_OUT);
	add_number(batch, NFTA_HOOK_PRIORITY, (uint32_t)priority);
	netlink_close(batch, hook);
	add_text(batch, NFTA_CHAIN_TYPE, type);
	netlink_end(batch);
}

static void add_table(struct netlink *batch)
{
	const struct nfgenmsg inet = { .nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0 };

	netlink_begin(batch, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE, NLM_F_CREATE, &inet, sizeof(inet));
	add_text(batch, NFTA_TABLE_NAME, NAME);
	netlink_end(batch);
	add_chain(batch, NAME, "nat", PRIORITY_NAT);
	add_chain(batch, WALL, "filter", PRIORITY_FILTER);
}

static void add_mark(struct netlink *batch, unsigned type)
{
	const struct nfgenmsg tables = { .version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES) };

	netlink_begin(batch, type, 0, &tables, sizeof(tables));
	netlink_end(batch);
}

int nft_redirect(const struct nft_redirect *redirect)
{
	struct netlink batch = { 0 };

	add_mark(&batch, NFNL_MSG_BATCH_BEGIN);
	add_table(&batch);
	add_wall4(&batch);
	add_wall6(&batch);
	if (redirect->dns4)
		add_dns_rule(&batch, redirect->dns4);
	if (redirect->tcp6)
		add_tcp6_rule(&batch, redirect->tcp6);
	add_tcp4_rule(&batch, redirect->tcp4);
	add_mark(&batch, NFNL_MSG_BATCH_END);
	return netlink_send(&batch, NETLINK_NETFILTER);
}

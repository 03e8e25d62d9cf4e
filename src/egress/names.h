/*
 * names.h: addresses that stand for names. What the resolver inside answers is one of these; where a connection to it goes is the name's business,
 * looked up and judged when somebody connects.
 *
 * From 198.18.0.0/15, which is nobody's (RFC 2544). A bounded table: a name's place follows from its text, and one that finds all of its places
 * taken has the longest unused one's.
 */
#ifndef COFFER_EGRESS_NAMES_H
#define COFFER_EGRESS_NAMES_H

#include "policy/host.h"

#include <stdint.h>

enum { NAMES_MAX = 8192, NAMES_ADDRESS_BYTES = 4 };

struct names {
	struct {
		char *text;
		uint32_t used; /* when, in turns */
	} at[NAMES_MAX];
	uint32_t turn;
};

/* The address of a name, in network order. -ENOMEM. */
int names_give(struct names *names, const char *name, unsigned char ret_address[NAMES_ADDRESS_BYTES]);
/* The name that an address stands for, or NULL. It is the table's, until the next names_give. */
const char *names_of_address(struct names *names, const struct host *address);

#endif

/*
 * lookup.h: what the child that looks a name up does, and what it says: records of a kind and an address. Private to src/egress.
 */
#ifndef COFFER_EGRESS_LOOKUP_H
#define COFFER_EGRESS_LOOKUP_H

#include "policy/host.h"

enum { LOOKUP_SECONDS = 10 };
enum lookup_kind { LOOKUP_ANSWER = 'a', LOOKUP_OWN = 'o', LOOKUP_END = 'e' };

struct lookup_record {
	unsigned char kind;
	unsigned char address[HOST_ADDRESS_BYTES];
};

/* Blocks; writes records to `out`: this host's own addresses, the answers, and the end unless something failed on the way. */
void lookup_write(const struct host *host, int out);

/* hosts.c: the n bytes of a hosts file; calls found for each address that it gives the name. */
struct lookup_sink {
	void (*found)(const struct lookup_sink *sink, const struct host *address);
	int out;
};
size_t hosts_find(const char *text, size_t n, const struct host *name, const struct lookup_sink *sink);

#endif

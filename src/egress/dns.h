/*
 * dns.h: DNS messages (RFC 1035) as far as a resolver needs them that knows every answer itself: one question read, one answer written. No state, no
 * allocation.
 */
#ifndef COFFER_EGRESS_DNS_H
#define COFFER_EGRESS_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DNS_BYTES_MAX = 512, DNS_NAME_MAX = 253, DNS_ADDRESS_MAX = 16 };
enum dns_type { DNS_A = 1, DNS_PTR = 12, DNS_AAAA = 28 };
enum dns_code { DNS_FINE = 0, DNS_MALFORMED = 1, DNS_FAILED = 2, DNS_NO_SUCH_NAME = 3, DNS_NOT_SERVED = 4 };

struct dns_question {
	enum dns_code refused;       /* anything but DNS_FINE: what to answer; the rest may mean nothing */
	char name[DNS_NAME_MAX + 1]; /* as sent, without the final dot; labels that hold a dot, NUL or nothing are no name: then it is "" */
	uint16_t type;
	size_t bytes; /* header and question: what an answer repeats; the header alone where there is none */
};

/* -EPROTO for what is no query: it is not answered. */
int dns_read(const void *packet, size_t n, struct dns_question *ret_question);
struct dns_answer {
	enum dns_code code;
	unsigned char address[DNS_ADDRESS_MAX]; /* 4 or 16 bytes of it */
	size_t address_n;                       /* 0: none */
};

/* The answer to the packet that was read, as a message. Returns how many bytes it has. */
size_t dns_write(const void *packet, const struct dns_question *question, const struct dns_answer *answer,
                 unsigned char ret_message[DNS_BYTES_MAX]);

#endif

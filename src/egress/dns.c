#include "egress/dns.h"

#include <errno.h>
#include <string.h>

enum {
	HEADER_BYTES = 12,
	FLAGS_AT = 2,
	QUESTIONS_AT = 4,
	LABEL_MAX = 63,
	CLASS_INTERNET = 1,
	/* flags, high byte and low byte */
	RESPONSE = 0x80,
	OPCODE = 0x78,
	RECURSION_DESIRED = 0x01,
	RECURSION_AVAILABLE = 0x80,
	TTL_SECONDS = 60,
};

static uint16_t take_16(const unsigned char *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static void put_16(unsigned char **at, unsigned value)
{
	*(*at)++ = (unsigned char)(value >> 8);
	*(*at)++ = (unsigned char)value;
}

/* A question's name is never compressed: there is nothing in front of it to point at. Returns where it ends, or 0. */
static size_t read_name(const unsigned char *bytes, size_t n, size_t at, char name[DNS_NAME_MAX + 1])
{
	size_t used = 0;
	bool is_name = true;

	while (at < n && bytes[at] != 0) {
		size_t label = bytes[at++];

		if (label > LABEL_MAX || label > n - at || used + label + 1 > DNS_NAME_MAX + 1)
			return 0;
		is_name = is_name && !memchr(bytes + at, '.', label) && !memchr(bytes + at, '\0', label);
		memcpy(name + used, bytes + at, label);
		used += label;
		name[used++] = '.';
		at += label;
	}
	name[used && is_name ? used - 1 : 0] = '\0';
	return at < n ? at + 1 : 0;
}

static int refuse(struct dns_question *question, enum dns_code code)
{
	question->refused = code;
	return 0;
}

int dns_read(const void *packet, size_t n, struct dns_question *ret_question)
{
	const unsigned char *bytes = packet;
	struct dns_question *question = ret_question;
	size_t end;

	*question = (struct dns_question){ .bytes = HEADER_BYTES };
	if (n < HEADER_BYTES || (bytes[FLAGS_AT] & RESPONSE))
		return -EPROTO;
	if (bytes[FLAGS_AT] & OPCODE)
		return refuse(question, DNS_NOT_SERVED);
	if (take_16(bytes + QUESTIONS_AT) != 1)
		return refuse(question, DNS_MALFORMED);
	end = read_name(bytes, n < DNS_BYTES_MAX ? n : DNS_BYTES_MAX, HEADER_BYTES, question->name);
	if (end == 0 || n - end < 4)
		return refuse(question, DNS_MALFORMED);
	question->type = take_16(bytes + end);
	question->bytes = end + 4;
	return take_16(bytes + end + 2) == CLASS_INTERNET ? 0 : refuse(question, DNS_NOT_SERVED);
}

size_t dns_write(const void *packet, const struct dns_question *question, const struct dns_answer *answer,
                 unsigned char ret_message[DNS_BYTES_MAX])
{
	unsigned char *at = ret_message;
	bool asked = question->bytes > HEADER_BYTES;

	memcpy(ret_message, packet, question->bytes);
	at[FLAGS_AT] = (unsigned char)(RESPONSE | (at[FLAGS_AT] & RECURSION_DESIRED));
	at[FLAGS_AT + 1] = (unsigned char)(RECURSION_AVAILABLE | answer->code);
	at += QUESTIONS_AT;
	put_16(&at, asked);
	put_16(&at, answer->address_n > 0);
	put_16(&at, 0);
	put_16(&at, 0);
	at = ret_message + question->bytes;
	if (answer->address_n > 0) {
		put_16(&at, 0xc000 | HEADER_BYTES); /* the question's name */
		put_16(&at, answer->address_n == 4 ? DNS_A : DNS_AAAA);
		put_16(&at, CLASS_INTERNET);
		put_16(&at, 0);
		put_16(&at, TTL_SECONDS);
		put_16(&at, (unsigned)answer->address_n);
		memcpy(at, answer->address, answer->address_n);
		at += answer->address_n;
	}
	return (size_t)(at - ret_message);
}

#include "egress/sni.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* RFC 8446: content types and, of the handshake, what is needed here. */
enum {
	CONTENT_FIRST = 20,
	CONTENT_ALERT = 21,
	CONTENT_HANDSHAKE = 22,
	CONTENT_LAST = 24,
	VERSION_MAJOR = 3,
	CLIENT_HELLO = 1,
	RECORD_HEAD = 5,
	RECORD_MAX = 1 << 14,
	ALERT_BYTES = 2,
	SSL2 = 2,
	SSL2_LENGTH = 0x80, /* of its two bytes of length, the bit that is always set */
	HANDSHAKE_HEAD = 4,
	HELLO_MAX = 16 << 10,
	EXTENSION_SERVER_NAME = 0,
	NAME_TYPE_HOST = 0,
};

struct cursor {
	const unsigned char *at, *end;
	bool short_of;
};

static unsigned take(struct cursor *c, unsigned bytes)
{
	unsigned number = 0;

	if ((size_t)(c->end - c->at) < bytes) {
		c->short_of = true;
		c->at = c->end;
		return 0;
	}
	while (bytes-- > 0)
		number = number << 8 | *c->at++;
	return number;
}

/* A vector with its length in front. */
static struct cursor take_vector(struct cursor *c, unsigned length_bytes)
{
	unsigned n = take(c, length_bytes);
	struct cursor inside = { c->at, c->at, c->short_of };

	if ((size_t)(c->end - c->at) < n) {
		c->short_of = inside.short_of = true;
		return inside;
	}
	inside.end = c->at += n;
	return inside;
}

static void read_names(struct cursor extension, struct sni *sni)
{
	struct cursor list = take_vector(&extension, 2);
	unsigned type = take(&list, 1);
	struct cursor name = take_vector(&list, 2);
	size_t n = (size_t)(name.end - name.at);

	sni->kind = SNI_BAD;
	if (extension.short_of || list.short_of || extension.at != extension.end || list.at != list.end)
		return;
	if (type != NAME_TYPE_HOST || n == 0 || n > SNI_NAME_MAX)
		return;
	memcpy(sni->name, name.at, n);
	sni->name_n = n;
	sni->kind = SNI_NAME;
}

static void read_extensions(struct cursor list, struct sni *sni)
{
	while (list.at < list.end && sni->kind != SNI_BAD) {
		unsigned type = take(&list, 2);
		struct cursor extension = take_vector(&list, 2);

		if (list.short_of || (type == EXTENSION_SERVER_NAME && sni->kind == SNI_NAME)) /* cut, or there twice */
			sni->kind = SNI_BAD;
		else if (type == EXTENSION_SERVER_NAME)
			read_names(extension, sni);
	}
}

static void read_hello(const unsigned char *bytes, size_t n, struct sni *sni)
{
	struct cursor c = { bytes, bytes + n, false }, list;

	(void)take(&c, 2); /* version */
	for (int i = 0; i < 4; i++)
		(void)take(&c, 4); /* random, 32 bytes */
	for (int i = 0; i < 4; i++)
		(void)take(&c, 4);
	(void)take_vector(&c, 1); /* session */
	(void)take_vector(&c, 2); /* ciphers */
	(void)take_vector(&c, 1); /* compression */
	sni->kind = c.short_of ? SNI_BAD : SNI_ABSENT;
	if (c.short_of || c.at == c.end)
		return;
	list = take_vector(&c, 2);
	if (c.short_of || c.at != c.end)
		sni->kind = SNI_BAD;
	else
		read_extensions(list, sni);
}

static bool looks_like_record(const unsigned char *bytes)
{
	return bytes[0] >= CONTENT_FIRST && bytes[0] <= CONTENT_LAST && bytes[1] == VERSION_MAJOR;
}

/*
 * There are servers that take a record of any version, and an alert or nothing at all in front of the greeting (Go, Java), or the greeting of SSL 2
 * with a later version in it (OpenSSL, Java). Clients of this century send none of that.
 */
static enum sni_kind look_for_odd(const unsigned char *b, size_t n)
{
	bool ssl2 = b[0] & SSL2_LENGTH;
	size_t length;

	if (!ssl2 && b[0] != CONTENT_HANDSHAKE && b[0] != CONTENT_ALERT)
		return SNI_NOT_TLS;
	if (n < RECORD_HEAD + 1)
		return ssl2 && n > 2 && b[2] != CLIENT_HELLO ? SNI_NOT_TLS : SNI_MORE;
	length = (size_t)b[3] << 8 | b[4];
	if (ssl2)
		return b[2] == CLIENT_HELLO && (b[3] == VERSION_MAJOR || length == SSL2) ? SNI_BAD : SNI_NOT_TLS;
	if (b[0] == CONTENT_ALERT)
		return length == ALERT_BYTES ? SNI_BAD : SNI_NOT_TLS;
	return length == 0 || b[RECORD_HEAD] == CLIENT_HELLO ? SNI_BAD : SNI_NOT_TLS;
}

/* How long the first handshake message says it is, its head included; 0 while that is not known. */
static size_t message_length(const unsigned char *joined, size_t n)
{
	return n < HANDSHAKE_HEAD ? 0 : HANDSHAKE_HEAD + ((size_t)joined[1] << 16 | (size_t)joined[2] << 8 | joined[3]);
}

static bool is_whole(const unsigned char *joined, size_t n)
{
	return n >= HANDSHAKE_HEAD && n >= message_length(joined, n);
}

/* A record's head as far as it is there: can it be one of a handshake's, with something in it? */
static bool is_record_head(const unsigned char *head, size_t n)
{
	size_t length = n >= RECORD_HEAD ? (size_t)head[3] << 8 | head[4] : 1;

	return head[0] == CONTENT_HANDSHAKE && (n == 1 || head[1] == VERSION_MAJOR) && length > 0 && length <= RECORD_MAX;
}

/* The handshake bytes of several records. promised: how many there will be when the last record is whole. */
struct joined {
	unsigned char bytes[HELLO_MAX];
	size_t n, promised;
};

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Puts records together until there is one message. False when they are no handshake. */
static bool join(const unsigned char *bytes, size_t n, struct joined *joined)
{
	joined->n = joined->promised = 0;
	for (size_t at = 0, here; at < n && joined->n < HELLO_MAX && !is_whole(joined->bytes, joined->n); at += here) {
		size_t length;

		if (!is_record_head(bytes + at, n - at))
			return false;
		if (n - at < RECORD_HEAD)
			break;
		length = (size_t)bytes[at + 3] << 8 | bytes[at + 4];
		at += RECORD_HEAD;
		here = least(length, n - at);
		joined->promised = joined->n + length;
		memcpy(joined->bytes + joined->n, bytes + at, least(here, HELLO_MAX - joined->n));
		joined->n += least(here, HELLO_MAX - joined->n);
	}
	return true;
}

struct sni sni_look(const void *first, size_t n)
{
	struct joined joined;
	const unsigned char *bytes = first;
	struct sni sni = { .kind = SNI_MORE };
	size_t length;

	if (n == 0 || (n == 1 && bytes[0] >= CONTENT_FIRST && bytes[0] <= CONTENT_LAST))
		return sni;
	if (!looks_like_record(bytes)) {
		sni.kind = look_for_odd(bytes, n);
		return sni;
	}
	sni.kind = SNI_BAD;
	if (!join(bytes, n, &joined) || (joined.n > 0 && joined.bytes[0] != CLIENT_HELLO))
		return sni;
	length = message_length(joined.bytes, joined.n);
	if (length > HELLO_MAX || (length > 0 && joined.promised > length))
		return sni;
	if (joined.n > 0 && joined.n == length)
		read_hello(joined.bytes + HANDSHAKE_HEAD, length - HANDSHAKE_HEAD, &sni);
	else if (n < SNI_BYTES_MAX)
		sni.kind = SNI_MORE;
	return sni;
}

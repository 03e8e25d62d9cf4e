#include "workspace/git.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* SHA-1, FIPS 180-4, 6.1. */
struct sha1 {
	uint32_t state[5];
	uint64_t total;
	uint8_t block[64];
};

static uint32_t rotate(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static void mix(struct sha1 *h)
{
	uint32_t w[80], a = h->state[0], b = h->state[1], c = h->state[2], d = h->state[3], e = h->state[4];

	for (size_t i = 0; i < 16; i++)
		w[i] = (uint32_t)h->block[4 * i] << 24 | (uint32_t)h->block[4 * i + 1] << 16 | (uint32_t)h->block[4 * i + 2] << 8 |
		       h->block[4 * i + 3];
	for (size_t i = 16; i < 80; i++)
		w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	for (size_t i = 0; i < 80; i++) {
		static const uint32_t key[4] = { 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6 };
		uint32_t f = b ^ c ^ d;

		if (i < 20)
			f = (b & c) | (~b & d);
		else if (i >= 40 && i < 60)
			f = (b & c) | (b & d) | (c & d);
		f += rotate(a, 5) + e + key[i / 20] + w[i];
		e = d;
		d = c;
		c = rotate(b, 30);
		b = a;
		a = f;
	}
	h->state[0] += a;
	h->state[1] += b;
	h->state[2] += c;
	h->state[3] += d;
	h->state[4] += e;
}

static void add(struct sha1 *h, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	while (n > 0) {
		size_t held = h->total % sizeof(h->block), take = sizeof(h->block) - held;

		if (take > n)
			take = n;
		memcpy(h->block + held, p, take);
		h->total += take;
		p += take;
		n -= take;
		if (h->total % sizeof(h->block) == 0)
			mix(h);
	}
}

void git_blob_id(const char *bytes, size_t n, char ret_id[GIT_ID_TEXT])
{
	struct sha1 h = { .state = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 } };
	char head[32];
	uint8_t length[8];

	add(&h, head, (size_t)snprintf(head, sizeof(head), "blob %zu", n) + 1);
	add(&h, bytes, n);

	uint64_t bits = h.total * 8;

	add(&h, "\x80", 1);
	while (h.total % sizeof(h.block) != sizeof(h.block) - sizeof(length))
		add(&h, "", 1);
	for (size_t i = 0; i < sizeof(length); i++)
		length[i] = (uint8_t)(bits >> (56 - 8 * i));
	add(&h, length, sizeof(length));
	for (size_t i = 0; i < 5; i++)
		snprintf(ret_id + 8 * i, 9, "%08x", h.state[i]);
}

static bool is_plain(unsigned char c)
{
	return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

static void put_quoted(struct str *out, const char *text)
{
	static const char named[] = "\a\b\t\n\v\f\r\"\\", letters[] = "abtnvfr\"\\";

	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		const char *name = strchr(named, *p);

		if (is_plain(*p))
			str_add_char(out, (char)*p);
		else if (name)
			str_printf(out, "\\%c", letters[name - named]);
		else
			str_printf(out, "\\%03o", *p);
	}
}

void git_put_name(struct str *out, const char *prefix, const char *path)
{
	const char *p = path;

	while (is_plain((unsigned char)*p))
		p++;
	if (!*p) {
		str_add(out, prefix);
		str_add(out, path);
		return;
	}
	str_add_char(out, '"');
	str_add(out, prefix);
	put_quoted(out, path);
	str_add_char(out, '"');
}

/* Bytes on their way into lines of 52, each as base 85 behind its length. */
struct lines {
	struct str *out;
	uint8_t byte[52];
	size_t n;
};

static void put_line(struct lines *lines)
{
	static const char digit[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";

	if (lines->n == 0)
		return;
	memset(lines->byte + lines->n, 0, sizeof(lines->byte) - lines->n);
	str_add_char(lines->out, (char)(lines->n <= 26 ? 'A' + lines->n - 1 : 'a' + lines->n - 27));
	for (size_t i = 0; i < lines->n; i += 4) {
		uint32_t word = (uint32_t)lines->byte[i] << 24 | (uint32_t)lines->byte[i + 1] << 16 | (uint32_t)lines->byte[i + 2] << 8 |
		                lines->byte[i + 3];
		char text[5];

		for (size_t k = 5; k-- > 0; word /= 85)
			text[k] = digit[word % 85];
		str_add_n(lines->out, text, sizeof(text));
	}
	str_add_char(lines->out, '\n');
	lines->n = 0;
}

static void put_bytes(struct lines *lines, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	while (n > 0) {
		size_t take = sizeof(lines->byte) - lines->n < n ? sizeof(lines->byte) - lines->n : n;

		memcpy(lines->byte + lines->n, p, take);
		lines->n += take;
		p += take;
		n -= take;
		if (lines->n == sizeof(lines->byte))
			put_line(lines);
	}
}

/* RFC 1950, section 8.2. */
static uint32_t adler32(const char *bytes, size_t n)
{
	uint32_t a = 1, b = 0;

	for (size_t i = 0; i < n; i++) {
		a = (a + (uint8_t)bytes[i]) % 65521;
		b = (b + a) % 65521;
	}
	return b << 16 | a;
}

void git_put_literal(struct str *out, const char *bytes, size_t n)
{
	struct lines lines = { .out = out };
	uint32_t check = adler32(bytes, n);
	size_t at = 0;

	str_printf(out, "literal %zu\n", n);
	put_bytes(&lines, "\x78\x01", 2); /* RFC 1950: deflate, 32 KiB window, fastest */
	do {
		uint16_t take = n - at > UINT16_MAX ? UINT16_MAX : (uint16_t)(n - at), flip = (uint16_t)~take;
		/* RFC 1951, 3.2.4: last or not, stored; length and its complement */
		uint8_t head[5] = { at + take == n, (uint8_t)take, (uint8_t)(take >> 8), (uint8_t)flip, (uint8_t)(flip >> 8) };

		put_bytes(&lines, head, sizeof(head));
		put_bytes(&lines, bytes + at, take);
		at += take;
	} while (at < n);
	put_bytes(&lines, (uint8_t[4]){ (uint8_t)(check >> 24), (uint8_t)(check >> 16), (uint8_t)(check >> 8), (uint8_t)check }, 4);
	put_line(&lines);
	str_add_char(out, '\n');
}

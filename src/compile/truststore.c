/*
 * Theory of operation. A JKS file is a magic number, a version, a count and entries; each has a kind, an alias, a time, and a certificate with its kind's name.
 * Java of every version reads it, whatever type it expects. The time is zero, for the same inputs give the same plan. The digest at the end
 * depends on a password, and is read only where one is given.
 */
#include "compile/truststore.h"

#include "base/base64.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#define BEGIN "-----BEGIN CERTIFICATE-----"
#define END "-----END CERTIFICATE-----"

enum { MAGIC_HIGH = 0xfeed, VERSION = 2, TRUSTED = 2, DIGEST_BYTES = 20, ALIAS_BYTES = 12 };

static void add_number(struct str *out, uint32_t number)
{
	const unsigned char bytes[] = { (unsigned char)(number >> 24), (unsigned char)(number >> 16), (unsigned char)(number >> 8),
		                        (unsigned char)number };

	str_add_n(out, bytes, sizeof(bytes));
}

static void add_name(struct str *out, const char *name)
{
	size_t n = strlen(name);
	const unsigned char length[] = { (unsigned char)(n >> 8), (unsigned char)n };

	str_add_n(out, length, sizeof(length));
	str_add_n(out, name, n);
}

/* What is between the marks, without line breaks. 0 when it is no certificate. */
static size_t decode(const char *text, size_t n, struct arena *arena, char **ret_bytes)
{
	char *bytes = arena_alloc(arena, n + 1);
	size_t kept = 0;
	ssize_t got;

	for (size_t i = 0; bytes && i < n; i++)
		if (!strchr(" \t\r\n", text[i]))
			bytes[kept++] = text[i];
	got = bytes ? base64_read(bytes, kept, bytes) : -1;
	*ret_bytes = bytes;
	return got > 0 ? (size_t)got : 0;
}

static void add_entry(struct str *out, uint32_t number, const char *bytes, size_t n)
{
	char alias[ALIAS_BYTES];

	snprintf(alias, sizeof(alias), "%u", number);
	add_number(out, TRUSTED);
	add_name(out, alias);
	add_number(out, 0);
	add_number(out, 0);
	add_name(out, "X.509");
	add_number(out, (uint32_t)n);
	str_add_n(out, bytes, n);
}

void truststore_write(const char *pem, struct arena *arena, struct str *out)
{
	static const char digest[DIGEST_BYTES];
	struct str entries;
	uint32_t count = 0;

	str_init(&entries, out->ceiling);
	for (const char *at = pem, *stop; (at = strstr(at, BEGIN)) && (stop = strstr(at, END)); at = stop) {
		char *bytes;
		size_t n = decode(at + sizeof(BEGIN) - 1, (size_t)(stop - at) - (sizeof(BEGIN) - 1), arena, &bytes);

		if (n > 0)
			add_entry(&entries, ++count, bytes, n);
	}
	add_number(out, (uint32_t)MAGIC_HIGH << 16 | MAGIC_HIGH);
	add_number(out, VERSION);
	add_number(out, count);
	str_add_n(out, entries.text, entries.len);
	str_add_n(out, digest, sizeof(digest));
	out->failed |= entries.failed;
	str_done(&entries);
}

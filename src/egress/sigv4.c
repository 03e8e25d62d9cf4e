#include "egress/sigv4.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ALGORITHM "AWS4-HMAC-SHA256"

enum { BLOCK = 64, PARAMETERS_MAX = 256, KEY_MAX = 16 << 10, PARTS = 4 };

/* ---- Authorization ---- */

static bool take_prefix(struct sigv4_text *text, const char *prefix)
{
	size_t n = strlen(prefix);

	if (text->n < n || memcmp(text->at, prefix, n) != 0)
		return false;
	text->at += n;
	text->n -= n;
	return true;
}

/* Up to the character, which goes as well; all of it where it is not there. */
static struct sigv4_text take_until(struct sigv4_text *text, char end)
{
	const char *at = memchr(text->at, end, text->n);
	struct sigv4_text taken = { text->at, at ? (size_t)(at - text->at) : text->n };
	size_t used = taken.n + (at != NULL);

	text->at += used;
	text->n -= used;
	return taken;
}

static bool is_hex(struct sigv4_text text)
{
	for (size_t i = 0; i < text.n; i++)
		if (!strchr("0123456789abcdef", text.at[i]))
			return false;
	return text.n == SIGV4_HEX;
}

/* "20130524/us-east-1/s3/aws4_request" */
static bool is_scope(struct sigv4_text scope)
{
	unsigned parts = 0;
	bool ends = scope.n > 13 && memcmp(scope.at + scope.n - 13, "/aws4_request", 13) == 0;

	for (size_t i = 0; i < scope.n; i++)
		parts += scope.at[i] == '/';
	return ends && parts == PARTS - 1 && scope.n < SIGV4_SCOPE_MAX && !memchr(scope.at, ' ', scope.n);
}

int sigv4_read(const char *value, size_t n, struct sigv4_authorization *ret_authorization)
{
	struct sigv4_text rest = { value, n };
	struct sigv4_authorization a = { 0 };

	if (!take_prefix(&rest, ALGORITHM " "))
		return -EINVAL;
	while (rest.n > 0) {
		struct sigv4_text part;

		while (take_prefix(&rest, " "))
			;
		part = take_until(&rest, ',');
		if (take_prefix(&part, "Credential=")) {
			a.id = take_until(&part, '/');
			a.scope = part;
		} else if (take_prefix(&part, "SignedHeaders=")) {
			a.headers = part;
		} else if (take_prefix(&part, "Signature=")) {
			a.signature = part;
		} else {
			return -EINVAL;
		}
	}
	if (a.id.n == 0 || a.headers.n == 0 || !is_scope(a.scope) || !is_hex(a.signature))
		return -EINVAL;
	*ret_authorization = a;
	return 0;
}

/* ---- the head's lines ---- */

static struct sigv4_text trim(struct sigv4_text text)
{
	while (text.n > 0 && (text.at[0] == ' ' || text.at[0] == '\t')) {
		text.at++;
		text.n--;
	}
	while (text.n > 0 && strchr(" \t\r", text.at[text.n - 1]))
		text.n--;
	return text;
}

/* The next field of that name in *lines, which goes on behind it. */
static bool next_field(struct sigv4_text *lines, struct sigv4_text name, struct sigv4_text *ret_value)
{
	while (lines->n > 0) {
		struct sigv4_text value = take_until(lines, '\n'), found = take_until(&value, ':');

		if (found.n == name.n && strncasecmp(found.at, name.at, name.n) == 0) {
			*ret_value = trim(value);
			return true;
		}
	}
	return false;
}

static bool find_field(struct sigv4_text lines, const char *name, struct sigv4_text *ret_value)
{
	return next_field(&lines, (struct sigv4_text){ name, strlen(name) }, ret_value);
}

/* ---- the canonical request ---- */

static void add(struct sigv4_draft *draft, const char *text, size_t n)
{
	for (unsigned i = 0; i < SIGV4_PATHS; i++)
		sha256_add(&draft->canonical[i], text, n);
}

static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-._~", c));
}

static void add_path(struct sigv4_draft *draft, struct sigv4_text path)
{
	sha256_add(&draft->canonical[SIGV4_PATH_AS_SENT], path.at, path.n);
	for (size_t i = 0; i < path.n; i++) {
		char escape[4] = { path.at[i] };
		bool plain = is_unreserved(path.at[i]) || path.at[i] == '/';

		if (!plain)
			snprintf(escape, sizeof(escape), "%%%02X", (unsigned char)path.at[i]);
		sha256_add(&draft->canonical[SIGV4_PATH_ENCODED], escape, plain ? 1 : 3);
	}
}

struct parameter {
	struct sigv4_text name, value;
};

static int compare_texts(struct sigv4_text a, struct sigv4_text b)
{
	int order = memcmp(a.at, b.at, a.n < b.n ? a.n : b.n);

	return order ? order : (a.n > b.n) - (a.n < b.n);
}

static int compare(const void *a, const void *b)
{
	const struct parameter *one = a, *other = b;
	int order = compare_texts(one->name, other->name);

	return order ? order : compare_texts(one->value, other->value);
}

static int add_query(struct sigv4_draft *draft, struct sigv4_text query)
{
	static struct parameter list[PARAMETERS_MAX];
	size_t n = 0;

	while (query.n > 0) {
		struct sigv4_text value = take_until(&query, '&'), name = take_until(&value, '=');

		if (n == PARAMETERS_MAX)
			return -EINVAL;
		list[n++] = (struct parameter){ name, value };
	}
	qsort(list, n, sizeof(list[0]), compare);
	for (size_t i = 0; i < n; i++) {
		add(draft, "&", i > 0);
		add(draft, list[i].name.at, list[i].name.n);
		add(draft, "=", 1);
		add(draft, list[i].value.at, list[i].value.n);
	}
	add(draft, "\n", 1);
	return 0;
}

/* Blanks in a row are one. */
static void add_value(struct sigv4_draft *draft, struct sigv4_text value)
{
	for (size_t i = 0; i < value.n; i++)
		if (i == 0 || value.at[i] != ' ' || value.at[i - 1] != ' ')
			add(draft, value.at + i, 1);
}

static int add_field(struct sigv4_draft *draft, struct sigv4_text lines, struct sigv4_text name)
{
	struct sigv4_text value;
	bool first = true;

	add(draft, name.at, name.n);
	add(draft, ":", 1);
	while (next_field(&lines, name, &value)) {
		add(draft, ",", !first);
		add_value(draft, value);
		first = false;
	}
	add(draft, "\n", 1);
	return first ? -EINVAL : 0;
}

static int add_fields(struct sigv4_draft *draft, struct sigv4_text lines, struct sigv4_text names)
{
	struct sigv4_text rest = names;
	int r = 0;

	while (rest.n > 0 && r == 0)
		r = add_field(draft, lines, take_until(&rest, ';'));
	add(draft, "\n", 1);
	add(draft, names.at, names.n);
	add(draft, "\n", 1);
	return r;
}

/* "GET /path?query HTTP/1.1"; to another proxy the target is a whole URI. */
static int add_start(struct sigv4_draft *draft, struct sigv4_text line)
{
	struct sigv4_text method = take_until(&line, ' '), target = take_until(&line, ' '), path;
	struct sigv4_text rest = target;

	if (take_prefix(&rest, "http://")) {
		const char *slash = memchr(rest.at, '/', rest.n);

		if (!slash)
			return -EINVAL;
		target = (struct sigv4_text){ slash, rest.n - (size_t)(slash - rest.at) };
	}
	path = take_until(&target, '?');
	add(draft, method.at, method.n);
	add(draft, "\n", 1);
	add_path(draft, path);
	add(draft, "\n", 1);
	return add_query(draft, target);
}

static int copy_text(char *to, size_t room, struct sigv4_text text)
{
	if (text.n >= room)
		return -EINVAL;
	memcpy(to, text.at, text.n);
	to[text.n] = '\0';
	return 0;
}

int sigv4_draft(const char *head, size_t n, struct sigv4_draft *ret_draft)
{
	struct sigv4_text lines = { head, n }, start = take_until(&lines, '\n'), date, value, body = { "", 0 };
	struct sigv4_authorization a;
	struct sigv4_draft draft = { .body = "" };
	int r = 0;

	for (unsigned i = 0; i < SIGV4_PATHS; i++)
		sha256_init(&draft.canonical[i]);
	if (!find_field(lines, "authorization", &value) || sigv4_read(value.at, value.n, &a) < 0)
		return -EINVAL;
	if (!find_field(lines, "x-amz-date", &date) || date.n != SIGV4_DATE_CHARS)
		return -EINVAL;
	(void)find_field(lines, "x-amz-content-sha256", &body);
	(void)copy_text(draft.date, sizeof(draft.date), date);
	(void)copy_text(draft.scope, sizeof(draft.scope), a.scope);
	(void)copy_text(draft.signature, sizeof(draft.signature), a.signature);
	draft.signature_at = (size_t)(a.signature.at - head);
	r = copy_text(draft.body, sizeof(draft.body), body);
	if (r == 0)
		r = add_start(&draft, start);
	if (r == 0)
		r = add_fields(&draft, lines, a.headers);
	if (r == 0)
		*ret_draft = draft;
	return r;
}

/* ---- the signature (RFC 2104) ---- */

static void hmac(const uint8_t *key, size_t key_n, struct sigv4_text text, uint8_t ret_digest[SHA256_BYTES])
{
	uint8_t inner[BLOCK] = { 0 }, outer[BLOCK];
	struct sha256 hash;

	sha256_init(&hash);
	if (key_n > BLOCK) {
		sha256_add(&hash, key, key_n);
		sha256_done(&hash, inner);
		sha256_init(&hash);
	} else {
		memcpy(inner, key, key_n);
	}
	for (unsigned i = 0; i < BLOCK; i++) {
		outer[i] = inner[i] ^ 0x5c;
		inner[i] ^= 0x36;
	}
	sha256_add(&hash, inner, BLOCK);
	sha256_add(&hash, text.at, text.n);
	sha256_done(&hash, ret_digest);
	sha256_init(&hash);
	sha256_add(&hash, outer, BLOCK);
	sha256_add(&hash, ret_digest, SHA256_BYTES);
	sha256_done(&hash, ret_digest);
}

static void make_key(const char *scope, const char *secret, uint8_t key[SHA256_BYTES])
{
	static char first[KEY_MAX + sizeof("AWS4")];
	struct sigv4_text rest = { scope, strlen(scope) };
	int n = snprintf(first, sizeof(first), "AWS4%s", secret);

	hmac((const uint8_t *)first, (size_t)n < sizeof(first) ? (size_t)n : sizeof(first) - 1, take_until(&rest, '/'), key);
	while (rest.n > 0)
		hmac(key, SHA256_BYTES, take_until(&rest, '/'), key);
	explicit_bzero(first, sizeof(first));
}

void sigv4_sign(const struct sigv4_draft *draft, enum sigv4_path path, const char *secret, const char *body_hex,
                char ret_hex[SIGV4_HEX + 1])
{
	const char *body = draft->body[0] ? draft->body : body_hex;
	struct sha256 canonical = draft->canonical[path];
	uint8_t digest[SHA256_BYTES], key[SHA256_BYTES];
	char text[sizeof(ALGORITHM) + SIGV4_DATE_CHARS + SIGV4_SCOPE_MAX + SIGV4_HEX + 4];

	sha256_add(&canonical, body, strlen(body));
	sha256_done(&canonical, digest);
	sha256_hex(digest, ret_hex);
	snprintf(text, sizeof(text), "%s\n%s\n%s\n%s", ALGORITHM, draft->date, draft->scope, ret_hex);
	make_key(draft->scope, secret, key);
	hmac(key, SHA256_BYTES, (struct sigv4_text){ text, strlen(text) }, digest);
	sha256_hex(digest, ret_hex);
	explicit_bzero(key, sizeof(key));
}

#include "policy/mask.h"

#include "base/hash.h"
#include "base/regex.h"
#include "base/utf8.h"
#include "policy/token.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "fake_value_"
#define TOKEN_PATTERN "(eyJ[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+)"

/* A part of the text that another text takes the place of. */
struct span {
	size_t start, end;
	const char *text;
};
VEC(struct span, span_vec)

/* A secret that was found, and what stands for it; NULL: it is none after all. */
struct capture {
	const char *value;
	const char *placeholder;
};

struct masking {
	struct mask *mask;
	const struct credential *credential;
	const char *text;
	size_t n;
	struct span_vec spans;
	struct capture capture[MASK_CAPTURES_MAX];
	size_t captures_n;
	const char *fault;
};

/* ---- placeholders ---- */

/* 32 bytes that belong to this seed, credential and name, and to nothing else. */
static void derive(const struct masking *m, const char *name, unsigned round, uint8_t ret_bytes[SHA256_BYTES])
{
	struct sha256 hash;

	sha256_init(&hash);
	sha256_add(&hash, m->mask->seed, strlen(m->mask->seed) + 1);
	sha256_add(&hash, m->credential->is_file ? "file" : "variable", 5);
	sha256_add(&hash, m->credential->name, strlen(m->credential->name) + 1);
	sha256_add(&hash, name, strlen(name) + 1);
	sha256_add(&hash, &round, sizeof(round));
	sha256_done(&hash, ret_bytes);
}

/* The prefix and a version 4 UUID; then as many more bytes as the secret is longer. */
static const char *make_placeholder(const struct masking *m, const char *name, size_t least)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
	enum { HEAD = sizeof(PREFIX) - 1, UUID = 36 };
	size_t n = least > HEAD + UUID ? least : HEAD + UUID;
	char *text = arena_alloc(m->mask->arena, n + 1);
	uint8_t b[SHA256_BYTES];
	char hex[SHA256_BYTES * 2 + 1];

	if (!text)
		return NULL;
	derive(m, name, 0, b);
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	sha256_hex(b, hex);
	(void)snprintf(text, HEAD + UUID + 1, PREFIX "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
	for (size_t i = HEAD + UUID; i < n; i++) {
		size_t at = (i - HEAD - UUID) % SHA256_BYTES;

		if (at == 0)
			derive(m, name, 1 + (unsigned)(i / SHA256_BYTES), b);
		text[i] = letters[b[at] % (sizeof(letters) - 1)];
	}
	return text;
}

static int keep_secret(struct masking *m, const char *placeholder, const char *value)
{
	struct credential_secret *slot = placeholder && value ? credential_secret_vec_add(&m->mask->secrets, m->mask->arena) : NULL;

	if (!slot)
		return -ENOMEM;
	*slot = (struct credential_secret){ placeholder, value, m->credential->hosts };
	return 0;
}

static int make_plain(struct masking *m, struct capture *capture, const char *name)
{
	capture->placeholder = make_placeholder(m, name, strlen(capture->value));
	return keep_secret(m, capture->placeholder, capture->value);
}

/* ---- tokens ---- */

/* Each claim is a secret of its own, beside the token that holds them. */
static int mask_claims(struct masking *m, struct capture *capture, const char *name)
{
	const struct text_vec *claims = &m->credential->claims;
	struct token_claim_vec found = { 0 };
	int r = token_find_claims(capture->value, claims, m->mask->arena, &found);

	for (size_t i = 0; i < found.n && r == 0; i++) {
		const char *claim = arena_printf(m->mask->arena, "%s.%s", name, found.at[i].name);

		found.at[i].placeholder = claim ? make_placeholder(m, claim, strlen(found.at[i].value)) : NULL;
		r = keep_secret(m, found.at[i].placeholder, found.at[i].value);
	}
	if (r < 0 || found.n == 0)
		return r;
	capture->placeholder = token_with_claims(capture->value, &found, m->mask->arena);
	return keep_secret(m, capture->placeholder, capture->value);
}

static int make_token(struct masking *m, struct capture *capture, const char *name)
{
	if (!token_is_one(capture->value))
		return 0;
	if (m->credential->claims.n > 0)
		return mask_claims(m, capture, name);
	capture->placeholder = token_fake(make_placeholder(m, name, 0), strlen(capture->value), m->mask->arena);
	return keep_secret(m, capture->placeholder, capture->value);
}

/* ---- finding them ---- */

static int refuse(struct masking *m, const char *fault)
{
	m->fault = fault;
	return -EINVAL;
}

static int make(struct masking *m, struct capture *capture)
{
	const char *name = arena_printf(m->mask->arena, "%zu", m->captures_n);

	if (!name)
		return -ENOMEM;
	if (strlen(capture->value) > MASK_SECRET_MAX)
		return refuse(m, "holds a secret of more than 16 KiB");
	return m->credential->jwt ? make_token(m, capture, name) : make_plain(m, capture, name);
}

/* The same value is the same secret. */
static int find_capture(struct masking *m, size_t start, size_t end, const struct capture **ret_capture)
{
	struct capture *capture = m->capture;
	int r;

	for (; capture < m->capture + m->captures_n; capture++)
		if (strlen(capture->value) == end - start && memcmp(capture->value, m->text + start, end - start) == 0) {
			*ret_capture = capture;
			return 0;
		}
	if (m->captures_n == MASK_CAPTURES_MAX)
		return refuse(m, "holds more than 64 secrets");
	*capture = (struct capture){ .value = arena_dup_n(m->mask->arena, m->text + start, end - start) };
	r = capture->value ? make(m, capture) : -ENOMEM;
	if (r < 0)
		return r;
	m->captures_n++;
	*ret_capture = capture;
	return 0;
}

static int add_span(struct masking *m, size_t start, size_t end, const char *text)
{
	struct span *slot = span_vec_add(&m->spans, m->mask->arena);

	if (!slot)
		return -ENOMEM;
	*slot = (struct span){ start, end, text };
	return 0;
}

static int add_match(struct masking *m, const struct regex_match *match)
{
	const struct capture *capture;
	int r;

	if (match->group_start == REGEX_NONE)
		return refuse(m, "has a match of extract whose first group took no part in it");
	if (match->group_start == match->group_end)
		return 0;
	r = find_capture(m, match->group_start, match->group_end, &capture);
	if (r < 0 || !capture->placeholder)
		return r;
	return add_span(m, match->group_start, match->group_end, capture->placeholder);
}

static int find_matches(struct masking *m)
{
	const char *pattern = m->credential->extract ? m->credential->extract : TOKEN_PATTERN;
	struct regex *regex;
	struct regex_match match;
	int r = regex_compile(pattern, m->mask->arena, &regex, &m->fault);

	for (size_t from = 0; r == 0 && from <= m->n && regex_find(regex, m->text, m->n, from, &match);) {
		r = add_match(m, &match);
		from = match.end > match.start ? match.end : match.end + 1;
	}
	return r;
}

/* ---- the same value elsewhere ---- */

static bool is_free(const struct masking *m, size_t start, size_t end)
{
	for (size_t i = 0; i < m->spans.n; i++)
		if (start < m->spans.at[i].end && m->spans.at[i].start < end)
			return false;
	return true;
}

static int add_duplicates_of(struct masking *m, const struct capture *capture)
{
	size_t n = strlen(capture->value);
	int r = 0;

	for (const char *at = m->text; r == 0 && (at = memmem(at, m->n - (size_t)(at - m->text), capture->value, n)); at++) {
		size_t start = (size_t)(at - m->text);

		if (is_free(m, start, start + n))
			r = add_span(m, start, start + n, capture->placeholder);
	}
	return r;
}

static int longer_first(const void *a, const void *b)
{
	size_t one = strlen(((const struct capture *)a)->value), other = strlen(((const struct capture *)b)->value);

	return (one < other) - (one > other);
}

/* A short secret that is part of a long one must not take a piece of it. */
static int add_duplicates(struct masking *m)
{
	int r = 0;

	qsort(m->capture, m->captures_n, sizeof(m->capture[0]), longer_first);
	for (size_t i = 0; i < m->captures_n && r == 0; i++)
		if (m->capture[i].placeholder)
			r = add_duplicates_of(m, &m->capture[i]);
	return r;
}

/* ---- the whole ---- */

static int by_start(const void *a, const void *b)
{
	size_t one = ((const struct span *)a)->start, other = ((const struct span *)b)->start;

	return (one > other) - (one < other);
}

static int put_together(struct masking *m, struct masked *ret_masked)
{
	size_t n = m->n, at = 0, used = 0;
	char *out;

	for (size_t i = 0; i < m->spans.n; i++)
		n += strlen(m->spans.at[i].text);
	out = arena_alloc(m->mask->arena, n + 1);
	if (!out)
		return -ENOMEM;
	if (m->spans.n > 0)
		qsort(m->spans.at, m->spans.n, sizeof(m->spans.at[0]), by_start);
	for (size_t i = 0; i < m->spans.n; i++) {
		const struct span *span = &m->spans.at[i];
		size_t length = strlen(span->text);

		memcpy(out + used, m->text + at, span->start - at);
		used += span->start - at;
		memcpy(out + used, span->text, length);
		used += length;
		at = span->end;
	}
	memcpy(out + used, m->text + at, m->n - at);
	*ret_masked = (struct masked){ out, used + m->n - at };
	return 0;
}

/* The line ends behind a secret in a file are not part of it. */
static int mask_whole(struct masking *m)
{
	const struct capture *capture;
	size_t n = m->n;
	int r;

	while (m->credential->is_file && n > 0 && (m->text[n - 1] == '\n' || m->text[n - 1] == '\r'))
		n--;
	if (n == 0)
		return 0;
	r = find_capture(m, 0, n, &capture);
	if (r < 0 || !capture->placeholder)
		return r;
	return add_span(m, 0, n, capture->placeholder);
}

static bool is_text(const char *text, size_t n)
{
	for (size_t at = 0, length; at < n; at += length) {
		uint32_t code;

		length = text[at] ? utf8_take(text + at, n - at, &code) : 0;
		if (length == 0)
			return false;
	}
	return true;
}

int mask_text(struct mask *mask, const struct credential *credential, struct masked *masked, const char **ret_fault)
{
	struct masking m = { .mask = mask, .credential = credential, .text = masked->text, .n = masked->n };
	bool whole = !credential->extract && (!credential->jwt || !credential->is_file);
	int r = is_text(m.text, m.n) ? 0 : refuse(&m, "is no text: it can only be denied");

	*masked = (struct masked){ .text = NULL };
	if (r == 0)
		r = whole ? mask_whole(&m) : find_matches(&m);
	if (r == 0 && credential->mask_duplicates)
		r = add_duplicates(&m);
	*ret_fault = m.fault;
	if (r < 0 || m.spans.n == 0)
		return r;
	return put_together(&m, masked);
}

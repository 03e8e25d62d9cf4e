#include "policy/token.h"

#include "base/json.h"
#include "base/str.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define HEADER "{\"alg\":\"HS256\",\"typ\":\"JWT\"}" /* not "none", which some take for valid */
#define FILLER "c3J0LWZha2U"                         /* srt's: "srt-fake" */

enum { TOKEN_MAX = 64 << 10 };

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* ---- base64url, without padding ---- */

static void encode(const char *bytes, size_t n, struct str *out)
{
	for (size_t i = 0; i < n; i += 3) {
		unsigned long group = 0;

		for (size_t k = 0; k < 3; k++)
			group = group << 8 | (i + k < n ? (unsigned char)bytes[i + k] : 0u);
		for (size_t k = 0; k < 4 && i + k <= n; k++)
			str_add_char(out, letters[group >> (18 - 6 * k) & 63]);
	}
}

/* False for other bytes, or for a length that no text has. */
static bool decode(const char *text, size_t n, struct str *out)
{
	unsigned long group = 0;

	if (n % 4 == 1)
		return false;
	for (size_t i = 0; i < n; i++) {
		const char *at = memchr(letters, text[i], 64);

		if (!at)
			return false;
		group = group << 6 | (unsigned long)(at - letters);
		if (i % 4 > 0)
			str_add_char(out, (char)(group >> (6 - 2 * (i % 4)) & 0xff));
	}
	return !out->failed;
}

/* ---- parts ---- */

struct part {
	const char *at;
	size_t n;
};

static bool split(const char *text, struct part parts[3])
{
	for (int i = 0; i < 3; i++) {
		parts[i] = (struct part){ text, strcspn(text, ".") };
		text += parts[i].n;
		if (parts[i].n == 0 || (*text == '.') != (i < 2))
			return false;
		text++;
	}
	return true;
}

static json_t *read_part(const struct part *part)
{
	json_t *value = NULL;
	autostr struct str text;

	str_init(&text, TOKEN_MAX);
	if (decode(part->at, part->n, &text) && json_read(text.text, text.len, "token", &value, NULL) < 0)
		return NULL;
	return value;
}

bool token_is_one(const char *text)
{
	struct part parts[3];

	if (!split(text, parts))
		return false;

	autojson json_t *header = read_part(&parts[0]);
	autojson json_t *payload = read_part(&parts[1]);

	return json_object_get(header, "alg") && payload;
}

/* ---- fakes ---- */

static const char *finish(struct str *out, size_t least, struct arena *arena)
{
	str_add(out, FILLER);
	while (!out->failed && out->len < least)
		str_add_n(out, FILLER, least - out->len < sizeof(FILLER) - 1 ? least - out->len : sizeof(FILLER) - 1);
	return out->failed ? NULL : arena_dup_n(arena, out->text, out->len);
}

const char *token_fake(const char *placeholder, size_t least, struct arena *arena)
{
	autostr struct str out = { 0 }, payload = { 0 };

	if (!placeholder)
		return NULL;
	str_init(&out, TOKEN_MAX);
	str_init(&payload, TOKEN_MAX);
	encode(HEADER, sizeof(HEADER) - 1, &out);
	str_add_char(&out, '.');
	str_printf(&payload, "{\"sub\":\"%s\",\"exp\":9999999999}", placeholder);
	encode(payload.text, payload.len, &out);
	str_add_char(&out, '.');
	return finish(&out, least, arena);
}

int token_find_claims(const char *text, const struct text_vec *claims, struct arena *arena, struct token_claim_vec *ret_found)
{
	struct part parts[3];
	autojson json_t *payload = split(text, parts) ? read_part(&parts[1]) : NULL;

	for (size_t i = 0; i < claims->n; i++) {
		const json_t *claim = json_object_get(payload, claims->at[i]);
		struct token_claim *slot;

		if (!json_is_string(claim) || json_string_length(claim) == 0)
			continue;
		slot = token_claim_vec_add(ret_found, arena);
		if (!slot)
			return -ENOMEM;
		*slot = (struct token_claim){ .name = claims->at[i], .value = arena_dup(arena, json_string_value(claim)) };
		if (!slot->value)
			return -ENOMEM;
	}
	return 0;
}

const char *token_with_claims(const char *text, const struct token_claim_vec *claims, struct arena *arena)
{
	struct part parts[3];
	autojson json_t *payload = split(text, parts) ? read_part(&parts[1]) : NULL;
	autostr struct str out = { 0 };
	char *changed;

	for (size_t i = 0; i < claims->n && payload; i++)
		(void)json_object_set_new(payload, claims->at[i].name, json_string(claims->at[i].placeholder));
	changed = payload ? json_dumps(payload, JSON_COMPACT) : NULL;
	if (!changed)
		return NULL;
	str_init(&out, TOKEN_MAX);
	str_add_n(&out, text, parts[0].n + 1);
	encode(changed, strlen(changed), &out);
	free(changed);
	str_add_char(&out, '.');
	return finish(&out, strlen(text), arena);
}

/*
 * json.h: strict JSON reading, on Jansson (docs/decisions/json.md). This is the only file that knows which library it is, but for
 * the readers that walk a json_t.
 *
 * Refused: duplicate keys, bad UTF-8, lone surrogates, NUL in strings, NaN, trailing bytes, depth over
 * 128, documents over the ceiling. Writing is done with str_add_json.
 */
#ifndef COFFER_BASE_JSON_H
#define COFFER_BASE_JSON_H

#include "base/arena.h"
#include "base/err.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_DOCUMENT_MAX = 4 << 20 };

void json_done(json_t **doc); /* for cleanup attributes: json_decref, NULL is fine */
#define autojson __attribute__((cleanup(json_done)))

/* Parses n bytes. On failure err says "line L, column C: …" with code POLICY, at `source`. Returns 0 or negative errno. */
int json_read(const char *text, size_t n, const char *source, json_t **ret_doc, struct err *err);

/* "string \"x\"", "number 3", "array of 2", "true", "null": what was found, for messages. At most `room` bytes with NUL. */
void json_describe(const json_t *value, char *ret_text, size_t room);

/* A member of a record: a copy of its text in the arena, NULL where it is none or there is no memory; its number, 0 where it is none above zero. */
const char *json_text_of(const json_t *object, const char *key, struct arena *arena);
uint64_t json_number_of(const json_t *object, const char *key);

#endif

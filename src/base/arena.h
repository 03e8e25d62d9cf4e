/*
 * arena.h: memory for one request. Everything is freed together by arena_done.
 *
 * An arena has a ceiling given at birth; past it every allocation returns NULL (-ENOMEM for callers).
 * Memory is zeroed. Not thread-safe: an arena belongs to one request.
 */
#ifndef COFFER_BASE_ARENA_H
#define COFFER_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *head;
	size_t used_bytes;
	size_t ceiling_bytes;
};

void arena_init(struct arena *arena, size_t ceiling_bytes);
void arena_done(struct arena *arena); /* also fine on a zeroed or finished arena */

void *arena_alloc(struct arena *arena, size_t bytes);                /* 16-byte aligned, zeroed */
void *arena_array(struct arena *arena, size_t count, size_t bytes);  /* checks the product */
char *arena_dup(struct arena *arena, const char *text);              /* NULL text gives NULL */
char *arena_dup_n(struct arena *arena, const void *bytes, size_t n); /* adds a NUL */
char *arena_printf(struct arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *arena, const char *fmt, va_list args) __attribute__((format(printf, 2, 0)));

#define ARENA_NEW(arena, T) ((T *)arena_alloc((arena), sizeof(T)))

#endif

/*
 * Blocks in a list, the newest first; an allocation comes off the newest block or starts another one. What is left of an
 * older block is lost, which is cheap: requests are short-lived and most allocations small.
 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_ALIGN = 16, ARENA_BLOCK_BYTES = 32 << 10 };

struct arena_block {
	struct arena_block *next;
	size_t used, room;
	alignas(ARENA_ALIGN) unsigned char bytes[];
};

void arena_init(struct arena *arena, size_t ceiling_bytes)
{
	*arena = (struct arena){ .ceiling_bytes = ceiling_bytes };
}

void arena_done(struct arena *arena)
{
	while (arena->head) {
		struct arena_block *block = arena->head;

		arena->head = block->next;
		free(block);
	}
	arena->used_bytes = 0;
}

/* calloc rather than malloc and memset: fresh pages come zeroed from the kernel and stay untouched until used. */
static struct arena_block *add_block(struct arena *arena, size_t bytes)
{
	size_t room = ARENA_BLOCK_BYTES - sizeof(struct arena_block);

	if (room < bytes)
		room = bytes;

	struct arena_block *block = calloc(1, sizeof(*block) + room);

	if (!block)
		return NULL;
	block->room = room;
	block->next = arena->head;
	arena->head = block;
	return block;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
	size_t left = arena->ceiling_bytes - arena->used_bytes;

	if (bytes > left || bytes > SIZE_MAX / 2)
		return NULL;
	bytes = bytes ? (bytes + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1) : ARENA_ALIGN;
	if (bytes > left)
		return NULL;

	struct arena_block *block = arena->head;

	if (!block || block->room - block->used < bytes)
		block = add_block(arena, bytes);
	if (!block)
		return NULL;

	void *p = block->bytes + block->used;

	block->used += bytes;
	arena->used_bytes += bytes;
	return p;
}

void *arena_array(struct arena *arena, size_t count, size_t bytes)
{
	size_t product;

	if (__builtin_mul_overflow(count, bytes, &product))
		return NULL;
	return arena_alloc(arena, product);
}

char *arena_dup(struct arena *arena, const char *text)
{
	return text ? arena_dup_n(arena, text, strlen(text)) : NULL;
}

char *arena_dup_n(struct arena *arena, const void *bytes, size_t n)
{
	char *copy = n < SIZE_MAX ? arena_alloc(arena, n + 1) : NULL;

	if (copy && n)
		memcpy(copy, bytes, n);
	return copy;
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);

	char *text = arena_vprintf(arena, fmt, args);

	va_end(args);
	return text;
}

char *arena_vprintf(struct arena *arena, const char *fmt, va_list args)
{
	va_list again;

	va_copy(again, args);

	int len = vsnprintf(NULL, 0, fmt, args);
	char *text = len >= 0 ? arena_alloc(arena, (size_t)len + 1) : NULL;

	if (text)
		vsnprintf(text, (size_t)len + 1, fmt, again);
	va_end(again);
	return text;
}

/*
 * Blocks in a list, the newest first, each twice as large as the one before; an allocation comes off the newest block or starts another
 * one. What is left of an older block is lost, which is cheap: requests are short-lived and most allocations small.
 *
 * The pages of a block are asked for at once: in a virtual machine a page fault can cost 10 µs and more, one call for sixteen of them the same.
 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { ARENA_ALIGN = 16, ARENA_BLOCK_BYTES = 16 << 10, ARENA_BLOCK_BYTES_MAX = 128 << 10 };

struct arena_block {
	struct arena_block *next;
	size_t used, room;
	alignas(ARENA_ALIGN) unsigned char bytes[];
};

void arena_init(struct arena *arena, size_t ceiling_bytes)
{
	*arena = (struct arena){ .ceiling_bytes = ceiling_bytes };
}

#ifdef ARENA_FROM_MALLOC /* for sanitizers, which know about leaks of what malloc gave, and only of that */
static void *take_pages(size_t bytes)
{
	return calloc(1, bytes);
}

static void give_back(void *pages, size_t bytes)
{
	(void)bytes;
	free(pages);
}
#else
static void *take_pages(size_t bytes)
{
	void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	return pages == MAP_FAILED ? NULL : pages;
}

static void give_back(void *pages, size_t bytes)
{
	(void)munmap(pages, bytes);
}
#endif

void arena_done(struct arena *arena)
{
	while (arena->head) {
		struct arena_block *block = arena->head;

		arena->head = block->next;
		give_back(block, sizeof(*block) + block->room);
	}
	arena->used_bytes = 0;
}

static struct arena_block *add_block(struct arena *arena, size_t bytes)
{
	size_t room = arena->head ? arena->head->room * 2 : ARENA_BLOCK_BYTES - sizeof(struct arena_block);

	if (room > ARENA_BLOCK_BYTES_MAX - sizeof(struct arena_block))
		room = ARENA_BLOCK_BYTES_MAX - sizeof(struct arena_block);
	if (room < bytes)
		room = bytes;

	struct arena_block *block = take_pages(sizeof(*block) + room);

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

/*
 * text.h: short texts that the kernel wants to read (procfs paths, mount options, id maps), made without a heap or stdio.
 *
 *   struct text t = { 0 };
 *   text_add(&t, "/proc/");
 *   text_number(&t, pid, 10);
 *   … t.bytes …
 *
 * bytes is always NUL-terminated. What does not fit is left out and `cut` is set; the texts made here have a known length.
 */
#ifndef COFFER_SYS_TEXT_H
#define COFFER_SYS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TEXT_BYTES_MAX = 159 };

struct text {
	char bytes[TEXT_BYTES_MAX + 1];
	size_t len;
	bool cut;
};

void text_add(struct text *text, const char *more);
void text_number(struct text *text, uint64_t number, unsigned base); /* base 2 to 16 */

#endif

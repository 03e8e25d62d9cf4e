#include "sys/text.h"

#include <string.h>

static void add(struct text *text, const char *more, size_t n)
{
	if (n > TEXT_BYTES_MAX - text->len) {
		text->cut = true;
		return;
	}
	memcpy(text->bytes + text->len, more, n);
	text->len += n;
	text->bytes[text->len] = '\0';
}

void text_add(struct text *text, const char *more)
{
	add(text, more, strlen(more));
}

void text_number(struct text *text, uint64_t number, unsigned base)
{
	char digits[64];
	size_t at = sizeof(digits);

	do {
		digits[--at] = "0123456789abcdef"[number % base];
		number /= base;
	} while (number);
	add(text, digits + at, sizeof(digits) - at);
}

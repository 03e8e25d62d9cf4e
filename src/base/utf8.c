#include "base/utf8.h"

#include <string.h>

/* A lead byte says how long the sequence is and where its code points start; shorter forms of the same code point are invalid. */
static const struct lead {
	uint8_t mask, value, length;
	uint32_t least;
} leads[] = {
	{ 0x80, 0x00, 1, 0x0 },
	{ 0xe0, 0xc0, 2, 0x80 },
	{ 0xf0, 0xe0, 3, 0x800 },
	{ 0xf8, 0xf0, 4, 0x10000 },
};

static const struct lead *find_lead(uint8_t byte)
{
	for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++)
		if ((byte & leads[i].mask) == leads[i].value)
			return &leads[i];
	return NULL;
}

size_t utf8_take(const char *text, size_t n, uint32_t *ret_code)
{
	const struct lead *lead = n ? find_lead((uint8_t)text[0]) : NULL;

	if (!lead || lead->length > n)
		return 0;

	uint32_t code = (uint8_t)text[0] & (uint8_t)~lead->mask;

	for (size_t i = 1; i < lead->length; i++) {
		if (((uint8_t)text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | ((uint8_t)text[i] & 0x3f);
	}
	if (code < lead->least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*ret_code = code;
	return lead->length;
}

bool utf8_is_shown(uint32_t code)
{
	if (code < 0x20 || (code >= 0x7f && code < 0xa0))
		return false;
	/* Zero-width characters and direction marks, line and paragraph separators and overrides, isolates, the byte order mark. */
	if ((code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e))
		return false;
	return !(code >= 0x2060 && code <= 0x206f) && code != 0xfeff;
}

static char hex_digit(unsigned value)
{
	return "0123456789abcdef"[value & 15];
}

static void show_bytes(const char *text, size_t n, char *shown)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t byte = (uint8_t)text[i];

		*shown++ = '\\';
		*shown++ = 'x';
		*shown++ = hex_digit(byte >> 4);
		*shown++ = hex_digit(byte);
	}
	*shown = '\0';
}

size_t utf8_show(const char *text, size_t n, char ret_shown[UTF8_SHOWN_MAX])
{
	uint32_t code = 0;
	size_t length = utf8_take(text, n, &code);

	if (length && utf8_is_shown(code)) {
		memcpy(ret_shown, text, length);
		ret_shown[length] = '\0';
	} else if (length && code == '\n') {
		memcpy(ret_shown, "\\n", 3);
	} else {
		length = length ? length : 1;
		show_bytes(text, length, ret_shown);
	}
	return length;
}

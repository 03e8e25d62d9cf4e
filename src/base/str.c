#include "base/str.h"

#include "base/utf8.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What an empty string shows; room is 0 then, so nobody writes here. */
static char nothing[1];

void str_init(struct str *s, size_t ceiling)
{
	*s = (struct str){ .text = nothing, .ceiling = ceiling };
}

void str_done(struct str *s)
{
	if (s->room)
		free(s->text);
	str_init(s, s->ceiling);
}

void str_clear(struct str *s)
{
	s->len = 0;
	s->failed = false;
	if (s->room)
		s->text[0] = '\0';
}

/* Makes room for n more bytes and the NUL. */
static bool grow(struct str *s, size_t n)
{
	if (s->failed || n > s->ceiling - s->len || n > SIZE_MAX / 4) {
		s->failed = true;
		return false;
	}
	if (s->len + n < s->room)
		return true;

	size_t room = s->room ? s->room : 64;

	while (room <= s->len + n)
		room *= 2;

	char *text = realloc(s->room ? s->text : NULL, room);

	if (!text) {
		s->failed = true;
		return false;
	}
	text[s->len] = '\0';
	s->text = text;
	s->room = room;
	return true;
}

void str_add(struct str *s, const char *text)
{
	str_add_n(s, text, strlen(text));
}

void str_add_n(struct str *s, const void *bytes, size_t n)
{
	if (!n || !grow(s, n))
		return;
	memcpy(s->text + s->len, bytes, n);
	s->len += n;
	s->text[s->len] = '\0';
}

void str_add_char(struct str *s, char c)
{
	str_add_n(s, &c, 1);
}

void str_printf(struct str *s, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	str_vprintf(s, fmt, args);
	va_end(args);
}

void str_vprintf(struct str *s, const char *fmt, va_list args)
{
	va_list again;

	va_copy(again, args);

	int len = vsnprintf(NULL, 0, fmt, args);

	if (len < 0) {
		s->failed = true;
	} else if (len > 0 && grow(s, (size_t)len)) {
		vsnprintf(s->text + s->len, (size_t)len + 1, fmt, again);
		s->len += (size_t)len;
	}
	va_end(again);
}

void str_add_escaped(struct str *s, const char *text, size_t n)
{
	char shown[UTF8_SHOWN_MAX];

	for (size_t at = 0; at < n && !s->failed;) {
		at += utf8_show(text + at, n - at, shown);
		str_add(s, shown);
	}
}

/* One character that is not itself in JSON. Beyond what RFC 8259 asks for, what a terminal should not see is escaped too. */
static void add_json_escape(struct str *s, uint32_t code)
{
	static const char named[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	const char *found = code && code < 0x80 ? strchr(named, (int)code) : NULL;

	if (found)
		str_printf(s, "\\%c", letters[found - named]);
	else
		str_printf(s, "\\u%04x", (unsigned)code); /* all of them are below U+10000 */
}

void str_add_json(struct str *s, const char *text, size_t n)
{
	str_add_char(s, '"');
	for (size_t at = 0; at < n && !s->failed;) {
		uint32_t code = 0;
		size_t length = utf8_take(text + at, n - at, &code);

		if (!length)
			str_add(s, "\xef\xbf\xbd");
		else if (code == '"' || code == '\\' || !utf8_is_shown(code))
			add_json_escape(s, code);
		else
			str_add_n(s, text + at, length);
		at += length ? length : 1;
	}
	str_add_char(s, '"');
}

void str_add_json_text(struct str *s, const char *text)
{
	if (text)
		str_add_json(s, text, strlen(text));
	else
		str_add(s, "null");
}

void str_add_base64(struct str *s, const void *bytes, size_t n)
{
	enum { NOTHING = 64 };
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
	const unsigned char *at = bytes;

	for (size_t i = 0; i < n && !s->failed; i += 3) {
		unsigned group = (unsigned)at[i] << 16 | (i + 1 < n ? (unsigned)at[i + 1] << 8 : 0) | (i + 2 < n ? at[i + 2] : 0);
		const char four[] = { digits[group >> 18], digits[group >> 12 & 63], digits[i + 1 < n ? group >> 6 & 63 : NOTHING],
			              digits[i + 2 < n ? group & 63 : NOTHING] };

		str_add_n(s, four, sizeof(four));
	}
}

void str_add_shell(struct str *s, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./@%+=:,";

	if (*word && word[strspn(word, plain)] == '\0') {
		str_add(s, word);
		return;
	}
	str_add_char(s, '\'');
	for (; *word; word++) {
		if (*word == '\'')
			str_add(s, "'\\'");
		str_add_char(s, *word);
	}
	str_add_char(s, '\'');
}

void str_add_json_path(struct str *s, const char *path)
{
	size_t n = strlen(path), at = 0;
	uint32_t code;

	while (at < n) {
		size_t taken = utf8_take(path + at, n - at, &code);

		if (taken == 0)
			break;
		at += taken;
	}
	if (at == n) {
		str_add_json(s, path, n);
		return;
	}
	str_add(s, "{\"base64\":\"");
	str_add_base64(s, path, n);
	str_add(s, "\"}");
}

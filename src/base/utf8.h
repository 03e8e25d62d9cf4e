/* utf8.h: telling text from bytes, and what a terminal may be shown from what it may not. No allocation. */
#ifndef COFFER_BASE_UTF8_H
#define COFFER_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length of the UTF-8 sequence that starts text, 1 to 4, and its code point; 0 when the n bytes start no valid one (RFC 3629). */
size_t utf8_take(const char *text, size_t n, uint32_t *ret_code);

/* False for C0 and C1 controls, DEL, and what reorders or hides the text around it. */
bool utf8_is_shown(uint32_t code);

enum { UTF8_SHOWN_MAX = 4 * 4 + 1 };
/*
 * The form of the next character that is safe on a terminal: itself, "\n", or "\xNN" a byte; NUL-terminated.
 * Returns how many bytes of text it stands for: at least 1. n must not be 0.
 */
size_t utf8_show(const char *text, size_t n, char ret_shown[UTF8_SHOWN_MAX]);

#endif

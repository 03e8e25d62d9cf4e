/*
 * str.h: a growable string with a ceiling. Owns heap memory; str_done frees it.
 *
 * The first failure (ceiling or memory) sticks in `failed` and later calls do nothing, so that a
 * printer checks once, at the end. text is always NUL-terminated, "" when nothing was added.
 */
#ifndef COFFER_BASE_STR_H
#define COFFER_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct str {
	char *text;
	size_t len, room, ceiling;
	bool failed;
};

void str_init(struct str *s, size_t ceiling);
void str_done(struct str *s);
void str_clear(struct str *s);
void str_add(struct str *s, const char *text);
void str_add_n(struct str *s, const void *bytes, size_t n);
void str_add_char(struct str *s, char c);
void str_printf(struct str *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void str_vprintf(struct str *s, const char *fmt, va_list args) __attribute__((format(printf, 2, 0)));

/* Adds text for a person's terminal: control characters, ESC, invalid UTF-8 as \xNN, newline as \n. */
void str_add_escaped(struct str *s, const char *text, size_t n);
/* Adds one word of a POSIX shell: bare when it is plain, else in single quotes. */
void str_add_shell(struct str *s, const char *word);
/* Adds a quoted JSON string; bytes that are not UTF-8 become U+FFFD. */
void str_add_json(struct str *s, const char *text, size_t n);
/* The same for a C string; NULL becomes null. */
void str_add_json_text(struct str *s, const char *text);
/* Adds a name that is bytes: as a string, or what is not UTF-8 as {"base64": …}. */
void str_add_json_path(struct str *s, const char *path);
/* Adds bytes in base64 (RFC 4648), padded. */
void str_add_base64(struct str *s, const void *bytes, size_t n);

#define autostr __attribute__((cleanup(str_done)))

#endif

/*
 * keep.h: small files that must be whole: written beside, synced, renamed, and the directory synced. Whoever reads one sees the old text or the
 * new one.
 *
 * A list is such a file with a line for each thing, for what can be too long for JSON (seals, manifests, journals): "coffer NAME 1", the lines, and
 * "end COUNT SHA256" over all before. A list that was torn or edited is -EBADMSG.
 */
#ifndef COFFER_WORKSPACE_KEEP_H
#define COFFER_WORKSPACE_KEEP_H

#include "base/arena.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KEEP_TEXT_MAX = 4 << 20, KEEP_LIST_MAX = 256 << 20 };

int keep_write(int dirfd, const char *name, const char *text, size_t n);
struct keep_text {
	char *at;
	size_t left;
};
/* Into the arena, NUL-terminated. -EFBIG beyond max. A link or anything but a regular file of this user's is -EBADMSG. */
int keep_read(int dirfd, const char *name, size_t max, struct arena *arena, struct keep_text *ret_text);

/* Begins a list in an empty str that has KEEP_LIST_MAX as its ceiling; lines are added with str_printf and keep_put_path. */
void keep_list_start(struct str *list, const char *what);
int keep_list_write(int dirfd, const char *name, struct str *list);

int keep_list_read(int dirfd, const char *name, const char *what, struct arena *arena, struct keep_text *ret_lines);
/* The next line, NUL-terminated; NULL at the end. */
char *keep_line(struct keep_text *lines);

/* A path as one word: what is not printable ASCII, blanks and '%' are %XX; "" is "%". */
void keep_put_path(struct str *s, const char *path);
/* The next word of a line, decoded in place; NULL when there is none or it is malformed. */
char *keep_take_path(char **line);
/* The next word as a number. False when it is none. */
bool keep_take_number(char **line, int64_t *ret);
bool keep_take_unsigned(char **line, uint64_t *ret);
/* The next word as a SHA-256; "-" is all zeros. */
bool keep_take_hash(char **line, uint8_t *ret_hash);
void keep_put_hash(struct str *s, const uint8_t *hash);

#endif

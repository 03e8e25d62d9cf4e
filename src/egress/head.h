/*
 * head.h: the start line and the fields of an HTTP/1.1 message, without its body. http-parser reads them; what it lets through and should not is
 * refused here.
 *
 * Nothing is copied: a field points into the text that was read.
 */
#ifndef COFFER_EGRESS_HEAD_H
#define COFFER_EGRESS_HEAD_H

#include "base/str.h"

#include <http_parser.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HEAD_BYTES_MAX = 64 << 10, HEAD_FIELDS_MAX = 100 };

struct head_text {
	const char *at;
	size_t n;
};
struct head_field {
	struct head_text name, value;
};

/* How the body's length is told. */
enum head_framing { FRAMED_EMPTY, FRAMED_LENGTH, FRAMED_CHUNKS, FRAMED_END };

struct head {
	http_parser parser; /* in the state in which the body comes */
	bool complete;      /* there is no body */
	struct head_text target, reason;
	struct head_field field[HEAD_FIELDS_MAX];
	size_t fields_n;
	bool too_many;
	enum head_framing framing;
	uint64_t length;
	bool skip_body; /* set before reading: the answer to HEAD */
};

/*
 * The length of the head that text begins with, the empty line included; 0 when it is not whole yet; -EPROTO for what no head may have:
 * NUL, a line that ends in one of CR and LF, a folded field. *scanned, at first 0, is where the last call stopped.
 */
int head_find_end(const char *text, size_t n, size_t *scanned);
/* The same for those who need not be strict: lines may end in LF. */
int head_find_end_lenient(const char *text, size_t n);

/*
 * Reads a whole head. -EPROTO when it is malformed: the grammar, an unknown version, a field's name or value with bytes that it cannot have,
 * a length that is told twice or in two ways, a coding that is not "chunked". -E2BIG for too many fields.
 */
int head_read(const char *text, size_t n, enum http_parser_type type, struct head *head);

bool head_text_is(struct head_text text, const char *word); /* ASCII case does not matter */
/* The field of that name; the next one after *from, at first 0. NULL when there is none. */
const struct head_field *head_next(const struct head *head, const char *name, size_t *from);
/* Does a list, as Connection has, hold the word? */
bool head_lists(const struct head *head, const char *name, const char *word);
/* What becomes of fields on their way. A filter or a function that is NULL changes nothing. */
struct head_filter {
	bool (*drops)(const struct head_filter *filter, struct head_text name);
	void (*write)(const struct head_filter *filter, struct head_text value, struct str *out);
	void (*add)(const struct head_filter *filter, struct str *out); /* more of them */
};
/* Adds the fields that are meant for the other end of the next connection: no hop-by-hop ones, no Proxy-*, no Host, nothing about framing. */
void head_write_fields(const struct head *head, const struct head_filter *filter, struct str *out);
/* Adds what says how the body is framed. */
void head_write_framing(enum head_framing framing, uint64_t length, struct str *out);

#endif

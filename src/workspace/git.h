/* git.h: what a patch needs that git shall accept: names of blobs, names in quotes, bytes as text. */
#ifndef COFFER_WORKSPACE_GIT_H
#define COFFER_WORKSPACE_GIT_H

#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

enum { GIT_ID_TEXT = 41 };

/* The name of a blob: SHA-1 of "blob N", NUL, and the bytes, in hexadecimal. An identifier, no proof of anything. */
void git_blob_id(const char *bytes, size_t n, char ret_id[GIT_ID_TEXT]);
/* "a/name", in quotes and with escapes where git would put them. */
void git_put_name(struct str *out, const char *prefix, const char *path);
/* "literal N" and the bytes as a stored zlib stream in base 85. */
void git_put_literal(struct str *out, const char *bytes, size_t n);

#endif

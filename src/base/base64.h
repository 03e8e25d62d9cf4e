/* base64.h: bytes out of base64 (RFC 4648, padded, no line breaks). Into it: str_add_base64 (base/str.h). */
#ifndef COFFER_BASE_BASE64_H
#define COFFER_BASE_BASE64_H

#include <stddef.h>
#include <sys/types.h>

/* Room that n characters need at most. */
#define BASE64_ROOM(n) ((n) / 4 * 3)
/* Decodes n characters into room for BASE64_ROOM(n) bytes, which may be the text's own. How many they are; -EINVAL for anything that no encoder writes. */
ssize_t base64_read(const char *text, size_t n, void *ret_bytes);

#endif

/* content.h: the bytes of files: compared, hashed, loaded, copied. Descriptors are of regular files, at any offset. */
#ifndef COFFER_WORKSPACE_CONTENT_H
#define COFFER_WORKSPACE_CONTENT_H

#include "base/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* *ret_same. Reads both from their beginnings. */
int content_compare(int a, int b, bool *ret_same);
int content_hash(int fd, uint8_t ret_hash[SHA256_BYTES]);

struct content {
	char *bytes; /* never NULL after a load */
	size_t n;
};
#define autocontent __attribute__((cleanup(content_done)))
void content_done(struct content *content);
/* -EFBIG when there are more than max bytes. What is read is what counts, not what fstat said. */
int content_load(int fd, size_t max, struct content *ret_content);

/* All of `from` into the empty file `to`: shared blocks where the file system has them, holes stay holes. -EFBIG beyond max. */
int content_copy(int from, int to, uint64_t max);

#endif

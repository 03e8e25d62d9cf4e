/* content.h: the bytes of files: compared, hashed, loaded, copied. Descriptors are of regular files, at any offset. */
#ifndef COFFER_WORKSPACE_CONTENT_H
#define COFFER_WORKSPACE_CONTENT_H

#include "base/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* size: what fstat said; what has come behind since is not read. *ret_same. Reads both from their beginnings. */
int content_compare(int a, int b, uint64_t size, bool *ret_same);
void content_hash_text(const char *text, size_t n, uint8_t ret_hash[SHA256_BYTES]);
int content_hash(int fd, uint64_t size, uint8_t ret_hash[SHA256_BYTES]);

struct content {
	char *bytes; /* never NULL after a load */
	size_t n;
};
#define autocontent __attribute__((cleanup(content_done)))
void content_done(struct content *content);
/* -EFBIG when there are more than max bytes. What is read is what counts, not what fstat said. */
int content_load(int fd, size_t max, struct content *ret_content);

/*
 * All of `from`, which has `size` bytes, into the empty file `to`: shared blocks where the file system has them, and holes stay holes, unless it is small: then it is
 * read once, written once, and its hash is for nothing. ret_hash may be NULL.
 */
int content_copy(int from, int to, uint64_t size, uint8_t *ret_hash);

#endif

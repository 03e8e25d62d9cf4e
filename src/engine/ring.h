/*
 * ring.h: a file that keeps the last bytes of a stream. One writes, others read meanwhile; what is overwritten while it is read is left out.
 */
#ifndef COFFER_ENGINE_RING_H
#define COFFER_ENGINE_RING_H

#include "base/str.h"

#include <stdint.h>

struct ring {
	int fd;
	uint64_t room, total;
};

/* Makes the file. */
int ring_make(int dir, const char *name, uint64_t room, struct ring *ret_ring);
/* A full disk costs bytes and nothing else. */
void ring_add(struct ring *ring, const void *bytes, size_t n);
/* Where what is still there begins, counted from the stream's first byte. */
uint64_t ring_first(const struct ring *ring);
/* For who writes: up to n bytes from there on, which must not lie before the first. 0: there are none, or they cannot be read. */
size_t ring_copy(const struct ring *ring, uint64_t at, void *bytes, size_t n);
/* For others: adds the last bytes, at most what the str has room for. 0 or a negative errno; a file that is no ring is -EBADMSG. */
int ring_read(int dir, const char *name, struct str *bytes, uint64_t *ret_total);

#endif

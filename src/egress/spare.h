/*
 * spare.h: text buffers that go from one request to the next. A head takes a buffer for less than a millisecond, thousands of times a second; musl's
 * allocator gives the last of a page back to the kernel each time, which cost a third of what a request takes.
 */
#ifndef COFFER_EGRESS_SPARE_H
#define COFFER_EGRESS_SPARE_H

#include "base/str.h"

enum { SPARE_MAX = 32, SPARE_BYTES_MAX = 4 << 10 };

/* An empty string, as str_init makes one; it may have room already. */
void spare_take(struct str *s, size_t ceiling);
/* As str_done, but that its memory may be somebody else's next. */
void spare_give(struct str *s);

#define autospare __attribute__((cleanup(spare_give)))

#endif

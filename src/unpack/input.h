/*
 * input.h: an archive that is being read: which format, how much of it, and whether anything is behind its end.
 */
#ifndef COFFER_UNPACK_INPUT_H
#define COFFER_UNPACK_INPUT_H

#include "unpack/unpack.h"

#include <archive.h>

struct input;

/* Reads the beginning of unpack->input. NULL: unpack has the failure. */
struct input *input_open(struct unpack *unpack);
void input_close(struct input **slot);
struct archive *input_archive(struct input *input);
/* libarchive has failed: why, in unpack. */
enum unpack_status input_failed(struct input *input);
/* Notes n bytes of a file that libarchive has unpacked: against the ratio. */
enum unpack_status input_unpacked(struct input *input, uint64_t n);
/* After the last entry: was it the end, and of the whole input? */
enum unpack_status input_finish(struct input *input);

#endif

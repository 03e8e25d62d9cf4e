/*
 * spill.h: a stream of which somebody wants no more than so much. The first half goes on as it comes; of the rest the last half is held, and goes on at the end. Once
 * there is more than both, all of it is written to a file, from the first byte on, up to a ceiling.
 */
#ifndef COFFER_ENGINE_SPILL_H
#define COFFER_ENGINE_SPILL_H

#include "plan/outcome.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SPILL_MOST = 64 << 20 };

/* What a run is to do with its standard output and error. All is borrowed. */
struct spill_wish {
	int dir;             /* where files are made, when they are needed; or a negative errno: none can be */
	const char *name[2]; /* of standard output and error; NULL: of this stream all goes on */
	uint64_t most;       /* bytes that go on, 1 to SPILL_MOST */
	uint64_t file_bytes; /* the file's ceiling; 0: there is none */
	const char *mark[2]; /* NULL, or where the file is: then a line between the two halves says so, and how much is missing */
};

struct spill {
	const struct spill_wish *wish;
	int stream;          /* 0, 1 */
	int fd;              /* -1: not yet, or no more */
	char *held;          /* the first half, and round and round the rest */
	uint64_t head, tail; /* sizes of the halves */
	uint64_t total, in_file;
	bool opened;
	int errnum; /* why the file is not whole, if that is no ceiling */
};

/* 0 or -ENOMEM. */
int spill_init(struct spill *spill, const struct spill_wish *wish, int stream);
void spill_done(struct spill *spill);
/* Takes n more bytes. Returns how many of them, from the first one on, are to go on now. */
size_t spill_take(struct spill *spill, const char *bytes, size_t n);
/* At the end: what is still to go on, by malloc. *ret_bytes NULL and 0 when there is nothing, or no memory for it. */
size_t spill_rest(const struct spill *spill, char **ret_bytes);
/* What became of it; is_spilled false: it was not too much. */
struct outcome_spill spill_outcome(const struct spill *spill);

#endif

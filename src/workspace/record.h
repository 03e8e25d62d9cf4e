/*
 * record.h: what is remembered of a workspace, as JSON. Everything here was written by this user's coffer and by nobody inside; a text that says
 * otherwise is refused whole.
 */
#ifndef COFFER_WORKSPACE_RECORD_H
#define COFFER_WORKSPACE_RECORD_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WORKSPACE_ID_MAX = 65, WORKSPACE_LAYERS_MAX = 4096, WORKSPACE_LABEL_MAX = 256 };

enum workspace_mode {
	WORKSPACE_OVERLAY, /* what is written goes to upper/, in overlayfs's form */
	WORKSPACE_STAGE,   /* stage/ is a copy of what is below, written directly */
};

struct workspace_layer {
	uint64_t number;  /* from 1 */
	uint64_t parent;  /* 0: the base */
	const char *home; /* the workspace whose directory holds it */
	const char *label;
	int64_t created_ns;
};

/* Where the clocks stood: what makes a ctime evidence. */
struct workspace_clock {
	char boot[40];     /* the kernel's name for this boot */
	int64_t offset_ns; /* wall clock minus the clock that counts since then */
};

struct workspace_record {
	const char *id;
	enum workspace_mode mode;
	const char *base; /* absolute; NULL: nothing is below */
	uint64_t base_ino;
	int64_t created_ns; /* of the wall clock, in its coarse steps: what has an older ctime was there before */
	int64_t seen_ns;    /* the latest that it has shown since */
	struct workspace_clock clock;
	uint64_t below; /* the layer that upper lies on; 0: the base */
	uint64_t last;  /* number of the latest layer */
	bool kept;      /* removed, but others build on its layers */
	struct workspace_layer *layers;
	size_t layers_n;
};

bool workspace_is_id(const char *id);
int record_store(int dirfd, const struct workspace_record *record, struct err *err);
/* id: whose record it must be. What is wrong with it is in err, with code POLICY and "broken" in its text. */
int record_load(int dirfd, const char *id, struct arena *arena, struct workspace_record *ret_record, struct err *err);
const struct workspace_layer *record_layer(const struct workspace_record *record, uint64_t number);

#endif

/*
 * relay.h: one stream of bytes from a source to a sink, as if the two were one.
 *
 * What it keeps, as far as a pipe in between can:
 *   - bytes and their order;
 *   - the end: when the source ends, the sink is closed (a terminal gets its end-of-file key);
 *   - the broken pipe: when the reader of the sink goes away the source is closed, so that its writer gets SIGPIPE;
 *   - back pressure: a slow sink slows the source's writer, and nothing else;
 *   - a seekable source is left where the reader stopped reading, not where the relay did.
 *
 * It never blocks, whatever the other holders of the caller's descriptors have set on them.
 */
#ifndef COFFER_ENGINE_RELAY_H
#define COFFER_ENGINE_RELAY_H

#include "engine/spill.h"
#include "sys/fd.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct relay_end {
	int fd;
	enum fd_kind kind;
	bool ours;      /* closed with the relay, and non-blocking; else the caller's */
	bool is_master; /* ours, of a pseudo-terminal */
	bool blocking;  /* only touched when poll says so; relay_init finds out */
};

enum relay_state {
	RELAY_DONE,   /* or never begun */
	RELAY_SOURCE, /* waits for bytes */
	RELAY_SINK,   /* waits for room */
	RELAY_LATER,  /* the source is a terminal that cannot be read now: we are in the background, or nobody has its other side open */
};

struct relay {
	enum relay_state state;
	struct relay_end from, to; /* to.fd < 0: `deliver` gets the bytes */
	void (*deliver)(void *context, const void *bytes, size_t n);
	void *context;
	bool draining;            /* nobody writes any more: an empty source is the end */
	uint64_t passed, ceiling; /* bytes */
	bool is_over;             /* the source had more than the ceiling allows */
	bool truncated;           /* something was lost on the way: over the ceiling, or the sink failed */
	char *bytes;              /* read and not yet written: bytes[at..n) */
	size_t at, n;
	bool can_splice, has_grown;
	struct spill *spill; /* NULL, or who decides what of it goes on */
	uint64_t kept_back;  /* bytes that it has not let go on when they came */
	bool ending;         /* the source has ended, and its last bytes are on their way */
	int unread;          /* after the end of a seekable source: a reading end of the sink, else -1 */
};

enum { RELAY_POLLS = 2 };

/* Takes over the ends that are ours. relay_done may be called twice, and on a relay that is all zero but for its descriptors, which are -1. */
void relay_init(struct relay *relay, struct relay_end from, struct relay_end to);
void relay_done(struct relay *relay);
/* From here on not all goes on (spill.h). The spill is borrowed. */
void relay_spill(struct relay *relay, struct spill *spill);
/* A relay that is over before it began. */
#define RELAY_NONE ((struct relay){ .from = { .fd = -1 }, .to = { .fd = -1 }, .unread = -1 })

static inline bool relay_is_running(const struct relay *relay)
{
	return relay->state != RELAY_DONE;
}

/* What to wait for, in RELAY_POLLS places. */
void relay_poll(const struct relay *relay, struct pollfd *polls);
/* Moves what can be moved now, at most about a MiB, so that no stream keeps the others waiting. */
void relay_turn(struct relay *relay, const struct pollfd *polls);

#endif

/*
 * attach.h: those who have attached to a managed process: what its keeper does for them.
 *
 * Each has a place in the streams, and is sent what is between there and their end out of the rings; so what was written before he came and what comes now are the
 * same, nobody needs memory of his own, and whoever is slow loses what the ring has lost and keeps nobody waiting. Nothing here blocks.
 */
#ifndef COFFER_ENGINE_ATTACH_H
#define COFFER_ENGINE_ATTACH_H

#include "engine/keep.h"
#include "engine/ring.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/ioctl.h>

struct attached {
	int fd; /* -1: nobody */
	bool greeted, waits;
	uint64_t at[2];
};

struct attach {
	int epoll, listener;
	const struct ring *rings;
	size_t rings_n;
	int keys; /* a pipe that does not block, or -1: it takes none */
	bool keys_full, ended;
	struct winsize *size; /* of the terminal; NULL: it has none */
	struct attached at[KEEP_ATTACHED_MAX];
};

/* Listens in the directory. The rings are at `rings` as long as this is. attach->epoll is readable when there is something for attach_turn. */
int attach_open(struct attach *attach, int dir, const struct ring *rings, size_t rings_n);
/* Does what can be done. Returns whether *size has changed. */
bool attach_turn(struct attach *attach);
/* There is more in the rings. */
void attach_tell(struct attach *attach);
/* Nobody else comes; those who are there get the rest and are told the end, as far as they take it in time. Closes everything. */
void attach_end(struct attach *attach, unsigned timeout_ms);

#endif

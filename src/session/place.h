/*
 * place.h: where a run starts from: the caller's working directory, home and name.
 */
#ifndef COFFER_SESSION_PLACE_H
#define COFFER_SESSION_PLACE_H

#include "base/arena.h"
#include "base/err.h"

struct session_place {
	const char *cwd;  /* absolute, links resolved */
	const char *home; /* normal, or NULL */
	const char *user; /* or NULL */
};

/* env is the caller's; cwd NULL is this process's. What is found lands in the arena, or is borrowed from env. */
int session_place_find(const char *const *env, const char *cwd, struct arena *arena, struct session_place *ret_place, struct err *err);

#endif

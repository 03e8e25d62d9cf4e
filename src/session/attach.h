/*
 * attach.h: a terminal, or whatever the caller has, in front of a managed process that goes on without it.
 */
#ifndef COFFER_SESSION_ATTACH_H
#define COFFER_SESSION_ATTACH_H

#include "session/processes.h"

#include <signal.h>

enum { ATTACH_KEYS_MAX = 16, ATTACH_REPLAY_DEFAULT = 64 << 10, ATTACH_DETACHED = -1, ATTACH_UNKNOWN = 125 };

struct attachment {
	int input, output, errors; /* the caller's; -1: none */
	const char *detach_keys;   /* bytes that, typed one after the other, end the attachment; keys_n 0: none do */
	size_t detach_n;
	uint64_t replay_bytes;   /* so many of what there was are repeated at first */
	const sigset_t *signals; /* NULL, or blocked by the caller and taken here: SIGWINCH passes the size on, any other detaches */
	void (*on_attached)(void *context); /* or NULL */
	void *context;
};

struct attach_result {
	int status; /* ATTACH_DETACHED, or its exit status; ATTACH_UNKNOWN when nobody knows it, for it ended with its session or its keeper */
	uint64_t lost; /* bytes that went too fast */
	char name[PROCESS_ID_MAX];
};

/*
 * Until the process ends, or the caller detaches. Of one that is over already: what it wrote last. name NULL: the newest that runs, one with a terminal before one without. An input that is a terminal
 * is raw meanwhile, if the process has one.
 */
int attach_to(const struct session *session, const char *id, const char *name, const struct attachment *attachment,
              struct attach_result *ret_result, struct err *err);

/* Of typed bytes: how many of them are to be passed on is *n, where they are is returned; bytes of a sequence that is not whole yet are held back. */
struct attach_keys {
	const char *sequence;
	size_t n, matched;
};
/* Adds what is to be passed on. True: the sequence is whole, and what came after it is not looked at. */
bool attach_keys_take(struct attach_keys *keys, const char *bytes, size_t n, struct str *passed);

#endif

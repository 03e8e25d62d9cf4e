/*
 * loop.h: one thread, many sockets. Descriptors are watched edge-triggered, once and for all: who is told that there is something to read remembers
 * it until the kernel says otherwise. Waits have few lengths, so each length is a queue in order of time.
 */
#ifndef COFFER_EGRESS_LOOP_H
#define COFFER_EGRESS_LOOP_H

#include <stdbool.h>
#include <stdint.h>

/* Embedded in what waits. `ready` may be called once more in the same round after the descriptor was closed: what it is in must live until then. */
struct source {
	void (*ready)(struct source *source, uint32_t events);
};

struct wait {
	struct wait *next, *prev;
	uint64_t until_ms;
	void (*late)(struct wait *wait);
};
enum wait_kind { WAIT_SOON, WAIT_STEP, WAIT_IDLE, WAIT_HANDSHAKE, WAIT_VERDICT, WAIT_ANSWER, WAIT_KINDS };
enum {
	WAIT_SOON_MS = 500,
	WAIT_STEP_MS = 10000,
	WAIT_IDLE_MS = 60000,
	WAIT_HANDSHAKE_MS = 10000,
	WAIT_VERDICT_MS = 5000,
	WAIT_ANSWER_MS = 60000 /* perhaps a person's */
};

struct turn {
	struct turn *next;
	bool queued;
	void (*run)(struct turn *turn);
};

struct loop {
	int epoll;
	bool over;
	unsigned length_ms[WAIT_KINDS]; /* the constants above; may be changed before the first wait */
	uint64_t now_ms;
	struct wait queue[WAIT_KINDS];
	struct turn *turns, **turns_end;
};

int loop_init(struct loop *loop);
/* events: EPOLLIN, EPOLLOUT or both; edge-triggered. loop_unwatch ends it. */
int loop_watch(struct loop *loop, int fd, uint32_t events, struct source *source);
/*
 * Before a watched descriptor is closed: a lookup's child may have a copy of it for a moment, and as long as there is one the kernel goes on telling of
 * it. A process has one loop.
 */
void loop_unwatch(int fd);
/* Until loop->over. */
int loop_run(struct loop *loop);

/* Calls wait->late once, after the kind's time; a wait that is running already begins anew. */
void loop_wait(struct loop *loop, struct wait *wait, enum wait_kind kind);
void loop_forget(struct wait *wait);
static inline bool loop_is_waiting(const struct wait *wait)
{
	return wait->next;
}

/* Calls turn->run at the end of this round, after all that is ready now. */
void loop_queue(struct loop *loop, struct turn *turn);

#endif

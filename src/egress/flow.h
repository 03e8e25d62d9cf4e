/*
 * flow.h: bytes from one socket to another.
 *
 * What was read and cannot be written yet is held, and nothing more is read until it is gone: one read at most, and less when all
 * flows together hold much. A flow that turns out to be a stream goes through a pipe: splice moves pages and copies nothing. Pipes are lent by a
 * small pool, and given back when they are empty, so that idle tunnels hold neither pipes nor memory.
 */
#ifndef COFFER_EGRESS_FLOW_H
#define COFFER_EGRESS_FLOW_H

#include "egress/loop.h"
#include "egress/secure.h"

#include <stddef.h>
#include <sys/types.h>

struct conn;

/* One side of a connection. readable and writable are what the kernel said last. */
struct end {
	struct source source; /* first */
	struct conn *conn;
	int fd;
	bool readable, writable, ended; /* ended: it will send no more */
	struct secure *secure;          /* TLS, or NULL */
	bool is_hop;                    /* which is with a proxy on the way alone */
};

/* n > 0; 0 at the end; -EAGAIN, with `readable` off; any other negative errno: it is broken. */
ssize_t end_read(struct end *end, void *bytes, size_t n);
ssize_t end_write(struct end *end, const void *bytes, size_t n);
void end_finish(struct end *end); /* nothing more will be written */
void end_close(struct end *end);
/* Nothing has come since the last read, not even an end. */
bool end_is_quiet(struct end *end);
/* The socket itself, for TLS. */
ssize_t end_receive(struct end *end, void *bytes, size_t n);
ssize_t end_send(struct end *end, const void *bytes, size_t n);

enum { FLOW_READ_MAX = 64 << 10, FLOW_TURN_MAX = 2 << 20 };

struct flow {
	char *held; /* held[at..n) waits to be written */
	size_t at, n;
	int pipe[2]; /* 0: none */
	size_t in_pipe;
	uint64_t passed; /* bytes taken from the source */
	bool ended;      /* the source's end was passed on, or the sink is gone */
};

void flow_done(struct flow *flow);
/* True when nothing waits any more. A sink that is gone ends the flow. */
bool flow_flush(struct flow *flow, struct end *to);
/* Writes what can be written and holds the rest. Nothing may be in its pipe. */
void flow_send(struct flow *flow, struct end *to, const void *bytes, size_t n);
static inline bool flow_is_empty(const struct flow *flow)
{
	return flow->at == flow->n && flow->in_pipe == 0;
}

enum flow_result { FLOW_WAITS, FLOW_BUSY, FLOW_ENDED };
/* Moves what can be moved now. FLOW_BUSY: there is more, but it is others' turn. */
enum flow_result flow_move(struct flow *flow, struct end *from, struct end *to);

/* How much may be read at once into memory, so that all that is held stays within bounds. */
size_t flow_read_size(void);
/* Memory for what is read and goes on at once: FLOW_READ_MAX bytes, shared by all. */
char *flow_scratch(void);

#endif

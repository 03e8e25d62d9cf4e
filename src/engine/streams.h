/*
 * streams.h: the sandbox's standard streams, and how each is joined to the caller's.
 */
#ifndef COFFER_ENGINE_STREAMS_H
#define COFFER_ENGINE_STREAMS_H

#include "base/err.h"
#include "engine/engine.h"
#include "engine/relay.h"
#include "engine/terminal.h"

struct delivery {
	const struct engine_run_options *options;
	int stream;
};

struct streams {
	int child[3]; /* the launcher's ends; -1: `null` stands for it */
	int null;
	struct relay relay[3];
	struct delivery delivery[3];
	struct spill spill[2]; /* of standard output and error, where not all goes on */
	bool count_all;        /* output is counted even where the caller throws it away; set before streams_open */
};

void streams_init(struct streams *streams);

/*
 * Makes the launcher's three ends and starts the relays. A stream is /dev/null where the caller has that, or a closed descriptor, or
 * nothing to read from, and where a terminal will serve it. Standard output and error that lead to the same place share one
 * pipe, so that their order is kept; both count as standard output then.
 */
int streams_open(struct streams *streams, const struct engine_run_options *options, const struct terminal *terminal, struct err *err);
/* The launcher has its ends. */
void streams_close_child(struct streams *streams);
/* Starts the relays to and from the terminal's master. */
int streams_join_terminal(struct streams *streams, const struct engine_run_options *options, const struct terminal *terminal);
void streams_set_ceiling(struct streams *streams, uint64_t bytes);
void streams_done(struct streams *streams);

#endif

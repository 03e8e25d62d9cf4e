/*
 * report.h: what the launcher says during a run, as it comes over the socket.
 */
#ifndef COFFER_ENGINE_REPORT_H
#define COFFER_ENGINE_REPORT_H

#include "base/arena.h"
#include "engine/denial.h"
#include "engine/egress.h"
#include "engine/engine.h"
#include "plan/plan.h"

#include <stdbool.h>
#include <stdint.h>

struct report {
	const struct plan *plan;
	const struct engine_run_options *options;
	struct arena *arena;

	bool ended;  /* the peer's end has closed: every process of the sandbox is gone */
	bool failed; /* an operation failed: */
	uint32_t failed_op;
	int failed_errno;
	bool exited; /* the command ended: */
	int status;  /* as waitpid gives it */
	uint64_t user_us, system_us, maxrss_kib, processes_peak;
	bool serving; /* process 1 of a session waits for orders: */
	int root;     /* the sandbox's, O_PATH; -1 */
	int master;   /* of the sandbox's terminal, for whoever takes it; -1 */
	struct denial_log denials;
	unsigned asked;        /* sockets that init has been asked for and has not sent yet */
	struct egress *egress; /* where its listeners go and refusals come from; NULL: there is none, or no more */
};

void report_init(struct report *report, const struct plan *plan, const struct engine_run_options *options, struct arena *arena);
/* Reads what there is, without waiting and for a bounded number of messages. Tells DENIED on. */
void report_read(struct report *report, int socket);
/* The same from the egress filter. Not without one. Passes its wishes on. */
void report_read_egress(struct report *report, int socket);
void report_done(struct report *report);

#endif

/* outcome.h: from what was reported, watched and accounted to what happened. */
#ifndef COFFER_ENGINE_OUTCOME_H
#define COFFER_ENGINE_OUTCOME_H

#include "engine/prepare.h"
#include "engine/report.h"
#include "engine/streams.h"
#include "engine/watch.h"
#include "plan/outcome.h"
#include "sys/cgroup.h"
#include "sys/process.h"

/* What is known when a run is over. */
struct evidence {
	const struct watch *watch;
	const struct report *report;
	const struct prepared *prepared;
	const struct streams *streams;
	struct cgroup_usage usage; /* of the run's cgroups; all 0 without any */
	struct process_end launcher;
	uint64_t started_us;
};

/*
 * Returns 0 with *ret_outcome, or a negative errno with err when the sandbox could not be made. A command that could not be executed is an
 * outcome, 126 or 127 as in a shell, and err then says why all the same, with the code NOTFOUND or DENIED: for the caller to show.
 */
int outcome_make(const struct evidence *evidence, struct outcome *ret_outcome, struct err *err);

#endif

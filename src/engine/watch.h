/*
 * watch.h: the one loop of a run, from the launcher's start to the last byte.
 */
#ifndef COFFER_ENGINE_WATCH_H
#define COFFER_ENGINE_WATCH_H

#include "base/err.h"
#include "engine/engine.h"
#include "engine/prepare.h"
#include "engine/quota.h"
#include "engine/report.h"
#include "engine/spawn.h"
#include "engine/streams.h"
#include "engine/terminal.h"
#include "plan/outcome.h"
#include "sys/proc.h"

#include <stdbool.h>
#include <stdint.h>

struct watch {
	/* of the run */
	const struct engine_run_options *options;
	const struct prepared *prepared;
	struct launcher *launcher;
	struct streams *streams;
	struct terminal *terminal;
	struct report *report;

	/* of the loop; times on the monotonic clock, in µs, WATCH_NEVER for none */
	int control_fd;          /* -1 once it has ended */
	int signals;             /* -1: none are forwarded */
	uint64_t interrupted_at; /* SIGINT was forwarded first; 0: not yet */
	uint64_t end_at;         /* wall time is used up */
	uint64_t processor_at;   /* look at the processor time again */
	struct quota quota;      /* of a session it is the supervisor's to look at */
	uint64_t retry_at;       /* try a terminal again that was not ours to read */
	uint64_t force_at;       /* whoever does not go by himself is made to */
	uint64_t abandon_at;     /* nothing more can be done */
	bool gone;               /* everything inside is dead */

	/* the result */
	bool stopped; /* we ended the run, because of: */
	enum outcome_cause cause;
	struct proc_usage used; /* as procfs had it at that moment: of those who are killed nobody gets an account */
	uint64_t finished_us;   /* when the command had ended */
};

#define WATCH_NEVER UINT64_MAX

uint64_t watch_clock_us(void);

/* Fill the first six fields, then: */
int watch_begin(struct watch *watch, struct err *err);
/* Returns when everything inside is dead, what it wrote has been passed on or given up, and the caller's terminal is its own again. */
void watch(struct watch *watch);

#endif

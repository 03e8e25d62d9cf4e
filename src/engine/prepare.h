/*
 * prepare.h: the plan's PREPARE slice, done by the engine itself: cgroups, scratch directories, and what to watch for.
 */
#ifndef COFFER_ENGINE_PREPARE_H
#define COFFER_ENGINE_PREPARE_H

#include "base/arena.h"
#include "base/err.h"
#include "engine/egress.h"
#include "engine/engine.h"
#include "engine/journal.h"
#include "plan/plan.h"
#include "sys/cgroup.h"

#include <stdbool.h>
#include <stdint.h>

struct prepared_cgroup {
	enum cgroup_account account;
	const char *dir; /* in the plan */
};
VEC(struct prepared_cgroup, prepared_cgroup_vec)

struct prepared {
	uint64_t wall_ms, output_bytes, cpu_ms; /* UINT64_MAX: no ceiling */
	bool count_all;                         /* output counts even where nobody reads it */
	struct prepared_cgroup_vec cgroups;     /* that were made */
	struct inverse_vec inverses;            /* all of the plan's */
	size_t done;                            /* how many of them are due */
	struct journal journal;
	struct egress egress;
};

void prepared_init(struct prepared *prepared);

/* Writes the journal when there is something to undo, then does the operations in order. On failure call prepared_undo all the same. */
int prepare(const struct plan *plan, const struct engine_run_options *options, struct arena *arena, struct prepared *prepared,
            struct err *err);

/* Ends the egress filter and walks the inverses backwards. What cannot be undone stays in the journal, for gc. */
void prepared_undo(struct prepared *prepared);

/* Kills all that is in the run's cgroups. */
void prepared_kill(const struct prepared *prepared);
/* Stops all that is in them, or lets it go on. -EOPNOTSUPP: none of them can. */
int prepared_freeze(const struct prepared *prepared, bool freeze);
/* Gives back what memory of theirs can be had again. */
void prepared_reclaim(const struct prepared *prepared);
uint64_t prepared_memory(const struct prepared *prepared); /* in use, in bytes; 0: nobody knows */

#endif

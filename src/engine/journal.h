/*
 * journal.h: what a run has changed on the host, and how that is undone: at its end, or by whoever comes next when it had none.
 *
 * A journal is one small file, STATE_DIR/journal/RUN_ID, written before the first deed and removed after the last has been
 * undone. Its owner holds a lock on it: the kernel gives that up when the owner dies, however it dies, so a journal
 * that can be locked is nobody's. A run that changes nothing writes none.
 */
#ifndef COFFER_ENGINE_JOURNAL_H
#define COFFER_ENGINE_JOURNAL_H

#include "base/err.h"
#include "base/vec.h"
#include "plan/plan.h"

/* One deed to undo: PLAN_INVERSE_CGROUP_REMOVE or PLAN_INVERSE_REMOVE_TREE, and the absolute path. */
struct inverse {
	enum plan_inverse kind;
	const char *path;
};
VEC(struct inverse, inverse_vec)

struct journal {
	int dir, file; /* -1: no journal */
	const char *run_id;
};

/* Undoes one deed; 0 also when it was never done. */
int inverse_undo(const struct inverse *inverse);

/*
 * Opens STATE_DIR, making what is missing, clears away some of what the dead have left, and writes down the inverses. -EEXIST when a run
 * of this name is under way. On failure *ret_journal is as journal_init made it.
 */
void journal_init(struct journal *journal);
int journal_begin(const char *state_dir, const char *run_id, const struct inverse_vec *inverses, struct journal *ret_journal,
                  struct err *err);
/* Removes the journal, or with keep leaves it, unlocked, to the next run or gc. */
void journal_end(struct journal *journal, bool keep);

/* Walks the journals of the dead in an open journal directory, at most `most` files. Returns how many runs were undone. */
int journal_sweep(int dir, unsigned most);
/* Opens STATE_DIR/journal: -ENOENT when there is none, -EPERM when it is not this user's alone. */
int journal_open_dir(const char *state_dir, struct err *err);

#endif

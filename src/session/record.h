/*
 * record.h: the last runs that went wrong, kept for `coffer why`.
 *
 * A ring of at most 32 files, records/RUN.json below the state directory, each the JSON form of a summary. Writing the thirty-third
 * drops the oldest. Only remarkable runs are written, so a run that goes well touches no file.
 */
#ifndef COFFER_SESSION_RECORD_H
#define COFFER_SESSION_RECORD_H

#include "base/arena.h"
#include "base/err.h"

#include <stddef.h>

enum { RECORD_RING_MAX = 32 };

/* Keeps a summary's JSON text under the run's name; the file appears whole or not at all. */
int record_write(const char *state_dir, const char *run_id, const char *text, size_t n, struct err *err);

/* The text kept under a run's name or the unambiguous beginning of one; NULL: the newest. NOTFOUND tells what there is instead. */
int record_read(const char *state_dir, const char *run_id, struct arena *arena, const char **ret_text, size_t *ret_n, struct err *err);

#endif

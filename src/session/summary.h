/*
 * summary.h: a finished run as a value that can be shown, written down and read back.
 *
 * The JSON form is what `coffer run --json` gives and what records hold: the outcome's fields at the top, "denials", "receipt".
 */
#ifndef COFFER_SESSION_SUMMARY_H
#define COFFER_SESSION_SUMMARY_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"
#include "plan/outcome.h"
#include "session/receipt.h"

struct summary {
	const char *run_id;
	const char *cwd;
	struct text_vec command;
	uint64_t ended_s; /* since 1970 */
	struct outcome outcome;
	const char *message;           /* why the command could not be executed, or NULL */
	const struct receipt *receipt; /* NULL in a summary that was read back: its text has it */
};

enum { SUMMARY_BYTES_MAX = 2 << 20 };

void summary_print_json(const struct summary *summary, struct str *out);
/* {"path":…,"file_bytes":…}: what became of a stream of which not all was to be passed on. */
void summary_print_spill(const struct outcome_spill *spill, struct str *out);
/* For people, escaped: how the run ended, and each denial with its rule and remedy. */
void summary_print(const struct summary *summary, struct str *out);
/* The JSON form, but for the receipt. Unknown keys are skipped: a newer coffer may have written it. */
int summary_read(struct arena *arena, const char *document, size_t n, const char *source, struct summary *ret_summary, struct err *err);

/* Is there anything that `coffer why` could explain: a denial, or an end that was not the command's own? */
bool summary_is_remarkable(const struct summary *summary);

#endif

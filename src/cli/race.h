/* race.h: the candidates of `coffer race`, and how they are shown. */
#ifndef COFFER_CLI_RACE_H
#define COFFER_CLI_RACE_H

#include "base/str.h"
#include "cli/options.h"
#include "cli/trial.h"

enum { RACE_NAME_MAX = 80 };

enum candidate_state {
	CANDIDATE_WAITING,
	CANDIDATE_RUNNING,
	CANDIDATE_STOPPED, /* the race was decided before its end */
	CANDIDATE_BROKEN,  /* coffer failed: report->error */
	CANDIDATE_FAILED,  /* it does not qualify */
	CANDIDATE_QUALIFIED
};

struct candidate {
	unsigned number; /* from 1 */
	enum candidate_state state;
	struct trial trial;
	char name[RACE_NAME_MAX]; /* of its session, then of its workspace; "" when there is neither */
	bool has_left;            /* only its workspace is there */
	struct coffer_error error;
};

/* The better one first: those that qualify, by score where they have one, then by time. For qsort, over struct candidate. */
int candidate_compare(const void *a, const void *b);

/* Candidates in this order; the first is the winner if it qualified. `changed`: did that change anything? */
void race_print(const struct candidate *candidates, size_t n, struct str *out);
void race_print_json(const struct candidate *candidates, size_t n, bool changed, struct str *out);
/* What one has written, line by line, on standard error. */
void race_say_output(const struct candidate *candidate);

#endif

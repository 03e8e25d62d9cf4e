/*
 * api.h: what stands behind the opaque names of coffer.h. Private to src/api.
 *
 * The public values are the internal ones with an arena around them; nothing is decided here.
 */
#ifndef COFFER_API_API_H
#define COFFER_API_API_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"
#include "policy/policy.h"
#include "policy/schema.h"
#include "session/run.h"
#include "session/sessions.h"
#include "session/snapshots.h"
#include "session/spills.h"
#include "session/summary.h"
#include "session/view.h"
#include "session/workspaces.h"

#include <coffer.h>
#include <signal.h>

enum { API_ARENA_MAX = 64 << 20 };

struct coffer {
	struct session session;
};

VEC(struct coffer_error, api_error_vec)

struct coffer_policy {
	struct arena arena;
	struct policy policy;
	bool narrowed; /* a document or a profile has been taken: the next one only tightens */
	struct api_error_vec problems;
};

struct coffer_session {
	struct coffer *coffer;
	char name[SESSION_ID_MAX];
};

struct coffer_request {
	struct arena arena;
	struct coffer *coffer;
	bool tries;
	const struct input_workspace *view; /* of an apply's test; NULL */
	const char *session;                /* NULL: a sandbox of its own */
	uint64_t timeout_ms, output_bytes;  /* in a session; 0: its own */
	bool background;
	struct spills_want spill; /* most 0: all output is passed on */
	const struct coffer_policy *policy;
	const char *const *argv, *const *environment;
	const char *cwd;
	int streams[3];
	int input_fd; /* the memory file behind coffer_request_input, or -1 */
	int cancel_fd;
	int control_fd;
	int rules[2]; /* packets go in at 1: the run reads at 0 */
	unsigned terminal;
	sigset_t forward;
	bool forwards;
	coffer_event_function *on_event;
	void *context;
};

struct coffer_outcome {
	struct arena arena;
	struct summary summary;
	struct session_result result; /* what the receipt is made of; empty for a record */
	struct coffer_denial *denials;
	struct coffer_spill spill[2];
	const char *workspace;
	const char *recorded; /* the JSON text of a record, else NULL */
	size_t recorded_bytes;
};

/* Copies *err into *error, which may be NULL. Returns r, for `return api_fail(…)`. */
int api_fail(int r, const struct err *err, struct coffer_error *error);
int api_no_memory(struct coffer_error *error);

/* The field behind "limits.memory" or "/limits/memory"; NULL when there is none that lands in a policy. */
const struct policy_field *api_field(const char *name);
int api_no_field(const char *name, struct coffer_error *error);

/* Hands a finished text to the caller, or fails when the printing did. Empties s. */
int api_give_text(struct str *s, char **ret_text, struct coffer_error *error);

/* Fills the public form of a denial; its strings are borrowed. */
void api_denial(const struct denial *denial, struct coffer_denial *ret_denial);
/* Fills outcome->denials from its summary. 0 or -ENOMEM. */
int api_outcome_finish(struct coffer_outcome *outcome);

#endif

/*
 * apply.h: what a workspace changed, done to its base.
 *
 * First everything is looked at; if one change is in conflict or refused, nothing is done, and the findings say why. Then all contents are made ready in one hidden
 * directory of the base, and the journal is written: from there on an apply that was cut short is completed by the next one (or by
 * workspace_recover), and before that it is undone. Each file is exchanged for its new one in one step; what comes out is compared with what was looked at,
 * and if somebody wrote it in between it goes back.
 *
 * Set-id and sticky bits are not applied. Hard links of the host to a file that is replaced keep the old one. Owners stay; new files belong to who owns the
 * directory that they come into. What must not be on another file system than the base is refused.
 */
#ifndef COFFER_WORKSPACE_APPLY_H
#define COFFER_WORKSPACE_APPLY_H

#include "workspace/workspace.h"

/* Of a text file, only these hunks of its patch, counted from 1. */
struct apply_hunks {
	const char *path;
	const unsigned *numbers;
	size_t n;
};

struct apply_options {
	const char *const *paths; /* at or below these; none: all */
	size_t paths_n;
	const struct apply_hunks *hunks;
	size_t hunks_n;
	const char *const *allow; /* what may be applied at or below these though it is refused otherwise */
	size_t allow_n;
	/* Why the host would execute, or obey, what is at this path of the base; NULL when it would not. May be NULL. */
	const char *(*judge)(void *data, const char *path);
	void *judge_data;
	uint64_t max_file_bytes, max_total_bytes; /* 0: no limit */
	bool look_only;                           /* says what would be done */
	struct workspace *
	    *ret_preview; /* the same, and shows it: a workspace of its own, locked, the caller's to close and remove. May be NULL */
	bool no_sync;     /* safe against a killed process, not against a power cut */
	/* Told in front of everything that changes something; for tests. May be NULL. */
	void (*step)(void *data, const char *what);
	void *step_data;
};

enum apply_finding_kind {
	APPLY_NOTICE,   /* applied, and worth knowing */
	APPLY_LEFT,     /* cannot be applied, and is no reason to stop */
	APPLY_REFUSED,  /* would be applied if it were allowed by name */
	APPLY_CONFLICT, /* somebody else changed it */
	APPLY_FAILED,   /* the host said no */
};
struct apply_finding {
	enum apply_finding_kind kind;
	const char *path, *text;
};
VEC(struct apply_finding, apply_finding_vec)

struct apply_result {
	struct arena arena;
	struct apply_finding_vec findings;
	size_t written, removed, made; /* files and links; files, links and directories; directories */
	bool completed;                /* an earlier apply that had been cut short was completed first */
};
void apply_result_done(struct apply_result *result);
#define autoresult __attribute__((cleanup(apply_result_done)))

/* 0; BUSY for conflicts, DENIED for refusals, LIMIT and SETUP otherwise. *ret_result is filled in any case. Needs the lock. */
int workspace_apply(struct workspace *workspace, const struct apply_options *options, struct apply_result *ret_result, struct err *err);
/* Ends what an apply that was cut short has begun. Does nothing when none was. Needs the lock. */
int workspace_recover(struct workspace *workspace, struct apply_result *result, struct err *err);

#endif

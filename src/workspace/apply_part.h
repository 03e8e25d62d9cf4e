/* apply_part.h: what the files that make up apply.h share: the steps, and their journal. */
#ifndef COFFER_WORKSPACE_APPLY_PART_H
#define COFFER_WORKSPACE_APPLY_PART_H

#include "workspace/apply.h"
#include "workspace/seal.h"

/* In the order in which they are done. */
enum step_kind {
	STEP_CLEAR,     /* a file that a directory comes in place of */
	STEP_CLEAR_DIR, /* a directory that a file comes in place of */
	STEP_MAKE_DIR,
	STEP_WRITE, /* a file or link */
	STEP_REMOVE,
	STEP_REMOVE_DIR,
	STEP_FINISH_DIR, /* mode, times, attributes */
	STEP_KINDS_END
};

struct step {
	enum step_kind kind;
	const char *path;
	uint64_t number;            /* its name in the hidden directory */
	struct entry before, after; /* before: type, ino, size and mtime as looked at; after: as it will be, ino once it is ready */
	const char *target;         /* a link's text, as judged */
	const struct change *change;
	const struct apply_hunks *hunks;
};
VEC(struct step, step_vec)

struct apply {
	struct workspace *workspace;
	const struct apply_options *options;
	struct apply_result *result;
	struct changes changes;
	struct seals seals;
	struct step_vec steps;
	char hidden[WORKSPACE_ID_MAX + 16]; /* the directory's name */
	int ready;                          /* the directory */
	size_t blocking, conflicts;         /* findings that stop it */
	uint64_t total_bytes;
};

int apply_find(struct apply *apply, enum apply_finding_kind kind, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void apply_tell(const struct apply *apply, const char *what);

/* Fills steps and findings from the changes. */
int apply_plan(struct apply *apply, struct err *err);
/* Makes the contents ready and writes the journal; undoes that when it fails. */
int apply_ready(struct apply *apply, struct err *err);
/* Does the steps; each of them may have been done before. */
int apply_commit(struct apply *apply, struct err *err);

int journal_write(struct apply *apply, bool committed);
/* 0, -ENOENT when there is none, -EBADMSG. Fills hidden and, if it was committed, steps. */
int journal_read(struct apply *apply, bool *ret_committed);
int journal_remove(struct apply *apply);

#endif

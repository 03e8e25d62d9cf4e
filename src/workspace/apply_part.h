/* apply_part.h: what the files that make up apply.h share: the steps, and their journal. */
#ifndef COFFER_WORKSPACE_APPLY_PART_H
#define COFFER_WORKSPACE_APPLY_PART_H

#include "workspace/apply.h"
#include "workspace/seal.h"

#define APPLY_HIDDEN ".coffer-apply-"
enum { APPLY_TOKEN_MAX = 17, APPLY_NAME_MAX = 48, APPLY_HIDDEN_MAX = sizeof(APPLY_HIDDEN) + APPLY_TOKEN_MAX };

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
	uint64_t number; /* its name in the hidden directory */
	struct entry before,
	    after;   /* before: type, ino, size and mtime as looked at; after: as it will be, ino, size and mtime once it is ready */
	bool hashed; /* of what is ready */
	uint8_t hash[SHA256_BYTES];
	const char *target; /* a link's text, as judged */
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
	bool *wanted; /* which of the changes are to be applied */
	struct step_vec steps;
	struct entry_parent at;   /* the directory of the base in which the steps are */
	struct entry_parent from; /* the directory of a layer that contents come from */
	struct entry top, owner;  /* the base; the directory that what comes to be in `judged` belongs to */
	char judged[PATH_BYTES_MAX + 1];
	char hidden[APPLY_HIDDEN_MAX]; /* the directory's name */
	int ready;                     /* the directory */
	size_t blocking, conflicts;    /* findings that stop it */
	uint64_t total_bytes;
};

/*
 * The hidden directory is .coffer-apply-TOKEN, and what lies in it TOKEN.NUMBER. Nobody can have foreseen the token: whoever may write in the base too has
 * put nothing there before us; and if they put another directory in its place, nothing in that has such a name, and nothing of it is touched.
 */
int apply_hide(struct apply *apply);
void apply_name(const struct apply *apply, const struct step *step, char ret_name[static APPLY_NAME_MAX]);
/* Is this the name of such a directory? */
bool apply_is_hidden(const char *name);
/* Opens it. -ESTALE when it is somebody else's, who has put it in the place of ours. */
int apply_open_hidden(struct apply *apply);
/* Takes away what is ours in it, and it. What is not there is no failure. */
int apply_clear_hidden(struct apply *apply);

int apply_find(struct apply *apply, enum apply_finding_kind kind, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void apply_tell(const struct apply *apply, const char *what);

/* Fills steps and findings from the changes. */
int apply_plan(struct apply *apply, struct err *err);
/* Makes the contents ready and writes the journal; undoes that when it fails. */
int apply_ready(struct apply *apply, struct err *err);
/* Makes the content of one that writes. */
int apply_make_ready(struct apply *apply, struct step *step);
/* Makes a workspace, locked, that shows the base as it would be. */
int apply_preview(struct apply *apply, struct workspace **ret_child, struct err *err);
/* Does the steps; each of them may have been done before. */
int apply_commit(struct apply *apply, struct err *err);

int journal_write(struct apply *apply, bool committed);
/* 0, -ENOENT when there is none, -EBADMSG. Fills hidden and, if it was committed, steps. */
int journal_read(struct apply *apply, bool *ret_committed);
int journal_remove(struct apply *apply);

#endif

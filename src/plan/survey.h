/*
 * survey.h: what the paths that a policy names are on this host, as data.
 *
 * compile is pure: it asks its questions beforehand (compile_questions), engine/survey answers them
 * with openat2 and statx, and the answers travel as this value. Tests write one by hand.
 */
#ifndef COFFER_PLAN_SURVEY_H
#define COFFER_PLAN_SURVEY_H

#include "base/arena.h"
#include "base/err.h"
#include "base/vec.h"

#include <stdbool.h>
#include <stdint.h>

enum survey_kind { SURVEY_ABSENT, SURVEY_FILE, SURVEY_DIR, SURVEY_LINK, SURVEY_OTHER, SURVEY_UNREADABLE };

/*
 * One path. `real` is where it leads with every symbolic link resolved; for an absent path the real place of its
 * nearest existing ancestor plus the rest. kind, dev, ino, mode, uid, gid are of the end of the chain; `link` is the link's own text
 * when the path itself (its last component) is a symbolic link, else NULL. A loop or an unreadable ancestor is UNREADABLE with real == path.
 */
struct survey_entry {
	const char *path;
	const char *real;
	const char *link;
	enum survey_kind kind;
	uint64_t dev, ino;
	uint32_t mode, uid, gid;
	bool
	    keeps_owners; /* a try has shown that its file system's files cannot be shown with another owner. Nobody asks this beforehand */
};
VEC(struct survey_entry, survey_vec)

/* A question: one path, or a glob below a top with a depth. */
struct survey_question {
	const char *path;   /* normal; for a glob its literal top */
	const char *glob;   /* NULL, or the pattern (absolute, as base/glob matches it) */
	unsigned depth_max; /* for globs: how far below path the walk goes; 0 means the default of 16 */
	bool list;          /* answer the directory's direct entries as well (rung two's siblings, /) */
	bool skip_readonly; /* unused by the engine; for the asker */
};
VEC(struct survey_question, question_vec)

struct survey_match {
	const char *glob; /* the question's pattern */
	const char *path; /* an existing path that matches */
};
VEC(struct survey_match, match_vec)

struct survey {
	struct survey_vec entries; /* sorted by path after survey_finish, one an path */
	struct match_vec matches;  /* sorted by (glob, path); each match also has an entry */
	struct match_vec listings; /* glob is the directory, path an entry of it; each also has an entry */
	bool incomplete;           /* a walk hit its ceiling of entries: `incomplete_at` says where */
	const char *incomplete_at;
};

void survey_finish(struct survey *survey);                                             /* sorts; drops double entries */
const struct survey_entry *survey_find(const struct survey *survey, const char *path); /* NULL when not asked */

#endif

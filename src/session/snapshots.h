/*
 * snapshots.h: what the files of a session were, under a name, for other sessions to begin with.
 *
 * A snapshot is a directory, DATA_DIR/snapshots/NAME: a record, and all that differs from the session's base as one archive (docs/decisions/archives.md). It has no settings: what a
 * session may do its maker says. One that is on its way is called otherwise, and locked; it gets its name when it is whole and on the disk.
 */
#ifndef COFFER_SESSION_SNAPSHOTS_H
#define COFFER_SESSION_SNAPSHOTS_H

#include "session/sessions.h"

struct snapshot {
	const char *name;
	const char *fault;      /* why it is broken, or NULL */
	const char *session;    /* of which; NULL: imported */
	enum session_tree tree; /* COPY, EMPTY; what was imported is EMPTY */
	const char *path;       /* where it was inside; NULL: nobody says */
	const char *base;       /* COPY: the directory that it lies on */
	uint64_t created_s, bytes, files;
};
VEC(struct snapshot, snapshot_vec)

/* The session is paused while its tree is copied. BUSY where there is one of that name; POLICY for the host's own tree. */
int snapshots_create(const struct session *session, const char *id, const char *name, struct err *err);
/* From an archive by whomever, within the limits of all archives. */
int snapshots_import(const struct session *session, int from, const char *name, struct err *err);
/* As tar, packed with zstd. */
int snapshots_export(const struct session *session, const char *name, int to, struct err *err);
int snapshots_remove(const struct session *session, const char *name, struct err *err);
int snapshots_find(const struct session *session, const char *name, struct arena *arena, struct snapshot *ret_snapshot, struct err *err);
/* By name. */
int snapshots_list(const struct session *session, struct arena *arena, struct snapshot_vec *ret_list, struct err *err);
/* Puts its files into a workspace that has just been made. */
int snapshots_fill(const struct session *session, const char *name, struct workspace *workspace, struct err *err);
/* Removes what was cut short. */
int snapshots_gc(const struct session *session, struct err *err);

enum { SNAPSHOT_VERSION = 1 };
/* As it is kept in its record. */
void snapshots_print_one_json(const struct snapshot *snapshot, struct str *out);
void snapshots_print(const struct snapshot_vec *list, struct str *out);
void snapshots_print_json(const struct snapshot_vec *list, struct str *out);

#endif

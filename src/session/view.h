/*
 * view.h: a session's files, from outside.
 *
 * Below the directory where its commands start, and as its own user, whoever calls: what the sandbox could not reach, this does not reach for it. What runs there may
 * rename, link and replace everything at any moment (files/files.h). A path is relative to that directory, or absolute as the commands see it, and in it. The
 * session is in use as long as it is viewed; a stopped one's sandbox is made anew.
 */
#ifndef COFFER_SESSION_VIEW_H
#define COFFER_SESSION_VIEW_H

#include "base/path.h"
#include "session/archive.h"
#include "session/sessions.h"

struct session_view {
	struct live live; /* root: its file system's */
	int directory;    /* O_PATH */
	char workdir[PATH_BYTES_MAX + 1];
};

int view_open(const struct session *session, const char *id, const char *const *env, struct session_view *ret_view, struct err *err);
void view_close(struct session_view *view);
#define autoview __attribute__((cleanup(view_close)))

/* A regular file, open for reading. */
int view_open_file(const struct session_view *view, const char *path, int *ret_fd, struct err *err);

struct view_write {
	int from;           /* read to its end */
	int mode;           /* permissions, or VIEW_KEEP_MODE: of what is replaced, 0644 for a new one */
	bool append;        /* in one piece, of VIEW_APPEND_MAX at most; the file's own permissions stay */
	bool exclusive;     /* nothing may be there yet */
	bool sync;          /* it is on the disk when this returns */
	uint64_t bytes_max; /* 0: no ceiling */
};
enum { VIEW_KEEP_MODE = -1, VIEW_APPEND_MAX = 64 << 20 };
/* The file has the old content or the new one; directories above are made. */
int view_write(const struct session_view *view, const char *path, const struct view_write *what, struct err *err);

/* What is there: of a directory each entry, of anything else itself. JSON: an array, as the channel's file.list has it. Lines are escaped. */
int view_list(const struct session_view *view, const char *path, bool json, struct str *out, struct err *err);
/* Is it a directory, by whatever link? -ENOENT without err where there is nothing. */
int view_is_directory(const struct session_view *view, const char *path, bool *ret_is, struct err *err);

/* wish.root, uid and gid are found here. Of extract the directory is made when it is missing. */
int view_archive(const struct session_view *view, const char *path, struct archive_wish wish, struct archive_work *ret_work,
                 struct err *err);

/*
 * A file, or a directory with all that is in it, between the host (`outer`, as the caller) and the session. A directory that is there already is joined, a file or
 * a link replaced; a new directory on the host is there as a whole or not at all. Onto the host no link comes that would lead out of the directory: skipped.
 */
int view_copy_in(const struct session_view *view, const char *outer, const char *path, struct archive_report *ret_report, struct err *err);
int view_copy_out(const struct session_view *view, const char *path, const char *outer, struct archive_report *ret_report, struct err *err);

#endif

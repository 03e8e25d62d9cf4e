/*
 * watch.h: being told what changes below a directory (inotify), as it happens.
 *
 * Directories that are made are watched before their content is looked at, and what is in them by then is told as made: nothing is lost
 * and nothing is told twice. What changes faster than it is read ends in FILES_OVERFLOW: list again; the watch itself goes on, on
 * all that is there then. Links are not entered. Temporary names of this library (".coffer-" and 16 digits) are not told: a write through files_write is
 * FILES_CREATED, for the kernel does not say whether it replaced something.
 */
#ifndef COFFER_FILES_WATCH_H
#define COFFER_FILES_WATCH_H

#include "files/files.h"

enum files_change { FILES_CREATED, FILES_MODIFIED, FILES_DELETED, FILES_MOVED, FILES_OVERFLOW, FILES_GONE };
const char *files_change_name(enum files_change change); /* "create" "modify" "delete" "move" "overflow" "gone" */

struct files_event {
	enum files_change change;
	bool directory;
	const char *path; /* from the root on; "" for FILES_OVERFLOW and FILES_GONE (the watched directory itself) */
	const char *from; /* of FILES_MOVED: what it was called; what comes from or goes outside is created or deleted */
};

struct files_watch;

/*
 * Watches a directory, and with `recursive` all below it: at most files->entries_max directories, files->depth_max deep; more make it fail at once, and are told
 * as an overflow later on. files is copied, its root must stay open. NOTFOUND, LIMIT (fs.inotify.max_user_watches as well).
 */
int files_watch_open(const struct files *files, const char *path, bool recursive, struct files_watch **ret_watch, struct err *err);
void files_watch_close(struct files_watch **slot);   /* NULL is fine */
int files_watch_fd(const struct files_watch *watch); /* readable when there is something to take */
/*
 * The next change. 1 and *ret_event, whose texts live until the next call; 0 when timeout_ms (-1: never; 0 does not wait) passed without one. Negative: err.
 */
int files_watch_next(struct files_watch *watch, int timeout_ms, struct files_event *ret_event, struct err *err);

#endif

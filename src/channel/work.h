/*
 * work.h: the child that does what one request asks for.
 *
 * It has its request, a pipe for lines to the channel, and, where the method takes that, input and two streams; no other descriptor of the channel's. It may wait for
 * whatever it likes, and dies with the channel. A line is sent in one piece, with a letter in front that tells the channel what it is.
 */
#ifndef COFFER_CHANNEL_WORK_H
#define COFFER_CHANNEL_WORK_H

#include "base/err.h"
#include "base/path.h"
#include "base/str.h"
#include "channel/request.h"

#include <coffer.h>
#include <stdbool.h>

enum {
	WORK_RESULT_MAX = 16 << 20, /* of a line */
	WORK_DATA_MAX = 48 << 10,   /* bytes in one event */
	WORK_FILE_MAX = 64 << 20,   /* of a file, unless the request says otherwise */
};
enum { WORK_EVENT = 'e', WORK_STARTED = 's', WORK_RESULT = 'r', WORK_EXEC_RESULT = 'x' };

struct work {
	struct coffer *coffer;
	const struct request *request;
	const json_t *params;
	int lines;
	int input;                  /* or -1 */
	int streams[2];             /* of exec: standard output and error; with a terminal both are it, and so is input */
	const volatile bool *whole; /* set before input is closed, if that is its end */
};

/* Does it, tells the result or the error, and ends the process. */
_Noreturn void work_run(struct work *work);

/* An event: `members` are JSON members, or "". */
int work_tell(struct work *work, char letter, const char *event, const char *members, struct err *err);
int work_tell_data(struct work *work, const void *bytes, size_t n, struct err *err);
/* From an error of the library. Returns a negative errno. */
int work_failed(struct err *err, const struct coffer_error *error);
int work_no_memory(struct err *err);
/* The session that the request names; coffer_session_free frees it. */
int work_session(const struct work *work, struct coffer_session **ret_session, struct err *err);
/* A path that the request names: relative, though the library takes absolute ones, too (docs/PROTOCOL.md). */
int work_path(const struct work *work, const char *name, char ret_path[PATH_BYTES_MAX + 1], struct err *err);
/* Into the session, to work on its files as its own user would. Nothing goes back. */
struct files;
int work_enter(const struct work *work, struct files *ret_files, struct err *err);
/* All of what `data` and input bring, in a file in memory, at its beginning; *ret_n is its size. LIMIT with EFBIG beyond max. */
int work_take_input(struct work *work, const char *name, uint64_t max, int *ret_fd, uint64_t *ret_n, struct err *err);

/* Adds the object that tells an error. */
void work_add_error(struct str *out, const struct err *err);
/* "NAME=value", or "NAME" for null; NULL-terminated, by malloc, in one piece. NULL: no memory, or a name that cannot be. */
const char **work_environment(const json_t *params, const char *name);

int do_session_create(struct work *work, struct str *result, struct err *err);
int do_session_info(struct work *work, struct str *result, struct err *err);
int do_session_list(struct work *work, struct str *result, struct err *err);
int do_session_pause(struct work *work, struct str *result, struct err *err);
int do_session_resume(struct work *work, struct str *result, struct err *err);
int do_session_remove(struct work *work, struct str *result, struct err *err);
int do_session_fork(struct work *work, struct str *result, struct err *err);
int do_session_checkpoint(struct work *work, struct str *result, struct err *err);
int do_session_checkout(struct work *work, struct str *result, struct err *err);
int do_session_log(struct work *work, struct str *result, struct err *err);
int do_workspace_list(struct work *work, struct str *result, struct err *err);
int do_workspace_diff(struct work *work, struct str *result, struct err *err);
int do_workspace_apply(struct work *work, struct str *result, struct err *err);
int do_workspace_discard(struct work *work, struct str *result, struct err *err);
int do_exec(struct work *work, struct str *result, struct err *err);
int do_process_start(struct work *work, struct str *result, struct err *err);
int do_process_attach(struct work *work, struct str *result, struct err *err);
int do_process_list(struct work *work, struct str *result, struct err *err);
int do_process_info(struct work *work, struct str *result, struct err *err);
int do_process_wait(struct work *work, struct str *result, struct err *err);
int do_process_logs(struct work *work, struct str *result, struct err *err);
int do_process_stop(struct work *work, struct str *result, struct err *err);
int do_process_remove(struct work *work, struct str *result, struct err *err);
int do_file_read(struct work *work, struct str *result, struct err *err);
int do_file_write(struct work *work, struct str *result, struct err *err);
int do_file_append(struct work *work, struct str *result, struct err *err);
int do_file_stat(struct work *work, struct str *result, struct err *err);
int do_file_list(struct work *work, struct str *result, struct err *err);
int do_file_glob(struct work *work, struct str *result, struct err *err);
int do_file_grep(struct work *work, struct str *result, struct err *err);
int do_file_page(struct work *work, struct str *result, struct err *err);
int do_file_mkdir(struct work *work, struct str *result, struct err *err);
int do_file_move(struct work *work, struct str *result, struct err *err);
int do_file_copy(struct work *work, struct str *result, struct err *err);
int do_file_remove(struct work *work, struct str *result, struct err *err);
int do_file_watch(struct work *work, struct str *result, struct err *err);
int do_file_upload(struct work *work, struct str *result, struct err *err);
int do_file_download(struct work *work, struct str *result, struct err *err);
int do_port_list(struct work *work, struct str *result, struct err *err);
int do_port_wait(struct work *work, struct str *result, struct err *err);

#endif

#include "api/api.h"

#include "base/own.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int coffer_session_text(struct coffer_session *session, char **ret_text, struct coffer_error *error)
{
	struct err err = { 0 };
	struct arena arena;
	struct session_entry entry;
	autostr struct str text = { 0 };
	arena_init(&arena, API_ARENA_MAX);
	str_init(&text, API_ARENA_MAX);
	int r = api_fail(sessions_look(&session->coffer->session, session->name, &arena, &entry, &err), &err, error);
	if (r == 0) {
		sessions_print_one_json(&entry, &text);
		r = api_give_text(&text, ret_text, error);
	}
	arena_done(&arena);
	return r;
}

/* The sandbox may have put links there. */
static int open_inside(int root, const char *path)
{
	struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	long fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
	return fd < 0 ? -errno : (int)fd;
}

int coffer_session_room(struct coffer_session *session, uint64_t *ret_bytes, uint64_t *ret_files, struct coffer_error *error)
{
	struct err err = { 0 };
	struct quota_use room;
	struct live live;
	int r = sessions_connect(&session->coffer->session, session->name, (const char *const *)environ, true, &live, &err);
	if (r < 0)
		return api_fail(r, &err, error);
	room = quota_room(&live.template);
	live_close(&live);
	*ret_bytes = room.bytes;
	*ret_files = room.files;
	return 0;
}

int coffer_session_view_open(struct coffer_session *session, struct coffer_session_view *ret_view, struct coffer_error *error)
{
	struct err err = { 0 };
	struct arena arena;
	struct session_entry entry;
	struct live live;
	int directory = -1;
	arena_init(&arena, API_ARENA_MAX);
	int r = sessions_connect(&session->coffer->session, session->name, (const char *const *)environ, true, &live, &err);
	if (r < 0) {
		arena_done(&arena);
		return api_fail(r, &err, error);
	}
	r = sessions_look(&session->coffer->session, session->name, &arena, &entry, &err);
	if (r == 0)
		r = directory = open_inside(live.root, sessions_workdir(&entry));
	if (r < 0 && err.code == ERR_NONE)
		(void)err_set(&err, ERR_NOTFOUND, -r, "session %s: its directory %s: %s", session->name, sessions_workdir(&entry),
		              strerror(-r));
	arena_done(&arena);
	if (r >= 0) {
		*ret_view = (struct coffer_session_view){ .root = TAKE_FD(live.root),
			                                  .directory = directory,
			                                  .uid = live.hello.owner_uid,
			                                  .gid = live.hello.owner_gid,
			                                  .connection = TAKE_FD(live.socket) };
		r = 0;
	}
	live_close(&live);
	return api_fail(r, &err, error);
}

void coffer_session_view_close(struct coffer_session_view *view)
{
	own_close(&view->root);
	own_close(&view->directory);
	own_close(&view->connection);
}

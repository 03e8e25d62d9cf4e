/*
 * Theory of operation. Who makes a sandbox, at first or anew, holds the lock of the session's directory and hands it to the supervisor, which has it until
 * it dies, however it dies. So there is one supervisor at most, and a lock that can be had means that there is none.
 *
 *   no directory ──create──▶ running ◀──use──┐
 *                              │ killed       │
 *                              └──────▶ stopped ──rm, gc──▶ no directory
 *
 * A directory without a record is one whose making was cut short: nobody has been told of it, and gc takes it away.
 */
#include "session/sessions.h"

#include "base/own.h"
#include "session/birth.h"
#include "session/course.h"
#include "session/registry.h"
#include "sys/file.h"
#include "workspace/seal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LOCK_MS = 5000, LOCK_STEP_MS = 10, CUT_SHORT_S = 10, SESSION_ARENA_MAX = 16 << 20 };

static const char socket_name[] = REGISTRY_SOCKET;

static uint64_t now_s(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec;
}

/* ---- using one ---- */

/* Whoever is just making it holds the lock, and listens soon. */
static int connect_or_revive(const struct session *session, int dir, const char *id, const char *const *env, struct live *ret_live,
                             struct err *err)
{
	struct err why = { 0 };
	int r = 0;

	for (int waited = 0; waited < LOCK_MS; waited += LOCK_STEP_MS) {
		autofd int lock = -1;

		if (live_open(dir, socket_name, true, ret_live, &why) == 0)
			return 0;
		if (why.code != ERR_NOTFOUND)
			return err_set(err, why.code, why.errnum, "session %s: %s", id, why.text);
		lock = registry_lock(dir);
		if (lock >= 0)
			r = birth_revive(session, dir, id, env, lock, err);
		if (r < 0)
			return r;
		if (lock < 0)
			(void)poll(NULL, 0, LOCK_STEP_MS);
		err_clear(&why);
	}
	return err_set(err, ERR_BUSY, EBUSY, "session %s: it does not answer", id);
}

/* The directory of one. */
static int find(const struct session *session, const char *id, int *ret_top, struct err *err)
{
	autofd int top = registry_is_id(id) ? registry_open_top(session->data_dir, true, err) : -EINVAL;
	int dir = top < 0 ? top : registry_open(top, id, err);

	if (top == -EINVAL)
		return err_set(err, ERR_USAGE, EINVAL, "\"%s\" is no name of a session", id);
	if (dir >= 0 && ret_top)
		*ret_top = TAKE_FD(top);
	return dir;
}

int sessions_exists(const struct session *session, const char *id, struct err *err)
{
	autofd int dir = find(session, id, NULL, err);

	return dir < 0 ? dir : 0;
}

int sessions_connect(const struct session *session, const char *id, const char *const *env, bool revive, struct live *ret_live,
                     struct err *err)
{
	struct err why = { 0 };
	autofd int dir = find(session, id, NULL, err);
	int r;

	if (dir < 0)
		return dir;
	if (revive)
		return connect_or_revive(session, dir, id, env, ret_live, err);
	r = live_open(dir, socket_name, true, ret_live, &why);
	return r < 0 ? err_set(err, why.code, why.errnum, "session %s: %s", id, why.text) : 0;
}

int sessions_exec(const struct session *session, const struct live *live, const struct session_exec *exec, struct arena *arena,
                  struct session_result *ret_result, struct err *err)
{
	const struct session_request *request = exec->request;
	const struct compile_again again = { .argv = request->argv,
		                             .env = exec->env,
		                             .cwd = request->cwd,
		                             .terminal = request->terminal,
		                             .timeout_ms = exec->timeout_ms,
		                             .output_bytes = exec->output_bytes };
	struct engine_run_options options;
	struct course course;
	struct err own = { 0 };
	int r;

	err = err ? err : &own;
	if (course_begin(&course, session, request, arena) < 0)
		return err_set(err, ERR_USAGE, EINVAL, "there is no command to run");
	course.result.cwd = request->cwd;
	r = policy_init(&course.result.policy, arena) < 0 ? -ENOMEM : state_run_id(course.result.run_id, err);
	if (r == 0)
		r = compile_exec(&live->template, &again, arena, &course.result.plan, err);
	if (r < 0)
		return r;
	course_options(&course, &options);
	options.session = live->socket;
	options.background = exec->background;
	options.spill = exec->spill;
	r = engine_run(&course.result.plan, &options, arena, &course.result.outcome, err);
	return r < 0 ? r : course_finish(&course, ret_result, err);
}

/* ---- all of them ---- */

/* Its time was up, and its supervisor saw that or died before. */
static bool is_over(const struct session_entry *entry, int dir)
{
	struct stat st;

	if (entry->state != SESSION_STOPPED)
		return false;
	return (entry->ttl_ms && now_s() * 1000 >= entry->created_s * 1000 + entry->ttl_ms) ||
	       fstatat(dir, LIVE_ENDED, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Whether it lives its lock tells, and a file whether it is paused; only what else it has to say is asked. */
static void look_alive(int dir, struct session_entry *entry, bool asks)
{
	struct err ignored = { 0 };
	struct stat st;
	struct live live;

	if (!registry_is_held(dir))
		return;
	entry->state = fstatat(dir, LIVE_PAUSED_MARK, &st, AT_SYMLINK_NOFOLLOW) == 0 ? SESSION_PAUSED : SESSION_RUNNING;
	if (!asks || live_open(dir, socket_name, false, &live, &ignored) < 0)
		return;
	entry->live = live.hello;
	entry->state = live.hello.state == LIVE_PAUSED ? SESSION_PAUSED : SESSION_RUNNING;
	live_close(&live);
}

static void look(int top, struct session_entry *entry, bool asks, struct arena *arena)
{
	struct err why = { 0 };
	autofd int dir = registry_open(top, entry->id, &why);
	struct kept kept;

	entry->state = SESSION_BROKEN;
	if (dir >= 0 && registry_read(dir, entry->id, arena, &kept, &why) == 0) {
		*entry = kept.entry;
		entry->state = SESSION_STOPPED;
		look_alive(dir, entry, asks);
		entry->is_over = is_over(entry, dir);
		return;
	}
	entry->fault = arena_dup(arena, why.text);
}

int sessions_look(const struct session *session, const char *id, struct arena *arena, struct session_entry *ret_entry, struct err *err)
{
	const struct live_request state = { .type = LIVE_STATE };
	struct err absent = { 0 };
	int top = -1;
	autofd int dir = find(session, id, &top, err);
	autofd int owned = top;
	struct live live;

	if (dir < 0)
		return dir;
	*ret_entry = (struct session_entry){ .id = arena_dup(arena, id) };
	if (!ret_entry->id)
		return err_set(err, ERR_LIMIT, ENOMEM, "no memory for a session");
	look(owned, ret_entry, false, arena);
	if ((ret_entry->state != SESSION_RUNNING && ret_entry->state != SESSION_PAUSED) ||
	    live_open(dir, socket_name, false, &live, &absent) < 0)
		return 0;
	ret_entry->live = live.hello;
	(void)live_ask(&live, &state, &ret_entry->live, NULL);
	live_close(&live);
	return 0;
}

static int compare_entries(const void *a, const void *b)
{
	const struct session_entry *x = a, *y = b;

	return strcmp(x->id, y->id);
}

static int read_names(int top, struct arena *arena, struct session_entry_vec *entries)
{
	struct file_dir dir;
	const char *name;
	unsigned char type;
	int r;

	file_dir_init(&dir, top);
	while ((r = file_dir_next(&dir, &name, &type)) > 0) {
		struct session_entry *entry = registry_is_id(name) ? session_entry_vec_add(entries, arena) : NULL;

		if (!entry)
			continue;
		*entry = (struct session_entry){ .id = arena_dup(arena, name) };
		if (!entry->id)
			return -ENOMEM;
	}
	return r;
}

/* Who comes by takes them away. */
static void drop_those_over(const struct session *session, struct session_entry_vec *entries)
{
	size_t kept = 0;

	for (size_t i = 0; i < entries->n; i++) {
		struct err ignored = { 0 };

		if (entries->at[i].is_over)
			(void)sessions_remove(session, entries->at[i].id, &ignored);
		else
			entries->at[kept++] = entries->at[i];
	}
	entries->n = kept;
}

int sessions_list(const struct session *session, bool asks, struct arena *arena, struct session_entry_vec *ret_entries, struct err *err)
{
	struct err absent = { 0 };
	autofd int top = registry_open_top(session->data_dir, false, &absent);
	int r;

	*ret_entries = (struct session_entry_vec){ 0 };
	if (top < 0)
		return top == -ENOENT ? 0 : err_set(err, absent.code, absent.errnum, "%s", absent.text);
	r = read_names(top, arena, ret_entries);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s/sessions: %s", session->data_dir, strerror(-r));
	for (size_t i = 0; i < ret_entries->n; i++)
		look(top, &ret_entries->at[i], asks, arena);
	drop_those_over(session, ret_entries);
	if (ret_entries->n)
		qsort(ret_entries->at, ret_entries->n, sizeof(*ret_entries->at), compare_entries);
	return 0;
}

/* ---- the end of one ---- */

/* Its supervisor holds the lock until all is undone. */
static int wait_for_lock(int dir, const char *id, struct err *err)
{
	for (int waited = 0; waited < LOCK_MS; waited += LOCK_STEP_MS) {
		int lock = registry_lock(dir);

		if (lock != -EWOULDBLOCK)
			return lock >= 0 || lock == -ENOENT
			           ? lock
			           : err_set(err, ERR_SETUP, -lock, "session %s: its lock: %s", id, strerror(-lock));
		(void)poll(NULL, 0, LOCK_STEP_MS);
	}
	return err_set(err, ERR_BUSY, EBUSY, "session %s: it does not end", id);
}

static int stop(int dir, const char *id, struct err *err)
{
	const struct live_request end = { .type = LIVE_END };
	struct live_reply reply;
	struct err why = { 0 };
	struct live live;

	if (live_open(dir, socket_name, true, &live, &why) == 0) {
		(void)live_ask(&live, &end, &reply, NULL); /* its answer is the end of the connection */
		live_close(&live);
	} else if (why.code != ERR_NOTFOUND) {
		return err_set(err, why.code, why.errnum, "session %s: %s", id, why.text);
	}
	return 0;
}

int sessions_stop(const struct session *session, const char *id, struct err *err)
{
	autofd int dir = find(session, id, NULL, err);
	int r = dir < 0 ? dir : stop(dir, id, err);
	autofd int lock = r < 0 ? -1 : wait_for_lock(dir, id, err);

	return r < 0 ? r : lock < 0 && lock != -ENOENT ? lock : 0;
}

/* Its workspace, if that goes with it. A record that cannot be read names none: the workspace is seen in the list of workspaces then. */
static int remove_workspace(const struct session *session, int dir, const char *id, struct err *err)
{
	struct arena arena;
	struct kept kept;
	struct err ignored = { 0 };
	int r = 0;

	arena_init(&arena, SESSION_ARENA_MAX);
	if (registry_read(dir, id, &arena, &kept, &ignored) == 0 && kept.entry.workspace && !kept.entry.keeps_workspace)
		r = workspace_remove(session->data_dir, kept.entry.workspace, err);
	arena_done(&arena);
	return r == -ENOENT ? 0 : r;
}

/* What of it was proven to be as the base had it is so from now on; the rest counts as changed by others. */
static int seal_workspace(const struct session *session, int dir, const char *id, struct err *err)
{
	autoworkspace struct workspace *workspace = NULL;
	struct arena arena;
	struct kept kept;
	int r;

	arena_init(&arena, SESSION_ARENA_MAX);
	r = registry_read(dir, id, &arena, &kept, err);
	if (r == 0 && !kept.entry.workspace)
		r = err_set(err, ERR_POLICY, EINVAL, "session %s works in the host's own tree: there is no workspace to keep", id);
	if (r == 0)
		r = workspace_open(session->data_dir, kept.entry.workspace, &workspace, err);
	if (r == 0)
		r = workspace_lock(workspace, err);
	if (r == 0)
		r = workspace_seal(workspace, err);
	arena_done(&arena);
	return r;
}

static int end(const struct session *session, const char *id, int (*part)(const struct session *, int, const char *, struct err *),
               struct err *err)
{
	autofd int top = -1;
	autofd int dir = find(session, id, &top, err);
	int r = dir < 0 ? dir : stop(dir, id, err);

	if (r < 0)
		return r;

	autofd int lock = wait_for_lock(dir, id, err);

	if (lock < 0 && lock != -ENOENT)
		return lock;
	r = part(session, dir, id, err);
	if (r < 0)
		return r;
	r = file_remove_tree(top, id);
	return r < 0 && r != -ENOENT ? err_set(err, ERR_SETUP, -r, "session %s: %s", id, strerror(-r)) : 0;
}

int sessions_remove(const struct session *session, const char *id, struct err *err)
{
	return end(session, id, remove_workspace, err);
}

int sessions_leave(const struct session *session, const char *id, struct err *err)
{
	return end(session, id, seal_workspace, err);
}

/* A directory without a record, whose lock nobody holds: whoever was making it is dead. One that is very young may not have its lock yet. */
static bool is_cut_short(int dir)
{
	autofd int lock = -1;
	struct stat st;

	if (fstat(dir, &st) < 0 || (uint64_t)st.st_mtim.tv_sec + CUT_SHORT_S > now_s() || registry_has_record(dir))
		return false;
	lock = registry_lock(dir);
	return lock >= 0;
}

static int drop_cut_short(const struct session *session, const struct session_entry_vec *entries)
{
	struct err ignored = { 0 };
	autofd int top = registry_open_top(session->data_dir, false, &ignored);
	int n = 0;

	for (size_t i = 0; top >= 0 && i < entries->n; i++) {
		autofd int dir = entries->at[i].state == SESSION_BROKEN ? registry_open(top, entries->at[i].id, &ignored) : -1;

		n += dir >= 0 && is_cut_short(dir) && file_remove_tree(top, entries->at[i].id) == 0;
	}
	return n;
}

int sessions_gc(const struct session *session, struct err *err)
{
	struct session_entry_vec entries;
	struct arena arena;
	int r;

	arena_init(&arena, SESSION_ARENA_MAX);
	r = sessions_list(session, false, &arena, &entries, err);
	if (r == 0)
		r = drop_cut_short(session, &entries);
	arena_done(&arena);
	return r;
}

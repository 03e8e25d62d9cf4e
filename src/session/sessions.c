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

#include "base/json.h"
#include "base/own.h"
#include "base/path.h"
#include "policy/print.h"
#include "policy/read.h"
#include "session/course.h"
#include "session/registry.h"
#include "sys/file.h"

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

enum { LOCK_MS = 5000, LOCK_STEP_MS = 10, SESSION_ARENA_MAX = 16 << 20 };

static const char socket_name[] = "socket", lock_name[] = "lock";

static uint64_t now_s(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec;
}

/* ---- the lock ---- */

/* -EWOULDBLOCK: somebody has it. */
static int try_lock(int dir)
{
	const struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	autofd int lock = openat(dir, lock_name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (lock < 0 || fcntl(lock, F_OFD_SETLK, &whole) < 0)
		return errno == EACCES ? -EWOULDBLOCK : -errno;
	return TAKE_FD(lock);
}

/* ---- making one ---- */

static int make_policy_text(const struct policy *policy, struct arena *arena, struct kept *kept, struct err *err)
{
	autostr struct str text = { 0 };

	str_init(&text, JSON_DOCUMENT_MAX / 2);
	policy_print_json(policy, &text);
	kept->settings = text.failed ? NULL : arena_dup(arena, text.text);
	if (!kept->settings)
		return err_set(err, ERR_LIMIT, ENOMEM, "no memory for the session's record");
	kept->has_secrets = strstr(kept->settings, "•••") != NULL;
	return 0;
}

/* Its files, from the birth of its sandbox on. */
struct cradle {
	const struct session *session;
	int dir;
	const char *path; /* of dir */
	struct arena *arena;
	struct course_birth birth;
};

/* Whoever may write above it can have put a link in its place since, and what it leads to would be what the session writes. */
static int check_place(const struct course *course, const struct kept *kept, struct err *err)
{
	const char *was = kept->entry.cwd, *is = course->result.cwd;

	if (!was || strcmp(was, is) == 0)
		return 0;
	return err_set(err, ERR_DENIED, ELOOP,
	               "session %s: its directory %s leads to %s by now: put the directory back, or make another session", kept->entry.id,
	               was, is);
}

static int start_sandbox(struct cradle *cradle, const struct session_request *request, const struct kept *kept, struct course *ret_course,
                         struct err *err)
{
	struct course *course = ret_course;
	int r;

	if (course_begin(course, cradle->session, request, cradle->arena) < 0)
		return err_set(err, ERR_USAGE, EINVAL, "there is no command");
	course->inputs.kind = COMPILE_SESSION;
	course->birth = &cradle->birth;
	cradle->birth.start.ttl_ms = kept->entry.ttl_ms;
	cradle->birth.start.idle_ms = kept->entry.idle_ms;
	if (strlen(cradle->path) >= LIVE_PATH_MAX)
		return err_set(err, ERR_LIMIT, ENAMETOOLONG, "%s: too long", cradle->path);
	memcpy(cradle->birth.start.remove[0], cradle->path, strlen(cradle->path) + 1);
	cradle->birth.listener = live_listen(cradle->dir, socket_name);
	if (cradle->birth.listener < 0)
		return err_set(err, ERR_SETUP, -cradle->birth.listener, "%s/%s: %s", cradle->path, socket_name,
		               strerror(-cradle->birth.listener));
	r = state_run_id(course->result.run_id, err);
	if (r == 0)
		r = state_dir_make(cradle->session->state_dir, err);
	if (r == 0)
		r = course_gather(course, err);
	if (r == 0)
		r = check_place(course, kept, err);
	if (r == 0)
		r = course_plan(course, err);
	if (r == 0)
		r = course_carry_out(course, err);
	own_close(&cradle->birth.listener);
	return r;
}

static int fill(struct cradle *cradle, const struct session_request *request, const struct session_birth *birth, struct kept *kept,
                struct err *err)
{
	struct course course;
	int r;

	kept->entry.ttl_ms = birth->ttl_ms;
	kept->entry.idle_ms = birth->idle_ms;
	kept->entry.labels = birth->labels ? birth->labels : "{}";
	kept->entry.created_s = now_s();
	r = start_sandbox(cradle, request, kept, &course, err);
	if (r < 0)
		return r;
	kept->entry.cwd = course.result.cwd;
	kept->home = course.inputs.home;
	r = make_policy_text(&course.result.policy, cradle->arena, kept, err);
	return r < 0 ? r : registry_write(cradle->dir, kept, err);
}

static int random_id(struct arena *arena, const char **ret_id, struct err *err)
{
	char id[STATE_RUN_ID_MAX];
	int r = state_run_id(id, err);

	if (r == 0)
		*ret_id = arena_dup(arena, id);
	return r < 0 ? r : *ret_id ? 0 : err_set(err, ERR_LIMIT, ENOMEM, "no memory for a name");
}

static int make_dir(int top, const char *id, struct err *err)
{
	if (!registry_is_id(id))
		return err_set(
		    err, ERR_USAGE, EINVAL,
		    "\"%s\" is no name for a session: lower-case letters, digits, \"_\", \".\" and \"-\", at most 63, the first a "
		    "letter or a digit",
		    id);
	if (mkdirat(top, id, 0700) < 0)
		return err_set(err, errno == EEXIST ? ERR_BUSY : ERR_SETUP, errno, "session %s: %s", id,
		               errno == EEXIST ? "there is one of this name already" : strerror(errno));
	return 0;
}

int sessions_create(const struct session *session, const struct session_request *request, const struct session_birth *birth,
                    struct arena *arena, struct session_entry *ret_entry, struct err *err)
{
	struct cradle cradle = { .session = session, .arena = arena, .dir = -1, .birth = { .listener = -1, .lock = -1 } };
	struct kept kept = { .entry = { .id = birth->id } };
	autofd int top = registry_open_top(session->data_dir, true, err);
	int r = top < 0 ? top : birth->id ? 0 : random_id(arena, &kept.entry.id, err);

	if (r == 0)
		r = make_dir(top, kept.entry.id, err);
	if (r < 0)
		return r;
	cradle.path = arena_printf(arena, "%s/sessions/%s", session->data_dir, kept.entry.id);

	autofd int dir = registry_open(top, kept.entry.id, err);
	autofd int lock = dir < 0 ? dir : try_lock(dir);

	cradle.dir = dir;
	cradle.birth.lock = lock;
	r = lock < 0 ? err_set(err, ERR_SETUP, -lock, "session %s: its lock: %s", kept.entry.id, strerror(-lock)) : 0;
	if (r == 0)
		r = cradle.path ? fill(&cradle, request, birth, &kept, err) : -ENOMEM;
	if (r < 0) {
		(void)file_remove_tree(top, kept.entry.id);
		return r;
	}
	*ret_entry = kept.entry;
	return 0;
}

/* ---- making one anew ---- */

static int revive(const struct session *session, int dir, const char *id, const char *const *env, int lock, struct err *err)
{
	static const char *const nothing[] = { "true", NULL };
	struct arena arena;
	struct kept kept;
	struct policy policy;
	struct course course;
	int r;

	arena_init(&arena, SESSION_ARENA_MAX);
	r = policy_init(&policy, &arena) < 0 ? -ENOMEM : registry_read(dir, id, &arena, &kept, err);
	if (r == 0 && kept.has_secrets)
		r = err_set(
		    err, ERR_NOTFOUND, ENOKEY,
		    "session %s: its sandbox is gone, and cannot be made anew: its settings hold secrets, which are not written down", id);

	struct policy_document document = {
		.text = r == 0 ? kept.settings : "", .n = r == 0 ? strlen(kept.settings) : 0, .source = "record", .dialect = POLICY_COFFER
	};
	struct cradle cradle = { .session = session, .dir = dir, .arena = &arena, .birth = { .listener = -1, .lock = lock } };
	struct session_request request = { .policy = &policy,
		                           .argv = nothing,
		                           .env = env,
		                           .cwd = r == 0 ? kept.entry.cwd : NULL,
		                           .stdin_fd = -1,
		                           .stdout_fd = -1,
		                           .stderr_fd = -1,
		                           .cancel_fd = -1,
		                           .control_fd = -1,
		                           .rules_fd = -1 };

	if (r == 0)
		r = policy_read(&policy, &arena, &document, NULL, err);
	cradle.path = arena_printf(&arena, "%s/sessions/%s", session->data_dir, id);
	if (r == 0)
		r = cradle.path ? start_sandbox(&cradle, &request, &kept, &course, err) : -ENOMEM;
	arena_done(&arena);
	return r;
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

		if (live_open(dir, socket_name, ret_live, &why) == 0)
			return 0;
		if (why.code != ERR_NOTFOUND)
			return err_set(err, why.code, why.errnum, "session %s: %s", id, why.text);
		lock = try_lock(dir);
		if (lock >= 0)
			r = revive(session, dir, id, env, lock, err);
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
	r = live_open(dir, socket_name, ret_live, &why);
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
	r = engine_run(&course.result.plan, &options, arena, &course.result.outcome, err);
	return r < 0 ? r : course_finish(&course, ret_result, err);
}

/* ---- all of them ---- */

static void look(int top, struct session_entry *entry, struct arena *arena)
{
	struct err why = { 0 };
	autofd int dir = registry_open(top, entry->id, &why);
	struct kept kept;
	struct live live;

	entry->state = SESSION_BROKEN;
	if (dir >= 0 && registry_read(dir, entry->id, arena, &kept, &why) == 0) {
		*entry = kept.entry;
		entry->state = SESSION_STOPPED;
		if (live_open(dir, socket_name, &live, &why) == 0) {
			entry->live = live.hello;
			entry->state = live.hello.state == LIVE_PAUSED ? SESSION_PAUSED : SESSION_RUNNING;
			live_close(&live);
		}
		return;
	}
	entry->fault = arena_dup(arena, why.text);
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

int sessions_list(const struct session *session, struct arena *arena, struct session_entry_vec *ret_entries, struct err *err)
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
		look(top, &ret_entries->at[i], arena);
	if (ret_entries->n)
		qsort(ret_entries->at, ret_entries->n, sizeof(*ret_entries->at), compare_entries);
	return 0;
}

/* ---- the end of one ---- */

/* Its supervisor holds the lock until all is undone. */
static int wait_for_lock(int dir, const char *id, struct err *err)
{
	for (int waited = 0; waited < LOCK_MS; waited += LOCK_STEP_MS) {
		int lock = try_lock(dir);

		if (lock >= 0 || lock != -EWOULDBLOCK)
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

	if (live_open(dir, socket_name, &live, &why) == 0) {
		(void)live_ask(&live, &end, &reply, NULL); /* its answer is the end of the connection */
		live_close(&live);
	} else if (why.code != ERR_NOTFOUND) {
		return err_set(err, why.code, why.errnum, "session %s: %s", id, why.text);
	}
	return 0;
}

int sessions_remove(const struct session *session, const char *id, struct err *err)
{
	autofd int top = -1;
	autofd int dir = find(session, id, &top, err);
	int r = dir < 0 ? dir : stop(dir, id, err);

	if (r < 0)
		return r;

	autofd int lock = wait_for_lock(dir, id, err);

	if (lock < 0 && lock != -ENOENT)
		return lock;
	r = file_remove_tree(top, id);
	return r < 0 && r != -ENOENT ? err_set(err, ERR_SETUP, -r, "session %s: %s", id, strerror(-r)) : 0;
}

static bool is_over(const struct session_entry *entry)
{
	return entry->state == SESSION_STOPPED && entry->ttl_ms && now_s() * 1000 >= entry->created_s * 1000 + entry->ttl_ms;
}

int sessions_gc(const struct session *session, struct err *err)
{
	struct session_entry_vec entries;
	struct arena arena;
	int r, n = 0;

	arena_init(&arena, SESSION_ARENA_MAX);
	r = sessions_list(session, &arena, &entries, err);
	for (size_t i = 0; r == 0 && i < entries.n; i++) {
		if (!is_over(&entries.at[i]))
			continue;
		r = sessions_remove(session, entries.at[i].id, err);
		n += r == 0;
	}
	arena_done(&arena);
	return r < 0 ? r : n;
}

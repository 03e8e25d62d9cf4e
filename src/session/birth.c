/*
 * Theory of operation. A session's files come first, then its workspace, then its sandbox, then its record: what is cut short has no record, and gc takes
 * it away. Whoever makes a sandbox holds the lock of the session's directory and hands it to the supervisor, which has it until it dies, however it dies; the
 * workspace's lock goes the same way.
 */
#include "session/birth.h"

#include "base/json.h"
#include "base/own.h"
#include "base/path.h"
#include "policy/print.h"
#include "policy/read.h"
#include "session/course.h"
#include "session/place.h"
#include "session/snapshots.h"
#include "session/workspaces.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { REVIVE_ARENA_MAX = 16 << 20 };

#define WORKSPACE_PATH "/workspace"

/* A session on its way. */
struct cradle {
	const struct session *session;
	struct arena *arena;
	int dir;
	const char *path; /* of dir */
	struct course_birth birth;
	struct kept kept;
	struct workspace *workspace; /* NULL: the tree is the host's */
	bool wants_stage;
	bool fresh_snapshot; /* the workspace is new, and holds a snapshot */
	struct input_workspace input;
	struct session_request request; /* as it is planned: */
	struct policy policy;
	const char *was; /* its directory, of one that is made anew */
};

static uint64_t now_s(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec;
}

/* ---- its tree ---- */

static int make_workspace(struct cradle *c, const struct session_birth *birth, const char *cwd, struct err *err)
{
	struct session_entry *entry = &c->kept.entry;

	entry->path = birth->tree == SESSION_TREE_COPY ? cwd : birth->path ? birth->path : WORKSPACE_PATH;
	entry->workspace = birth->workspace ? birth->workspace : entry->id; /* one of its own has its name */
	entry->keeps_workspace = birth->workspace;
	if (!path_is_normal(entry->path) || !entry->path[1])
		return err_set(err, ERR_USAGE, EINVAL, "\"%s\" is no place for a workspace: an absolute path other than /", entry->path);
	if (entry->keeps_workspace && workspace_open(c->session->data_dir, entry->workspace, &c->workspace, NULL) == 0)
		return birth->snapshot ? err_set(err, ERR_BUSY, EEXIST,
		                                 "workspace %s is there already, and a snapshot begins a new one: leave one of the two out",
		                                 entry->workspace)
		                       : workspace_lock(c->workspace, err);
	int r = workspaces_create(c->session, birth->tree == SESSION_TREE_COPY ? cwd : NULL, entry->workspace, c->wants_stage,
	                          &c->workspace, err);

	c->fresh_snapshot = r == 0 && birth->snapshot;
	return c->fresh_snapshot ? snapshots_fill(c->session, birth->snapshot, c->workspace, err) : r;
}

/* What the caller does not say, the snapshot does; but never which directory of the host's is shown. */
static int choose_tree(const struct cradle *c, const char *cwd, struct session_birth *birth, struct err *err)
{
	struct snapshot snapshot;
	int r = snapshots_find(c->session, birth->snapshot, c->arena, &snapshot, err);

	if (r < 0 || birth->tree != SESSION_TREE_HOST)
		return r;
	if (snapshot.tree == SESSION_TREE_COPY && strcmp(snapshot.base, cwd) != 0)
		return err_set(err, ERR_USAGE, EINVAL, "snapshot %s lies on %s: go there, or say --copy to lay it on %s", snapshot.name,
		               snapshot.base, cwd);
	birth->tree = snapshot.tree;
	birth->path = snapshot.tree == SESSION_TREE_EMPTY ? snapshot.path : NULL;
	return 0;
}

static int make_tree(struct cradle *c, const struct session_request *request, const struct session_birth *birth, struct err *err)
{
	struct session_birth chosen = *birth;
	struct session_place place;
	int r = session_place_find(request->env, request->cwd, c->arena, &place, err);

	if (r == 0 && birth->snapshot)
		r = choose_tree(c, place.cwd, &chosen, err);
	c->kept.entry.tree = chosen.tree;
	c->kept.entry.history = birth->history;
	if (r == 0 && birth->history && chosen.tree == SESSION_TREE_HOST)
		return err_set(err, ERR_USAGE, EINVAL,
		               "a session that works in the host's own tree has no history: make it with --copy, or --empty");
	if (r < 0 || chosen.tree == SESSION_TREE_HOST || c->workspace)
		return r;
	return make_workspace(c, &chosen, place.cwd, err);
}

static void drop_tree(struct cradle *c)
{
	struct err ignored = { 0 };

	if (!c->workspace)
		return;
	workspace_close(c->workspace);
	c->workspace = NULL;
	/* of a kept one only what this made, and could not fill */
	if (!c->kept.entry.keeps_workspace || c->fresh_snapshot)
		(void)workspace_remove(c->session->data_dir, c->kept.entry.workspace, &ignored);
}

/* Where commands work is the workspace's path, whatever the policy says. */
static int show_workspace(struct cradle *c, const struct session_request *request, struct err *err)
{
	c->request = *request;
	c->birth.tree = c->workspace ? c->workspace->lock : c->birth.lock;
	c->birth.start.keeps = c->workspace;
	if (!c->workspace)
		return 0;
	c->policy = *request->policy;
	c->policy.workspace.text = c->kept.entry.path;
	c->request.policy = &c->policy;
	c->request.workspace = &c->input;
	return workspaces_input(c->workspace, c->kept.entry.path, c->arena, &c->input, err);
}

/* ---- its sandbox ---- */

static int listen_for_clients(struct cradle *c, struct err *err)
{
	if (!c->path || strlen(c->path) >= LIVE_PATH_MAX)
		return err_set(err, ERR_LIMIT, ENAMETOOLONG, "the session's directory has too long a name");
	memcpy(c->birth.start.dir, c->path, strlen(c->path) + 1);
	c->birth.start.ttl_ms = c->kept.entry.ttl_ms;
	c->birth.start.idle_ms = c->kept.entry.idle_ms;
	c->birth.listener = live_listen(c->dir, REGISTRY_SOCKET);
	if (c->birth.listener < 0)
		return err_set(err, ERR_SETUP, -c->birth.listener, "%s/%s: %s", c->path, REGISTRY_SOCKET, strerror(-c->birth.listener));
	return 0;
}

/* Whoever may write above it can have put a link in its place since, and what it leads to would be what the session writes. */
static int check_place(const struct cradle *c, const struct course *course, struct err *err)
{
	const char *is = course->result.cwd;

	if (!c->was || strcmp(c->was, is) == 0)
		return 0;
	return err_set(err, ERR_DENIED, ELOOP,
	               "session %s: its directory %s leads to %s by now: put the directory back, or make another session", c->kept.entry.id,
	               c->was, is);
}

static int start_sandbox(struct cradle *c, const struct session_request *request, struct course *course, struct err *err)
{
	int r = show_workspace(c, request, err);

	if (r == 0)
		r = listen_for_clients(c, err);
	if (r < 0)
		return r;
	(void)course_begin(course, c->session, &c->request, c->arena);
	course->inputs.kind = COMPILE_SESSION;
	course->birth = &c->birth;
	r = state_run_id(course->result.run_id, err);
	if (r == 0)
		r = state_dir_make(c->session->state_dir, err);
	if (r == 0)
		r = course_gather(course, err);
	if (r == 0)
		r = check_place(c, course, err);
	if (r == 0)
		r = course_plan(course, err);
	if (r == 0)
		r = course_carry_out(course, err);
	own_close(&c->birth.listener);
	return r;
}

static int start_in_tree(struct cradle *c, const struct session_request *request, const struct session_birth *birth, struct course *course,
                         struct err *err)
{
	int r = make_tree(c, request, birth, err);

	return r < 0 ? r : start_sandbox(c, request, course, err);
}

/* ---- at first ---- */

static int keep_policy(struct cradle *c, const struct policy *policy, struct err *err)
{
	autostr struct str text = { 0 };

	str_init(&text, JSON_DOCUMENT_MAX / 2);
	policy_print_json(policy, &text);
	c->kept.settings = text.failed ? NULL : arena_dup(c->arena, text.text);
	if (!c->kept.settings)
		return err_set(err, ERR_LIMIT, ENOMEM, "no memory for the session's record");
	c->kept.has_secrets = strstr(c->kept.settings, "•••") != NULL;
	return 0;
}

static int fill(struct cradle *c, const struct session_request *request, const struct session_birth *birth, struct err *err)
{
	struct course course;
	int r;

	c->kept.entry.ttl_ms = birth->ttl_ms;
	c->kept.entry.idle_ms = birth->idle_ms;
	c->kept.entry.labels = birth->labels ? birth->labels : "{}";
	c->kept.entry.created_s = now_s();
	r = start_in_tree(c, request, birth, &course, err);
	if (r < 0 && session_wants_stage(err) && (!c->kept.entry.keeps_workspace || c->fresh_snapshot)) {
		err_clear(err);
		drop_tree(c);
		c->wants_stage = true;
		r = start_in_tree(c, request, birth, &course, err);
	}
	if (r < 0)
		return r;
	c->kept.entry.cwd = course.result.cwd;
	c->kept.home = course.inputs.home;
	r = keep_policy(c, &course.result.policy, err);
	return r < 0 ? r : registry_write(c->dir, &c->kept, err);
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

static int make_in(struct cradle *c, int top, const struct session_request *request, const struct session_birth *birth, struct err *err)
{
	const char *id = c->kept.entry.id;
	autofd int dir = registry_open(top, id, err);
	autofd int lock = dir < 0 ? dir : registry_lock(dir);

	c->dir = dir;
	c->birth.lock = lock;
	if (dir >= 0 && lock < 0)
		return err_set(err, ERR_SETUP, -lock, "session %s: its lock: %s", id, strerror(-lock));
	return lock < 0 ? lock : fill(c, request, birth, err);
}

int sessions_create(const struct session *session, const struct session_request *request, const struct session_birth *birth,
                    struct arena *arena, struct session_entry *ret_entry, struct err *err)
{
	struct cradle c = { .session = session, .arena = arena, .dir = -1, .birth = { .listener = -1, .lock = -1 } };
	const struct birth_parent *parent = birth->parent;
	struct err own = { 0 };
	autofd int top = registry_open_top(session->data_dir, true, err);
	int r;

	err = err ? err : &own; /* the stage instead of an overlay reads it */
	if (parent) {
		c.kept = *parent->kept;
		c.workspace = parent->workspace;
		c.kept.entry.workspace = arena_dup(arena, parent->workspace->record.id);
		c.kept.entry.keeps_workspace = !c.kept.entry.workspace; /* then nothing is removed */
	}
	c.kept.entry.id = birth->id;
	r = top < 0 ? top : birth->id ? 0 : random_id(arena, &c.kept.entry.id, err);
	if (r == 0 && c.kept.entry.id)
		r = make_dir(top, c.kept.entry.id, err);
	if (r < 0) {
		drop_tree(&c);
		return r;
	}
	c.path = arena_printf(arena, "%s/sessions/%s", session->data_dir, c.kept.entry.id);
	r = make_in(&c, top, request, birth, err);
	if (r < 0) {
		drop_tree(&c);
		(void)file_remove_tree(top, c.kept.entry.id);
		return r;
	}
	workspace_close(c.workspace);
	*ret_entry = c.kept.entry;
	return 0;
}

/* ---- anew ---- */

int birth_policy(const struct kept *kept, struct arena *arena, struct policy *ret_policy, struct err *err)
{
	const struct policy_document document = {
		.text = kept->settings, .n = strlen(kept->settings), .source = "record", .dialect = POLICY_COFFER
	};

	if (kept->has_secrets)
		return err_set(err, ERR_NOTFOUND, ENOKEY,
		               "session %s: no sandbox can be made from its record: its settings hold secrets, which are not written down",
		               kept->entry.id);
	if (policy_init(ret_policy, arena) < 0)
		return err_set(err, ERR_LIMIT, ENOMEM, "no memory for the policy");
	return policy_read(ret_policy, arena, &document, NULL, err);
}

static int open_workspace(struct cradle *c, struct err *err)
{
	int r;

	if (!c->kept.entry.workspace)
		return 0;
	r = workspace_open(c->session->data_dir, c->kept.entry.workspace, &c->workspace, err);
	return r < 0 ? r : workspace_lock(c->workspace, err);
}

int birth_revive(const struct session *session, int dir, const char *id, const char *const *env, int lock, struct err *err)
{
	struct cradle c = { .session = session, .dir = dir, .birth = { .listener = -1, .lock = lock } };
	struct session_request request;
	struct policy policy;
	struct course course;
	struct arena arena;
	int r;

	arena_init(&arena, REVIVE_ARENA_MAX);
	c.arena = &arena;
	c.path = arena_printf(&arena, "%s/sessions/%s", session->data_dir, id);
	r = registry_read(dir, id, &arena, &c.kept, err);
	if (r == 0)
		r = registry_read_settings(dir, &arena, &c.kept, err);
	if (r == 0)
		r = birth_policy(&c.kept, &arena, &policy, err);
	if (r == 0)
		r = open_workspace(&c, err);
	if (r == 0) {
		c.was = c.kept.entry.cwd;
		request = session_request_plain(&policy, env, c.kept.entry.cwd);
		r = start_sandbox(&c, &request, &course, err);
	}
	workspace_close(c.workspace);
	arena_done(&arena);
	return r;
}

/* What is done to a session's workspace while nothing writes in it: layers, going back, other sessions that begin there. */
#include "base/own.h"
#include "session/birth.h"
#include "session/registry.h"
#include "session/sessions.h"
#include "workspace/layers.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { HISTORY_ARENA_MAX = 16 << 20, HISTORY_WAIT_MS = 5000, HISTORY_STEP_MS = 10, LABEL_TEXT_MAX = 4 << 20 };

static int read_record(const struct session *session, const char *id, struct arena *arena, struct kept *ret_kept, struct err *err)
{
	autofd int top = registry_is_id(id) ? registry_open_top(session->data_dir, true, err)
	                                    : err_set(err, ERR_USAGE, EINVAL, "\"%s\" is no name of a session", id);
	autofd int dir = top < 0 ? top : registry_open(top, id, err);
	int r = dir < 0 ? dir : registry_read(dir, id, arena, ret_kept, err);

	if (r == 0)
		r = registry_read_settings(dir, arena, ret_kept, err);
	if (r == 0 && !ret_kept->entry.workspace)
		r = err_set(
		    err, ERR_POLICY, EINVAL,
		    "session %s works in the host's own tree: there is nothing to go back to; make one with `coffer session create --copy`",
		    id);
	return r;
}

/* ---- while nothing writes ---- */

static int pause_it(const struct session *session, const char *id, struct session_held *held, struct err *err)
{
	const struct live_request pause = { .type = LIVE_PAUSE, .a = 1 };
	struct live_reply reply;
	int r = sessions_connect(session, id, NULL, false, &held->live, err);

	if (r < 0)
		return r;
	held->resumes = held->live.hello.state != LIVE_PAUSED;
	r = live_ask(&held->live, &pause, &reply, err);
	if (r < 0 && err && err->code == ERR_NONE)
		return err_set(err, ERR_SETUP, -r, "session %s cannot be paused: %s", id, strerror(-r));
	return r;
}

static const char *find_user(const struct session *session, const char *workspace, struct arena *arena)
{
	struct session_entry_vec entries;

	if (sessions_list(session, false, arena, &entries, NULL) < 0)
		return NULL;
	for (size_t i = 0; i < entries.n; i++)
		if (entries.at[i].workspace && strcmp(entries.at[i].workspace, workspace) == 0 && entries.at[i].state <= SESSION_PAUSED)
			return entries.at[i].id;
	return NULL;
}

static int hold(const struct session *session, struct workspace *workspace, struct session_held *held, struct err *err)
{
	struct err busy = { 0 };
	struct arena arena;
	const char *id;
	int r = workspace_lock(workspace, &busy);

	if (r == 0)
		return 0;
	arena_init(&arena, HISTORY_ARENA_MAX);
	id = busy.code == ERR_BUSY ? find_user(session, workspace->record.id, &arena) : NULL;
	/* First the lock: whoever has it lets the session go on when it is done. */
	r = id ? workspace_lock_beside(workspace, err) : err_set(err, busy.code, busy.errnum, "%s", busy.text);
	if (r == 0)
		r = pause_it(session, id, held, err);
	arena_done(&arena);
	return r;
}

int sessions_hold_workspace(const struct session *session, struct workspace *workspace, struct session_held *ret_held, struct err *err)
{
	struct session_held held = { .workspace = NULL, .live = { .socket = -1, .root = -1 } };
	int r = hold(session, workspace, &held, err);

	if (r < 0)
		sessions_let_go(&held);
	else
		*ret_held = held;
	return r;
}

int sessions_hold(const struct session *session, const char *id, struct session_held *ret_held, struct err *err)
{
	struct session_held held = { .workspace = NULL, .live = { .socket = -1, .root = -1 } };
	struct arena arena;
	struct kept kept;
	int r;

	arena_init(&arena, HISTORY_ARENA_MAX);
	r = read_record(session, id, &arena, &kept, err);
	if (r == 0)
		r = workspace_open(session->data_dir, kept.entry.workspace, &held.workspace, err);
	if (r == 0)
		r = hold(session, held.workspace, &held, err);
	arena_done(&arena);
	if (r < 0)
		sessions_let_go(&held);
	else
		*ret_held = held;
	return r;
}

void sessions_let_go(struct session_held *held)
{
	const struct live_request resume = { .type = LIVE_RESUME };
	struct live_reply reply;

	if (held->live.socket >= 0 && held->resumes)
		(void)live_ask(&held->live, &resume, &reply, NULL);
	workspace_close(held->workspace);
	live_close(&held->live);
}

/* What is mounted stays what it is, so only what is not running may be renamed. */
static enum checkpoint_way way(const struct session_held *held)
{
	return held->live.socket < 0 ? CHECKPOINT_RENAME : CHECKPOINT_COPY;
}

/* ---- layers ---- */

int sessions_checkpoint(const struct session *session, const char *id, const char *label, uint64_t *ret_number, struct err *err)
{
	struct session_held held;
	int r = sessions_hold(session, id, &held, err);

	if (r < 0)
		return r;
	r = workspace_checkpoint(held.workspace, way(&held), label, ret_number, err);
	sessions_let_go(&held);
	return r;
}

static const char *label_of(const char *const *argv, struct str *out)
{
	str_init(out, LABEL_TEXT_MAX);
	for (size_t i = 0; argv[i] && out->len < WORKSPACE_LABEL_MAX; i++) {
		str_add(out, i ? " " : "");
		str_add_shell(out, argv[i]);
	}
	return out->failed ? argv[0] : out->text;
}

/* Another command's layer may be in the making. */
static int hold_soon(const struct session *session, const char *id, struct session_held *held, struct err *err)
{
	struct err busy = { 0 };
	int r = sessions_hold(session, id, held, &busy);

	for (int waited = 0; r < 0 && busy.code == ERR_BUSY && waited < HISTORY_WAIT_MS; waited += HISTORY_STEP_MS) {
		(void)poll(NULL, 0, HISTORY_STEP_MS);
		err_clear(&busy);
		r = sessions_hold(session, id, held, &busy);
	}
	return r < 0 ? err_set(err, busy.code, busy.errnum, "%s", busy.text) : 0;
}

static int record_change(const struct session *session, const char *id, const char *const *argv, struct err *err)
{
	autostr struct str label = { 0 };
	struct session_held held;
	uint64_t number;
	int r = hold_soon(session, id, &held, err);

	if (r < 0)
		return r;
	if (!workspace_is_recorded(held.workspace, &number))
		r = workspace_checkpoint(held.workspace, way(&held), label_of(argv, &label), &number, err);
	sessions_let_go(&held);
	return r;
}

int sessions_keep_history(const struct session *session, const char *id, const char *const *argv, struct err *err)
{
	autofd int top = registry_open_top(session->data_dir, false, err);
	autofd int dir = top < 0 ? top : registry_open(top, id, err);
	autoworkspace struct workspace *workspace = NULL;
	struct arena arena;
	struct kept kept;
	uint64_t number;
	int r;

	arena_init(&arena, HISTORY_ARENA_MAX);
	r = dir < 0 ? dir : registry_read(dir, id, &arena, &kept, err);
	if (r == 0 && kept.entry.history) /* at first without stopping anybody */
		r = workspace_open(session->data_dir, kept.entry.workspace, &workspace, err);
	if (r == 0 && workspace && !workspace_is_recorded(workspace, &number))
		r = record_change(session, id, argv, err);
	arena_done(&arena);
	return r;
}

int sessions_checkout(const struct session *session, const char *id, uint64_t number, struct err *err)
{
	struct session_held held;
	int r = sessions_stop(session, id, err);

	if (r == 0)
		r = sessions_hold(session, id, &held, err);
	if (r < 0)
		return r;
	r = workspace_checkout(held.workspace, number, err);
	sessions_let_go(&held);
	return r;
}

/* ---- other sessions ---- */

static int fork_from(const struct session *session, const struct kept *kept, const struct session_fork *fork,
                     struct workspace **ret_workspace, struct err *err)
{
	struct session_held held;
	int r = sessions_hold(session, kept->entry.id, &held, err);

	if (r < 0)
		return r;
	if (fork->at == WORKSPACE_NOW)
		r = workspace_fork(held.workspace, way(&held), fork->child, ret_workspace, err);
	else
		r = workspace_fork_at(held.workspace, fork->at, fork->child, ret_workspace, err);
	sessions_let_go(&held);
	return r;
}

int sessions_fork(const struct session *session, const char *id, const struct session_fork *fork, struct arena *arena,
                  struct session_entry *ret_entry, struct err *err)
{
	struct kept kept;
	struct policy policy;
	struct workspace *workspace = NULL;
	struct session_request request;
	struct session_birth birth = { .id = fork->child };
	int r = read_record(session, id, arena, &kept, err);

	if (r == 0)
		r = birth_policy(&kept, arena, &policy, err);
	if (r == 0)
		r = fork_from(session, &kept, fork, &workspace, err);
	if (r < 0)
		return r;

	const struct birth_parent parent = { .workspace = workspace, .kept = &kept };

	request = session_request_plain(&policy, fork->env, kept.entry.cwd);
	birth.id = fork->child ? fork->child : arena_dup(arena, workspace->record.id);
	birth.tree = kept.entry.tree;
	birth.labels = kept.entry.labels;
	birth.ttl_ms = kept.entry.ttl_ms;
	birth.idle_ms = kept.entry.idle_ms;
	birth.history = kept.entry.history;
	kept.entry.keeps_workspace = false;
	birth.parent = &parent;
	return sessions_create(session, &request, &birth, arena, ret_entry, err);
}

#include "api/api.h"

#include "base/own.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int new_handle(struct coffer *coffer, const char *name, struct coffer_session **ret_session, struct coffer_error *error)
{
	struct coffer_session *session = calloc(1, sizeof(*session));
	if (!session)
		return api_no_memory(error);
	session->coffer = coffer;
	memcpy(session->name, name, strnlen(name, sizeof(session->name) - 1));
	*ret_session = session;
	return 0;
}

int coffer_session_create(struct coffer *coffer, const struct coffer_policy *policy, const struct coffer_session_options *options,
                          struct coffer_session **ret_session, struct coffer_error *error)
{
	const struct coffer_session_options none = { .size = sizeof(none) };
	struct err err = { 0 };
	struct arena arena;
	struct session_entry entry;
	options = options ? options : &none;
	const struct session_birth birth = { .tree = (enum session_tree)options->tree,
		                             .path = options->path,
		                             .workspace = options->workspace,
		                             .id = options->name,
		                             .labels = options->labels,
		                             .ttl_ms = options->ttl_ms,
		                             .idle_ms = options->idle_ms,
		                             .history = options->history,
		                             .snapshot = options->snapshot };
	const struct session_request request = session_request_plain(&policy->policy, (const char *const *)environ, options->directory);
	if (options->size != sizeof(none))
		return api_fail(err_set(&err, ERR_USAGE, EINVAL, "session options of another size: compile with this library's header"),
		                &err, error);
	arena_init(&arena, API_ARENA_MAX);
	int r = api_fail(sessions_create(&coffer->session, &request, &birth, &arena, &entry, &err), &err, error);
	if (r == 0)
		r = new_handle(coffer, entry.id, ret_session, error);
	arena_done(&arena);
	return r;
}

int coffer_session_open(struct coffer *coffer, const char *name, struct coffer_session **ret_session, struct coffer_error *error)
{
	struct err err = { 0 };
	int r = api_fail(sessions_exists(&coffer->session, name, &err), &err, error);
	return r < 0 ? r : new_handle(coffer, name, ret_session, error);
}

void coffer_session_free(struct coffer_session *session)
{
	free(session);
}

const char *coffer_session_name(const struct coffer_session *session)
{
	return session->name;
}

static int ask(const struct coffer_session *session, enum live_request_type type, struct coffer_error *error)
{
	const struct live_request request = { .type = type };
	struct live_reply reply;
	struct err err = { 0 };
	struct live live;
	int r = sessions_connect(&session->coffer->session, session->name, NULL, false, &live, &err);
	if (r < 0)
		return api_fail(r, &err, error);
	r = live_ask(&live, &request, &reply, &err);
	live_close(&live);
	if (r < 0 && err.code == ERR_NONE)
		(void)err_set(&err, ERR_SETUP, -r, "session %s: %s", session->name, strerror(-r));
	return api_fail(r, &err, error);
}

int coffer_session_pause(struct coffer_session *session, struct coffer_error *error)
{
	return ask(session, LIVE_PAUSE, error);
}

int coffer_session_resume(struct coffer_session *session, struct coffer_error *error)
{
	return ask(session, LIVE_RESUME, error);
}

int coffer_session_remove(struct coffer_session *session, struct coffer_error *error)
{
	struct err err = { 0 };
	return api_fail(sessions_remove(&session->coffer->session, session->name, &err), &err, error);
}

int coffer_session_leave(struct coffer_session *session, struct coffer_error *error)
{
	struct err err = { 0 };
	return api_fail(sessions_leave(&session->coffer->session, session->name, &err), &err, error);
}

int coffer_session_fork(struct coffer_session *session, const char *name, struct coffer_session **ret_child, struct coffer_error *error)
{
	return coffer_session_fork_at(session, COFFER_NOW, name, ret_child, error);
}

_Static_assert(COFFER_NOW == WORKSPACE_NOW, "what the files are now has one number");

int coffer_session_fork_at(struct coffer_session *session, uint64_t layer, const char *name, struct coffer_session **ret_child,
                           struct coffer_error *error)
{
	const struct session_fork fork = { .env = (const char *const *)environ, .child = name, .at = layer };
	struct err err = { 0 };
	struct arena arena;
	struct session_entry entry;
	arena_init(&arena, API_ARENA_MAX);
	int r = api_fail(sessions_fork(&session->coffer->session, session->name, &fork, &arena, &entry, &err), &err, error);
	if (r == 0)
		r = new_handle(session->coffer, entry.id, ret_child, error);
	arena_done(&arena);
	return r;
}

int coffer_session_checkpoint(struct coffer_session *session, const char *label, uint64_t *ret_number, struct coffer_error *error)
{
	struct err err = { 0 };
	return api_fail(sessions_checkpoint(&session->coffer->session, session->name, label, ret_number, &err), &err, error);
}

int coffer_session_checkout(struct coffer_session *session, uint64_t number, struct coffer_error *error)
{
	struct err err = { 0 };
	return api_fail(sessions_checkout(&session->coffer->session, session->name, number, &err), &err, error);
}

int coffer_sessions_text(struct coffer *coffer, enum coffer_format format, char **ret_text, struct coffer_error *error)
{
	struct err err = { 0 };
	struct arena arena;
	struct session_entry_vec entries;
	autostr struct str text = { 0 };
	arena_init(&arena, API_ARENA_MAX);
	str_init(&text, API_ARENA_MAX);
	int r = api_fail(sessions_list(&coffer->session, format == COFFER_JSON, &arena, &entries, &err), &err, error);
	if (r == 0) {
		if (format == COFFER_JSON)
			sessions_print_json(&entries, &text);
		else
			sessions_print(&entries, &text);
		r = api_give_text(&text, ret_text, error);
	}
	arena_done(&arena);
	return r;
}

/* ---- snapshots ---- */

int coffer_snapshot_create(struct coffer_session *session, const char *name, struct coffer_error *error)
{
	struct err err = { 0 };
	return api_fail(snapshots_create(&session->coffer->session, session->name, name, &err), &err, error);
}

int coffer_snapshot_remove(struct coffer *coffer, const char *name, struct coffer_error *error)
{
	struct err err = { 0 };
	return api_fail(snapshots_remove(&coffer->session, name, &err), &err, error);
}

int coffer_snapshot_export(struct coffer *coffer, const char *name, int output, struct coffer_error *error)
{
	struct err err = { 0 };
	return api_fail(snapshots_export(&coffer->session, name, output, &err), &err, error);
}

int coffer_snapshot_import(struct coffer *coffer, int input, const char *name, struct coffer_error *error)
{
	struct err err = { 0 };
	return api_fail(snapshots_import(&coffer->session, input, name, &err), &err, error);
}

int coffer_snapshots_text(struct coffer *coffer, enum coffer_format format, char **ret_text, struct coffer_error *error)
{
	struct err err = { 0 };
	struct arena arena;
	struct snapshot_vec list;
	autostr struct str text = { 0 };
	arena_init(&arena, API_ARENA_MAX);
	str_init(&text, API_ARENA_MAX);
	int r = api_fail(snapshots_list(&coffer->session, &arena, &list, &err), &err, error);
	if (r == 0) {
		if (format == COFFER_JSON)
			snapshots_print_json(&list, &text);
		else
			snapshots_print(&list, &text);
		r = api_give_text(&text, ret_text, error);
	}
	arena_done(&arena);
	return r;
}

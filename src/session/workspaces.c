#include "session/workspaces.h"

#include "base/own.h"
#include "base/path.h"
#include "engine/engine.h"
#include "policy/decide.h"
#include "policy/places.h"
#include "policy/read.h"
#include "session/place.h"
#include "session/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- making one ---- */

static bool takes_overlay(const struct session *session)
{
	autofd int dir = open(session->data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return session->facts.overlay && dir >= 0 && engine_takes_overlay(dir);
}

int workspaces_create(const struct session *session, const char *base, const char *id, bool stage, struct workspace **ret_workspace,
                      struct err *err)
{
	int r = state_dir_make(session->data_dir, err);
	struct workspace_options options = { .id = id, .base = base };

	if (r < 0)
		return r;
	options.mode = !stage && takes_overlay(session) ? WORKSPACE_OVERLAY : WORKSPACE_STAGE;
	return workspace_create(session->data_dir, &options, ret_workspace, err);
}

static int list_layers(const struct workspace *workspace, struct arena *arena, struct text_vec *ret_layers)
{
	const struct workspace_record *record = &workspace->record;
	const struct workspace_layer *chain[WORKSPACE_OPEN_MAX], *layer;
	size_t n = 0;

	for (layer = record_layer(record, record->below); layer && n < WORKSPACE_OPEN_MAX; layer = record_layer(record, layer->parent))
		chain[n++] = layer;
	while (n > 0) {
		const char **slot = text_vec_add(ret_layers, arena);

		if (!slot)
			return -ENOMEM;
		layer = chain[--n];
		*slot = arena_printf(arena, "%s/workspaces/%s/layers/%llu", workspace->data_dir, layer->home,
		                     (unsigned long long)layer->number);
		if (!*slot)
			return -ENOMEM;
	}
	return 0;
}

int workspaces_input(struct workspace *workspace, const char *path, struct arena *arena, struct input_workspace *ret_input, struct err *err)
{
	const char *dir = arena_printf(arena, "%s/workspaces/%s", workspace->data_dir, workspace->record.id);
	struct input_workspace input = { .path = path,
		                         .how = workspace->record.mode == WORKSPACE_OVERLAY ? INPUT_WORKSPACE_OVERLAY
		                                                                            : INPUT_WORKSPACE_STAGE };
	int r = dir ? 0 : -ENOMEM;

	if (workspace->record.base)
		input.base = arena_dup(arena, workspace->record.base);
	if (r == 0 && input.how == INPUT_WORKSPACE_OVERLAY)
		r = list_layers(workspace, arena, &input.layers);
	if (r == 0) {
		input.upper = path_join(arena, dir, "upper");
		input.work = path_join(arena, dir, "work");
		input.stage = path_join(arena, dir, "stage");
	}
	if (r < 0 || !input.upper || !input.work || !input.stage || (workspace->record.base && !input.base))
		return err_set(err, ERR_LIMIT, ENOMEM, "no memory for the workspace");
	*ret_input = input;
	return 0;
}

/* ---- one run ---- */

static bool has_changes(struct workspace *workspace)
{
	autochanges struct changes changes;
	struct err ignored = { 0 };

	if (workspace_changes(workspace, &changes, &ignored) < 0) {
		memset(&changes, 0, sizeof(changes));
		return true; /* it is for its owner to see why */
	}
	for (size_t i = 0; i < changes.list.n; i++)
		if (change_shows(&changes.list.at[i]))
			return true;
	return changes.too_deep > 0;
}

/* One try, on the way to its result. */
struct trial {
	const struct session *session;
	const struct session_request *request;
	const char *base;
	struct arena *arena;
	struct session_result result;
	const char *id; /* of what is left; NULL: nothing */
};

static int run_in(struct trial *trial, struct workspace *workspace, struct err *err)
{
	struct session_request in = *trial->request;
	struct input_workspace input;
	int r = workspaces_input(workspace, workspace->record.base, trial->arena, &input, err);

	in.workspace = &input;
	return r < 0 ? r : session_run(trial->session, &in, trial->arena, &trial->result, err);
}

static void remove_it(const struct session *session, struct workspace *workspace, const char *id)
{
	struct err ignored = { 0 };

	workspace_close(workspace);
	(void)workspace_remove(session->data_dir, id, &ignored);
}

static int try_in(struct trial *trial, bool stage, struct err *err)
{
	struct workspace *workspace = NULL;
	struct err ignored = { 0 };
	int r = workspaces_create(trial->session, trial->base, NULL, stage, &workspace, err);

	if (r < 0)
		return r;
	trial->id = arena_dup(trial->arena, workspace->record.id);
	if (!trial->id) {
		workspace_close(workspace);
		return err_set(err, ERR_LIMIT, ENOMEM, "no memory for a name");
	}
	r = run_in(trial, workspace, err);
	if (r < 0 || !has_changes(workspace)) {
		remove_it(trial->session, workspace, trial->id);
		trial->id = NULL;
		return r;
	}
	(void)workspace_seal(workspace, &ignored); /* what is not sealed counts as changed by others: closed, not open */
	workspace_close(workspace);
	return 0;
}

int workspaces_try(const struct session *session, const struct session_request *request, struct arena *arena,
                   struct session_result *ret_result, const char **ret_id, struct err *err)
{
	struct trial trial = { .session = session, .request = request, .arena = arena };
	struct err own = { 0 };
	struct session_place place;
	int r = session_place_find(request->env, request->cwd, arena, &place, err);

	err = err ? err : &own;
	if (r < 0)
		return r;
	trial.base = place.cwd;
	r = try_in(&trial, false, err);
	if (r < 0 && session_wants_stage(err)) {
		err_clear(err);
		r = try_in(&trial, true, err);
	}
	if (r < 0)
		return r;
	*ret_result = trial.result;
	*ret_id = trial.id;
	return 0;
}

/* ---- finding one ---- */

static int find_latest(const struct session *session, const char *cwd, struct arena *arena, const char **ret_id, struct err *err)
{
	struct workspace_info_vec list = { 0 };
	const struct workspace_info *found = NULL;
	int r = workspace_list(session->data_dir, arena, &list, err);

	for (size_t i = 0; r == 0 && i < list.n; i++) {
		const struct workspace_info *info = &list.at[i];

		if (!info->fault && info->base && path_within(cwd, info->base) && (!found || info->created_ns > found->created_ns))
			found = info;
	}
	if (r == 0 && !found)
		return err_set(err, ERR_NOTFOUND, ENOENT, "%s: nothing has been tried here; `coffer try -- CMD` tries something", cwd);
	if (r == 0)
		*ret_id = found->id;
	return r;
}

int workspaces_open(const struct session *session, const char *id, const char *cwd, struct workspace **ret_workspace, struct err *err)
{
	struct session_place place;
	struct arena arena;
	int r = 0;

	arena_init(&arena, 4 << 20);
	if (!id)
		r = session_place_find((const char *const *)environ, cwd, &arena, &place, err);
	if (r == 0 && !id)
		r = find_latest(session, place.cwd, &arena, &id, err);
	if (r == 0)
		r = workspace_open(session->data_dir, id, ret_workspace, err);
	arena_done(&arena);
	return r;
}

/* ---- what leaves ---- */

struct gate {
	struct arena arena;
	struct policy policy;
	const char *base;
};

/* A place is protected that the policy would not let be written where the tree is open. */
static const char *judge(void *data, const char *path)
{
	struct gate *gate = data;
	const char *whole = path_join(&gate->arena, gate->base, path);
	struct policy_verdict verdict =
	    whole ? policy_decide(&gate->policy, whole, POLICY_WRITE) : (struct policy_verdict){ .allowed = false };

	if (verdict.allowed)
		return NULL;
	if (verdict.rule && verdict.rule->place)
		return verdict.rule->place->reason;
	return "the policy protects it";
}

static int open_gate(struct gate *gate, const char *base, struct err *err)
{
	const char *home = getenv("HOME");
	const struct policy_word word = { .field = policy_field_by_pointer("/filesystem/allowWrite"), .value = base, .why = "apply" };
	int r = policy_init(&gate->policy, &gate->arena);

	gate->base = base;
	if (r == 0)
		r = policy_set(&gate->policy, &gate->arena, &word, NULL, err);
	if (r == 0)
		r = policy_resolve(&gate->policy, &gate->arena, base, home && path_is_normal(home) ? home : NULL, err);
	return r;
}

int workspaces_apply(struct workspace *workspace, struct apply_options *options, struct apply_result *ret_result, struct err *err)
{
	struct gate gate;
	int r;

	arena_init(&gate.arena, 64 << 20);
	r = workspace->record.base
	        ? open_gate(&gate, workspace->record.base, err)
	        : err_set(err, ERR_USAGE, EINVAL, "workspace %s is on no directory of the host's: there is nothing to apply it to",
	                  workspace->record.id);
	if (r == 0) {
		options->judge = judge;
		options->judge_data = &gate;
		r = workspace_apply(workspace, options, ret_result, err);
	} else {
		memset(ret_result, 0, sizeof(*ret_result));
	}
	arena_done(&gate.arena);
	return r;
}

/* ---- lists ---- */

void workspaces_print(const struct workspace_info_vec *list, struct str *out)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct workspace_info *info = &list->at[i];
		const char *what = info->fault ? info->fault : info->base ? info->base : "-";

		str_printf(out, "%-24s %-8s %zu layers  ", info->id, info->fault ? "broken" : info->locked ? "in use" : "", info->layers);
		str_add_escaped(out, what, strlen(what));
		str_add_char(out, '\n');
	}
}

void workspaces_print_json(const struct workspace_info_vec *list, struct str *out)
{
	str_add_char(out, '[');
	for (size_t i = 0; i < list->n; i++) {
		const struct workspace_info *info = &list->at[i];

		str_printf(out, "%s{\"id\":\"%s\",\"mode\":\"%s\",\"in_use\":%s,\"layers\":%zu,\"created\":%lld,\"base\":", i ? "," : "",
		           info->id, info->mode == WORKSPACE_OVERLAY ? "overlay" : "copy", info->locked ? "true" : "false", info->layers,
		           (long long)(info->created_ns / 1000000000));
		str_add_json_text(out, info->base);
		str_add(out, ",\"fault\":");
		str_add_json_text(out, info->fault);
		str_add_char(out, '}');
	}
	str_add(out, "]\n");
}

void workspaces_print_log(const struct workspace *workspace, struct str *out)
{
	const struct workspace_record *record = &workspace->record;

	for (size_t i = 0; i < record->layers_n; i++) {
		const struct workspace_layer *layer = &record->layers[i];

		str_printf(out, "%c @%llu  on @%llu  ", layer->number == record->below ? '*' : ' ', (unsigned long long)layer->number,
		           (unsigned long long)layer->parent);
		str_add_escaped(out, layer->label ? layer->label : "", layer->label ? strlen(layer->label) : 0);
		str_add_char(out, '\n');
	}
}

void workspaces_print_log_json(const struct workspace *workspace, struct str *out)
{
	const struct workspace_record *record = &workspace->record;

	str_add_char(out, '[');
	for (size_t i = 0; i < record->layers_n; i++) {
		const struct workspace_layer *layer = &record->layers[i];

		str_printf(out, "%s{\"number\":%llu,\"parent\":%llu,\"created\":%lld,\"current\":%s,\"label\":", i ? "," : "",
		           (unsigned long long)layer->number, (unsigned long long)layer->parent,
		           (long long)(layer->created_ns / 1000000000), layer->number == record->below ? "true" : "false");
		str_add_json_text(out, layer->label);
		str_add_char(out, '}');
	}
	str_add(out, "]\n");
}

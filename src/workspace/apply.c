#include "workspace/apply.h"

#include "base/own.h"
#include "sys/file.h"
#include "workspace/apply_part.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RESULT_ARENA_MAX ((size_t)256 << 20)

void apply_result_done(struct apply_result *result)
{
	arena_done(&result->arena);
}

int apply_find(struct apply *apply, enum apply_finding_kind kind, const char *path, const char *fmt, ...)
{
	struct apply_finding *finding = apply_finding_vec_add(&apply->result->findings, &apply->result->arena);
	va_list args;

	if (!finding)
		return -ENOMEM;
	va_start(args, fmt);
	finding->text = arena_vprintf(&apply->result->arena, fmt, args);
	va_end(args);
	finding->kind = kind;
	finding->path = arena_dup(&apply->result->arena, path);
	apply->blocking += kind >= APPLY_REFUSED;
	apply->conflicts += kind == APPLY_CONFLICT;
	return finding->path && finding->text ? 0 : -ENOMEM;
}

void apply_tell(const struct apply *apply, const char *what)
{
	if (apply->options->step)
		apply->options->step(apply->options->step_data, what);
}

static void start(struct apply *apply, struct workspace *workspace, const struct apply_options *options, struct apply_result *result)
{
	struct stack none = { 0 };

	*apply = (struct apply){
		.workspace = workspace, .options = options, .result = result, .at = ENTRY_PARENT, .from = ENTRY_PARENT, .ready = -1
	};
	changes_init(&apply->changes, &none, &none);
}

static void done(struct apply *apply)
{
	own_close(&apply->ready);
	entry_parent_done(&apply->at);
	entry_parent_done(&apply->from);
	changes_done(&apply->changes);
	seals_done(&apply->seals);
}

/* What the findings mean for the caller. */
static int verdict(const struct apply *apply, const char *deed, struct err *err)
{
	if (apply->blocking == 0)
		return 0;
	const struct apply_finding *first = apply->result->findings.at;

	while (first->kind < APPLY_REFUSED)
		first++;
	if (apply->conflicts)
		return err_set(err, ERR_BUSY, EBUSY, "%s: %zu in conflict, first %s: %s", deed, apply->conflicts, first->path, first->text);
	return err_set(err, ERR_DENIED, EPERM, "%s: %zu refused, first %s: %s", deed, apply->blocking, first->path, first->text);
}

/* The steps, and then nothing that would tell of them. */
static int commit(struct apply *apply, struct err *err)
{
	struct workspace *workspace = apply->workspace;
	int r = apply_commit(apply, err);

	if (r < 0)
		return r;
	r = seals_store(&apply->seals, err);
	if (r < 0)
		return r;
	if (!apply->options->no_sync && syncfs(workspace->base) < 0)
		return err_set(err, ERR_SETUP, errno, "%s: cannot be synced: %s", workspace->record.base, strerror(errno));
	apply_tell(apply, "clear");
	r = apply_clear_hidden(apply);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s/%s: cannot be removed: %s", workspace->record.base, apply->hidden, strerror(-r));
	apply_tell(apply, "end");
	r = journal_remove(apply);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "the journal cannot be removed: %s", strerror(-r)) : 0;
}

/* An apply that was cut short before it was committed has left a hidden directory and nothing else. */
static int roll_back(struct apply *apply, struct err *err)
{
	int r = apply_clear_hidden(apply);

	if (r == 0)
		r = journal_remove(apply);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "what an apply left behind cannot be removed: %s", strerror(-r)) : 0;
}

static int roll_forward(struct apply *apply, struct err *err)
{
	int r = seals_open(apply->workspace, &apply->seals, err);

	if (r < 0)
		return r;
	apply->ready = apply_open_hidden(apply);
	if (apply->ready == -ENOENT) { /* all was done but for the journal's end */
		r = journal_remove(apply);
		return r < 0 ? err_set(err, ERR_SETUP, -r, "the journal cannot be removed: %s", strerror(-r)) : 0;
	}
	if (apply->ready == -ESTALE)
		return err_set(err, ERR_DENIED, ESTALE,
		               "%s/%s: somebody has put another directory in the place of the one that an apply was cut short with",
		               apply->workspace->record.base, apply->hidden);
	if (apply->ready < 0)
		return err_set(err, ERR_SETUP, -apply->ready, "%s/%s: %s", apply->workspace->record.base, apply->hidden,
		               strerror(-apply->ready));
	r = commit(apply, err);
	return r < 0 ? r : verdict(apply, "an apply that had been cut short was completed", err);
}

static int recover(struct workspace *workspace, const struct apply_options *options, struct apply_result *result, struct err *err)
{
	struct apply apply;
	bool committed = false;
	int r;

	start(&apply, workspace, options, result);
	r = journal_read(&apply, &committed);
	if (r == -ENOENT)
		r = 0;
	else if (r < 0)
		err_set(err, ERR_POLICY, -r,
		        "workspace %s is broken: its journal is not what coffer wrote; look at %s, then `coffer discard %s` removes it",
		        workspace->record.id, workspace->record.base ? workspace->record.base : "the base", workspace->record.id);
	else
		r = committed ? roll_forward(&apply, err) : roll_back(&apply, err);
	result->completed = committed;
	done(&apply);
	return r;
}

int workspace_recover(struct workspace *workspace, struct apply_result *result, struct err *err)
{
	static const struct apply_options options = { 0 };
	int r = workspace_need_lock(workspace, err);

	arena_init(&result->arena, RESULT_ARENA_MAX);
	return r < 0 ? r : recover(workspace, &options, result, err);
}

static int apply_all(struct apply *apply, struct err *err)
{
	int r = workspace_changes(apply->workspace, &apply->changes, err);

	if (r == 0)
		r = seals_open(apply->workspace, &apply->seals, err);
	if (r == 0 && apply->changes.too_deep)
		r = apply_find(apply, APPLY_LEFT, "", "%zu directories whose paths are too long stay in the workspace",
		               apply->changes.too_deep);
	if (r == 0)
		r = apply_plan(apply, err);
	if (r == 0)
		r = verdict(apply, "nothing has been applied", err);
	if (r == 0 && apply->options->ret_preview)
		return apply_preview(apply, apply->options->ret_preview, err);
	if (r < 0 || apply->options->look_only || apply->steps.n == 0)
		return r;
	/* What stays behind is sealed now, while there is proof; what is applied gets its seal by that. */
	r = seals_take(&apply->seals, &apply->changes, apply->wanted, err);
	if (r < 0)
		return r;
	r = apply_ready(apply, err);
	if (r == 0)
		r = commit(apply, err);
	return r < 0 ? r : verdict(apply, "the rest has been applied", err);
}

int workspace_apply(struct workspace *workspace, const struct apply_options *options, struct apply_result *ret_result, struct err *err)
{
	struct apply apply;
	int r = workspace_need_lock(workspace, err);

	*ret_result = (struct apply_result){ 0 };
	arena_init(&ret_result->arena, RESULT_ARENA_MAX);
	if (r == 0 && workspace->base < 0)
		r = err_set(err, ERR_USAGE, EINVAL, "workspace %s began with nothing: there is no directory to apply it to",
		            workspace->record.id);
	if (r == 0)
		r = recover(workspace, options, ret_result, err);
	if (r < 0)
		return r;
	start(&apply, workspace, options, ret_result);
	changes_done(&apply.changes);
	r = apply_all(&apply, err);
	done(&apply);
	return r;
}

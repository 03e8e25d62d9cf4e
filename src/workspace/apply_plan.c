/* The part of apply.h that decides: what is selected, what stands in the way, which steps follow. Nothing is changed here. */
#include "base/own.h"
#include "base/path.h"
#include "workspace/apply_part.h"
#include "workspace/print.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MODE_KEPT = 0777, MODE_EXECUTE = 0111, MODE_SPECIAL = 07000 };

static bool is_allowed(const struct apply *apply, const char *path)
{
	return apply->options->allow_n > 0 && changes_print_selects(apply->options->allow, apply->options->allow_n, path);
}

static const struct apply_hunks *hunks_of(const struct apply *apply, const char *path)
{
	for (size_t i = 0; i < apply->options->hunks_n; i++)
		if (strcmp(apply->options->hunks[i].path, path) == 0)
			return &apply->options->hunks[i];
	return NULL;
}

/* Naming hunks of a file selects the file; without paths and hunks everything is selected. */
static bool is_selected(const struct apply *apply, const char *path)
{
	const struct apply_options *options = apply->options;

	if (hunks_of(apply, path))
		return true;
	if (options->paths_n == 0)
		return options->hunks_n == 0;
	return changes_print_selects(options->paths, options->paths_n, path);
}

/* A directory's text without its last component; false at the top. */
static bool go_up(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash)
		return false;
	*slash = '\0';
	return true;
}

/*
 * Does a link with this text, at this path, lead out of the tree? Its own directory is none that a link leads to, so ".." in front can be counted. Behind a name it
 * cannot: that may be a link, whose target has another depth. A link that is passed is judged as its own change.
 */
static bool leads_out(const char *path, const char *target)
{
	bool named = false;
	long depth = 0;

	if (target[0] == '/')
		return true;
	for (const char *p = strchr(path, '/'); p; p = strchr(p + 1, '/'))
		depth++;
	for (const char *p = target; *p; p += strspn(p, "/")) {
		size_t n = strcspn(p, "/");

		bool up = n == 2 && p[0] == '.' && p[1] == '.';

		depth -= up;
		if (depth < 0 || (up && named))
			return true;
		named = named || (!up && (n != 1 || p[0] != '.'));
		p += n;
	}
	return false;
}

static bool has_content(const struct change *change)
{
	return change->kind != CHANGE_MODIFIED || change->what & (CHANGE_CONTENT | CHANGE_TYPE | CHANGE_TARGET);
}

static int check_conflict(struct apply *apply, const struct change *change)
{
	int verdict = has_content(change) ? seals_judge(&apply->seals, change->path, &change->before) : SEAL_KEPT;
	bool there = change->before.kind != ENTRY_NONE;

	if (verdict < 0)
		return apply_find(apply, APPLY_CONFLICT, change->path, "the host's file cannot be read: %s", strerror(-verdict));
	if (verdict == SEAL_BROKEN)
		return apply_find(apply, APPLY_CONFLICT, change->path, "the host's file was %s meanwhile", there ? "changed" : "removed");
	if (verdict == SEAL_UNKNOWN)
		return apply_find(apply, APPLY_CONFLICT, change->path,
		                  "the host's file is newer than the workspace: nobody knows what the change was made from");
	return 0;
}

static int check_places(struct apply *apply, const struct change *change)
{
	const char *reason = apply->options->judge ? apply->options->judge(apply->options->judge_data, change->path) : NULL;

	if (!reason || is_allowed(apply, change->path))
		return 0;
	return apply_find(apply, APPLY_REFUSED, change->path, "%s", reason);
}

static int check_link(struct apply *apply, const struct change *change, const char **ret_target)
{
	int r;

	if (change->after.kind != ENTRY_LINK)
		return 0;
	r = entry_read_link(apply->changes.after.fd[change->after_layer], change->path, &apply->changes.arena, ret_target);
	if (r < 0)
		return r;
	if (!leads_out(change->path, *ret_target) || is_allowed(apply, change->path))
		return 0;
	return apply_find(apply, APPLY_REFUSED, change->path, "a link that leads out of the tree, to %s", *ret_target);
}

static int check_size(struct apply *apply, const struct change *change)
{
	const struct apply_options *options = apply->options;

	if (change->after.kind != ENTRY_FILE)
		return 0;
	apply->total_bytes += change->after.size;
	if (options->max_file_bytes && change->after.size > options->max_file_bytes)
		return apply_find(apply, APPLY_REFUSED, change->path, "has %llu bytes, and %llu are the limit of a file",
		                  (unsigned long long)change->after.size, (unsigned long long)options->max_file_bytes);
	if (options->max_total_bytes && apply->total_bytes > options->max_total_bytes)
		return apply_find(apply, APPLY_REFUSED, change->path, "goes beyond %llu bytes, the limit of all files together",
		                  (unsigned long long)options->max_total_bytes);
	return 0;
}

static int check_mode(struct apply *apply, const struct change *change)
{
	uint32_t before = change->before.kind == ENTRY_FILE ? change->before.mode : 0;
	int r = 0;

	if (change->after.kind == ENTRY_FILE && change->after.mode & MODE_EXECUTE & ~before)
		r = apply_find(apply, APPLY_NOTICE, change->path, "becomes executable");
	if (r == 0 && change->after.kind != ENTRY_LINK && change->after.mode & MODE_SPECIAL)
		r = apply_find(apply, APPLY_NOTICE, change->path, "loses its %s",
		               change->after.mode & 06000 ? "set-id bits" : "sticky bit");
	return r;
}

/* The directory that a new name comes into, or the nearest one above that is there: same file system, and who owns it. */
static int look_at_parent(struct apply *apply, const char *path)
{
	char above[PATH_BYTES_MAX + 1];
	int r = 0;

	snprintf(above, sizeof(above), "%s", path);
	apply->owner = apply->top;
	while (r == 0 && go_up(above)) {
		r = entry_look(apply->workspace->base, above, &apply->owner);
		if (r == 0 && apply->owner.kind == ENTRY_DIR)
			break;
		apply->owner = apply->top;
	}
	return r;
}

static int check_parent(struct apply *apply, const struct change *change, struct entry *ret_parent)
{
	const char *slash = strrchr(change->path, '/');
	size_t n = slash ? (size_t)(slash - change->path) : 0;
	bool known = apply->owner.kind == ENTRY_DIR && strncmp(apply->judged, change->path, n) == 0 && !apply->judged[n];
	int r = known ? 0 : look_at_parent(apply, change->path);

	if (r < 0)
		return r;
	snprintf(apply->judged, sizeof(apply->judged), "%.*s", (int)n, change->path);
	*ret_parent = apply->owner;
	if (apply->owner.dev != apply->top.dev)
		r = apply_find(apply, APPLY_REFUSED, change->path, "lies on another file system than %s", apply->workspace->record.base);
	return r;
}

static struct step *add_step(struct apply *apply, enum step_kind kind, const struct change *change)
{
	struct step *step = step_vec_add(&apply->steps, &apply->changes.arena);

	if (step)
		*step = (struct step){ .kind = kind,
			               .path = change->path,
			               .number = apply->steps.n,
			               .before = change->before,
			               .after = change->after,
			               .change = change };
	return step;
}

/* A mode that only the host has changed stays. */
static uint32_t mode_of(const struct apply *apply, const struct change *change)
{
	const struct seal *seal = seals_find(&apply->seals, change->path);
	bool theirs = seal && seal->type == change->after.type && seal->mode == change->after.mode && change->kind == CHANGE_MODIFIED;

	return (theirs ? change->before.mode : change->after.mode) & MODE_KEPT;
}

static int plan_write(struct apply *apply, const struct change *change, const char *target)
{
	const struct apply_hunks *hunks = hunks_of(apply, change->path);
	bool replaces = change->before.kind != ENTRY_NONE && change->before.kind != ENTRY_DIR;
	struct entry parent;
	int r = check_parent(apply, change, &parent);

	if (r < 0)
		return r;
	if (change->before.kind == ENTRY_DIR && !add_step(apply, STEP_CLEAR_DIR, change))
		return -ENOMEM;
	if (hunks && (change->before.kind != ENTRY_FILE || change->after.kind != ENTRY_FILE))
		return apply_find(apply, APPLY_REFUSED, change->path, "is new, gone or no file: it has no hunks to choose from");
	struct step *step = add_step(apply, STEP_WRITE, change);

	if (!step)
		return -ENOMEM;
	if (!replaces)
		step->before = (struct entry){ .kind = ENTRY_NONE };
	step->after.mode = mode_of(apply, change);
	step->after.uid = replaces ? change->before.uid : parent.uid;
	step->after.gid = replaces ? change->before.gid : parent.gid;
	step->target = target;
	step->hunks = hunks;
	return 0;
}

static int plan_dir(struct apply *apply, const struct change *change)
{
	bool there = change->before.kind == ENTRY_DIR;
	struct entry parent;
	int r = check_parent(apply, change, &parent);

	if (r < 0)
		return r;
	if (change->before.kind != ENTRY_NONE && !there && !add_step(apply, STEP_CLEAR, change))
		return -ENOMEM;
	if (!there && !add_step(apply, STEP_MAKE_DIR, change))
		return -ENOMEM;
	struct step *step = add_step(apply, STEP_FINISH_DIR, change);

	if (!step)
		return -ENOMEM;
	step->after.mode = mode_of(apply, change);
	step->after.uid = there ? change->before.uid : parent.uid;
	step->after.gid = there ? change->before.gid : parent.gid;
	return 0;
}

/* Is a directory above it replaced by something else? */
static bool makes_way(const struct apply *apply, const char *path)
{
	char above[PATH_BYTES_MAX + 1];

	snprintf(above, sizeof(above), "%s", path);
	while (go_up(above)) {
		const struct change *change = changes_find(&apply->changes, above);

		if (change && change->what & CHANGE_TYPE && change->after.kind != ENTRY_DIR)
			return true;
	}
	return false;
}

static int plan_removal(struct apply *apply, const struct change *change)
{
	bool dir = change->before.kind == ENTRY_DIR, early = makes_way(apply, change->path);
	enum step_kind kind = dir ? STEP_REMOVE_DIR : STEP_REMOVE;

	if (early)
		kind = dir ? STEP_CLEAR_DIR : STEP_CLEAR;
	return add_step(apply, kind, change) ? 0 : -ENOMEM;
}

static int plan_steps(struct apply *apply, const struct change *change, const char *target)
{
	if (change->kind == CHANGE_DELETED)
		return plan_removal(apply, change);
	return change->after.kind == ENTRY_DIR ? plan_dir(apply, change) : plan_write(apply, change, target);
}

static int plan_one(struct apply *apply, const struct change *change)
{
	const char *target = NULL;
	int r = 0;

	if (change->kind != CHANGE_DELETED && change->after.kind == ENTRY_OTHER)
		return apply_find(apply, APPLY_LEFT, change->path, "is no file, directory or link: it stays in the workspace");
	if (change->fault)
		return apply_find(apply, APPLY_REFUSED, change->path, "cannot be read: %s", strerror(change->fault));
	if (change_shows(change)) {
		r = check_places(apply, change);
		if (r == 0)
			r = check_conflict(apply, change);
		if (r == 0)
			r = check_link(apply, change, &target);
		if (r == 0)
			r = check_size(apply, change);
		if (r == 0)
			r = check_mode(apply, change);
	} else if (change->after.kind == ENTRY_LINK) {
		r = entry_read_link(apply->changes.after.fd[change->after_layer], change->path, &apply->changes.arena, &target);
	}
	return r < 0 ? r : plan_steps(apply, change, target);
}

/* What is selected needs the directories that it comes into. */
static void mark_parents(const struct apply *apply, const char *path, bool *wanted)
{
	char above[PATH_BYTES_MAX + 1];

	snprintf(above, sizeof(above), "%s", path);
	while (go_up(above)) {
		const struct change *change = changes_find(&apply->changes, above);

		if (change && change->after.kind == ENTRY_DIR && change->before.kind != ENTRY_DIR)
			wanted[change - apply->changes.list.at] = true;
	}
}

/* qsort: kinds in their order; what goes and what is finished, from the depths up. */
static int by_step(const void *a, const void *b)
{
	const struct step *x = a, *y = b;
	bool early = (x->kind == STEP_CLEAR || x->kind == STEP_CLEAR_DIR) && (y->kind == STEP_CLEAR || y->kind == STEP_CLEAR_DIR);
	int order = strcmp(x->path, y->path);

	if (x->kind != y->kind && !early)
		return x->kind < y->kind ? -1 : 1;
	return x->kind == STEP_MAKE_DIR || x->kind == STEP_WRITE ? order : -order;
}

/* A path or hunk that names nothing is a mistake that somebody should hear of. */
static int check_names(const struct apply *apply, struct err *err)
{
	const struct apply_options *options = apply->options;

	for (size_t i = 0; i < options->paths_n; i++) {
		bool found = false;

		for (size_t k = 0; k < apply->changes.list.n && !found; k++)
			found = changes_print_selects(&options->paths[i], 1, apply->changes.list.at[k].path);
		if (!found)
			return err_set(err, ERR_NOTFOUND, ENOENT, "%s: the workspace has not changed it", options->paths[i]);
	}
	for (size_t i = 0; i < options->hunks_n; i++)
		if (!changes_find(&apply->changes, options->hunks[i].path))
			return err_set(err, ERR_NOTFOUND, ENOENT, "%s: the workspace has not changed it", options->hunks[i].path);
	return 0;
}

/* A directory that is as it was gets another time by what is done in it, and its own again behind that. */
static int keep_time(struct apply *apply, const char *path)
{
	struct stack_place before, after;
	char above[PATH_BYTES_MAX + 1];
	int r;

	snprintf(above, sizeof(above), "%s", path);
	if (!go_up(above) || changes_find(&apply->changes, above))
		return 0;
	r = stack_find(&apply->changes.before, above, &before);
	if (r == 0)
		r = stack_find(&apply->changes.after, above, &after);
	if (r < 0 || before.entry.kind != ENTRY_DIR || after.entry.kind != ENTRY_DIR)
		return r;
	struct step *step = step_vec_add(&apply->steps, &apply->changes.arena);
	char *copy = arena_dup(&apply->changes.arena, above);

	if (!step || !copy)
		return -ENOMEM;
	*step = (struct step){ .kind = STEP_FINISH_DIR, .path = copy, .before = before.entry, .after = after.entry };
	step->after.mode = before.entry.mode & MODE_KEPT;
	step->after.uid = before.entry.uid;
	step->after.gid = before.entry.gid;
	return 0;
}

static int keep_times(struct apply *apply)
{
	size_t n = apply->steps.n;
	const char *last = NULL;
	int r = 0;

	if (apply->options->paths_n || apply->options->hunks_n)
		return 0;
	for (size_t i = 0; r == 0 && i < n; i++) {
		const char *path = apply->steps.at[i].path, *slash = strrchr(path, '/');
		size_t dir = slash ? (size_t)(slash - path) + 1 : 0;

		if (dir && (!last || strncmp(last, path, dir) != 0 || strchr(last + dir, '/')))
			r = keep_time(apply, path);
		last = path;
	}
	return r;
}

int apply_plan(struct apply *apply, struct err *err)
{
	bool *wanted = arena_array(&apply->changes.arena, apply->changes.list.n + 1, sizeof(*wanted));
	int r = check_names(apply, err);

	if (r < 0)
		return r;
	if (!wanted)
		return err_set(err, ERR_INTERNAL, ENOMEM, "no memory for what is to be applied");
	memset(wanted, 0, (apply->changes.list.n + 1) * sizeof(*wanted));
	apply->wanted = wanted;
	for (size_t i = 0; i < apply->changes.list.n; i++) {
		const struct change *change = &apply->changes.list.at[i];

		if (!is_selected(apply, change->path))
			continue;
		wanted[i] = true;
		mark_parents(apply, change->path, wanted);
	}
	r = entry_look(apply->workspace->base, "", &apply->top);
	for (size_t i = 0; r == 0 && i < apply->changes.list.n; i++)
		if (wanted[i])
			r = plan_one(apply, &apply->changes.list.at[i]);
	if (r == 0)
		r = keep_times(apply);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "what is to be applied cannot be listed: %s", strerror(-r));
	if (apply->steps.n)
		qsort(apply->steps.at, apply->steps.n, sizeof(*apply->steps.at), by_step);
	return 0;
}

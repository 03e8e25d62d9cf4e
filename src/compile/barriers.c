/*
 * A sandbox of root is a stranger to root's directories. Where it may not search one, nothing in it can be seen, bound or masked, by
 * path, from inside; so a directory on the way to a rule that strangers may not search counts as hidden, and what the rules open below it
 * is put into an empty one. Trees that the policy names are shown with changed owners and have no such barriers.
 */
#include "base/path.h"
#include "compile/stage.h"

enum { SEARCH_BY_OTHERS = 01 };

static bool opens(const struct mark *mark)
{
	return mark->named && (mark->effect == EFFECT_ALLOW_READ || mark->effect == EFFECT_ALLOW_WRITE || mark->effect == EFFECT_OWN);
}

/* Is the directory shown as the sandbox's own? */
static bool changes_owner(const struct compile *c, size_t marks, const struct survey_entry *dir)
{
	for (size_t i = 0; i < marks && c->facts->idmapped_mounts; i++) {
		const struct mark *mark = &c->marks.at[i];

		if (opens(mark) && !mark->entry->keeps_owners && mark->entry->uid == dir->uid && path_within(dir->real, mark->path))
			return true;
	}
	return false;
}

static bool is_barrier(const struct compile *c, size_t marks, const struct survey_entry *entry)
{
	return entry && entry->kind == SURVEY_DIR && !entry->link && !(entry->mode & SEARCH_BY_OTHERS) && !changes_owner(c, marks, entry);
}

static int add_barrier(struct compile *c, const struct survey_entry *entry)
{
	struct mark *mark = mark_vec_add(&c->marks, c->arena);

	if (!mark)
		return compile_no_memory(c);
	*mark = (struct mark){
		.path = entry->real,
		.effect = EFFECT_DENY_READ,
		.why = "default: not open to the sandbox's user",
		.entry = entry,
		.order = c->marks.n,
	};
	return 0;
}

/* Root opens what is behind one as root. In a container, or before Linux 5.12, the sandbox itself would have to: what no rule names is left out. */
static int pass_barrier(struct compile *c, struct mark *mark, const struct survey_entry *barrier)
{
	bool is_behind = strcmp(mark->path, barrier->real) != 0;
	int r;

	if (mounts_opens_as_root(c) || !is_behind || (mark->effect != EFFECT_ALLOW_READ && mark->effect != EFFECT_ALLOW_WRITE))
		return 0;
	if (!mark->named) {
		mark->effect = EFFECT_DENY_READ;
		return 0;
	}
	r = err_set(c->err, ERR_DENIED, EACCES,
	            "%s: root's sandbox is another user, who may not search %s, and root cannot open it for that user here: "
	            "run as the user whose files these are, or open that directory to others (chmod o+x)",
	            mark->path, barrier->real);
	err_at(c->err, mark->why);
	return r;
}

/* The outermost one on the way: below it everything is hidden anyway. */
static int add_barrier_above(struct compile *c, size_t mark, size_t marks)
{
	const char *path = c->marks.at[mark].path;

	for (size_t n = 0; path[n];) {
		const struct survey_entry *entry;
		const char *prefix;

		n += 1 + strcspn(path + n + 1, "/");
		if (!path[n])
			break;
		prefix = arena_dup_n(c->arena, path, n);
		if (!prefix)
			return compile_no_memory(c);
		entry = survey_find(c->inputs->survey, prefix);
		if (is_barrier(c, marks, entry)) {
			int r = pass_barrier(c, &c->marks.at[mark], entry);

			return r < 0 ? r : add_barrier(c, entry);
		}
	}
	return 0;
}

int barriers_land(struct compile *c)
{
	size_t marks = c->marks.n;
	int r = 0;

	for (size_t i = 0; c->facts->sandbox_uid && c->rung == COMPILE_RUNG_NAMESPACES && r == 0 && i < marks; i++)
		r = add_barrier_above(c, i, marks);
	return r;
}

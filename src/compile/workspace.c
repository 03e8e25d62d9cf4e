/*
 * Theory of operation. Everything that an overlay is made of besides its base lies in one directory of coffer's own, which becomes one tree: the kernel
 * wants upper and work directory on one mount, and one mount is shown with other owners in one go. For root that is how files come to be root's again
 * on the host: the sandbox's user is another one each time.
 *
 * What is written inside is judged when it is to leave, not here. So no name in the tree is protected, and no call that makes one has to come to init.
 *
 * On rung two nothing can be mounted: the sandbox works in the stage itself, at its own path, and what is hidden is hidden there as well.
 */
#include "compile/workspace.h"

#include "base/path.h"
#include "compile/stage.h"
#include "policy/decide.h"
#include "policy/places.h"

#include <errno.h>

static const uint64_t tree_flags = PLAN_TREE_NOSUID | PLAN_TREE_NODEV | PLAN_TREE_RECURSIVE;

static const struct input_workspace *asked(const struct compile *c)
{
	return &c->inputs->workspace;
}

/* ---- choosing ---- */

/* The deepest directory that both are in. */
static const char *common(struct compile *c, const char *a, const char *b)
{
	while (a && !path_within(b, a))
		a = path_parent(c->arena, a);
	return a;
}

const char *workspace_dir(struct compile *c)
{
	const struct input_workspace *w = asked(c);
	const char *dir;

	if (w->how == INPUT_WORKSPACE_STAGE)
		return w->stage;
	dir = common(c, w->upper, w->work);
	for (size_t i = 0; dir && i < w->layers.n; i++)
		dir = common(c, dir, w->layers.at[i]);
	return dir;
}

static int refuse(struct compile *c, enum err_code code, int errnum, const char *text)
{
	int r = err_set(c->err, code, errnum, "%s: %s", asked(c)->path, text);

	err_at(c->err, c->own.why);
	return r;
}

/* The caller makes a stage instead. */
static int refuse_overlay(struct compile *c, const char *text)
{
	return refuse(c, ERR_UNSUPPORTED, EOPNOTSUPP, text);
}

/* A file whose owner or group is nobody inside cannot be copied up: that of the top stands for them all. */
static int check_owners(struct compile *c)
{
	const struct facts *facts = c->facts;
	const struct survey_entry *base = c->own.base, *dir = c->own.dir;

	if (facts->sandbox_uid && ((base && base->keeps_owners) || dir->keeps_owners))
		return refuse_overlay(c, "its file system cannot show files as another user's");
	if (!facts->sandbox_uid && base && (base->uid != facts->uid || base->gid != facts->gid))
		return refuse_overlay(c, "it belongs to another user or group, so no overlay can change it");
	return 0;
}

static int check_overlay(struct compile *c)
{
	if (c->rung != COMPILE_RUNG_NAMESPACES)
		return refuse_overlay(c, "there are no overlays without user namespaces");
	if (!c->facts->overlay || !c->facts->mount_api || (c->facts->sandbox_uid && !mounts_opens_as_root(c)))
		return refuse_overlay(c, "this kernel, or what coffer may do here, does not let a sandbox have an overlay");
	if (asked(c)->layers.n > PLAN_LAYERS_MAX)
		return refuse_overlay(c, "it has more layers than an overlay takes");
	return check_owners(c);
}

/* What the policy does not let be read is not read through an overlay of it either: nobody has looked for secrets there. */
static int check_base(struct compile *c, const struct survey_entry *place)
{
	const struct survey_entry *base = c->own.base;
	struct policy_verdict verdict;

	if (!base)
		return 0;
	if (base->kind != SURVEY_DIR)
		return refuse(c, ERR_NOTFOUND, ENOENT, "there is no such directory to work on");
	if (strcmp(base->real, place->real) != 0)
		return refuse(c, ERR_INTERNAL, EINVAL, "the base is another directory");
	verdict = policy_decide(c->policy, asked(c)->base, POLICY_READ);
	if (!verdict.allowed && verdict.rule->place && verdict.rule->place->class == PLACE_OWN)
		return refuse(c, ERR_POLICY, EACCES, WHY_NOT_COFFERS);
	if (!verdict.allowed)
		return refuse(c, ERR_POLICY, EACCES,
		              "the policy does not let it be read: allow it by --allow-read, or work in a directory below");
	return 0;
}

static int check_place(struct compile *c, const struct survey_entry *place)
{
	const char *path = c->own.path, *dir = c->own.dir->real;

	if (!path[1] || fresh_owns(c, path))
		return refuse(c, ERR_POLICY, EINVAL, "no place for a working tree of its own");
	if (c->own.dir->kind != SURVEY_DIR)
		return refuse(c, ERR_NOTFOUND, ENOENT, "its directory in coffer's data is gone");
	if (!dir[1] || path_within(path, dir) || path_within(dir, path))
		return refuse(c, ERR_POLICY, EINVAL, "coffer's own data lies in it, or it in them: set XDG_DATA_HOME to another directory");
	return check_base(c, place);
}

int workspace_choose(struct compile *c)
{
	const struct input_workspace *w = asked(c);
	const struct survey_entry *place;
	const char *dir;
	int r;

	if (w->how == INPUT_WORKSPACE_SHARED)
		return 0;
	dir = workspace_dir(c);
	place = survey_find(c->inputs->survey, w->path);
	c->own.why = w->how == INPUT_WORKSPACE_OVERLAY ? COMPILE_WHY_OVERLAY : COMPILE_WHY_STAGE;
	c->own.dir = dir ? survey_find(c->inputs->survey, dir) : NULL;
	c->own.base = w->base ? survey_find(c->inputs->survey, w->base) : NULL;
	if (!place || !c->own.dir || (w->base && !c->own.base))
		return refuse(c, ERR_INTERNAL, EINVAL, "the survey has not looked");
	c->own.path = place->real;
	r = check_place(c, place);
	return r == 0 && w->how == INPUT_WORKSPACE_OVERLAY ? check_overlay(c) : r;
}

bool workspace_holds(const struct compile *c, const char *path)
{
	return c->own.path && path_within(path, c->own.path);
}

const char *workspace_place(struct compile *c, const char *path)
{
	const char *below = path_below(path, c->own.path);

	if (c->rung == COMPILE_RUNG_NAMESPACES)
		return path;
	return below && *below ? path_join(c->arena, c->own.dir->real, below) : c->own.dir->real;
}

bool workspace_is_copy(const struct compile *c, const struct region *region)
{
	return region->own && asked(c)->how == INPUT_WORKSPACE_STAGE;
}

/* ---- landing ---- */

static int add_mark(struct compile *c, struct mark mark)
{
	struct mark *added = mark.path ? mark_vec_add(&c->marks, c->arena) : NULL;

	if (!added)
		return compile_no_memory(c);
	mark.order = c->marks.n;
	*added = mark;
	return 0;
}

/* Rung two: a hidden name of the tree is one of the stage as well, whether it has been copied or not. */
static int land_in_stage(struct compile *c)
{
	const struct survey_entry *place = survey_find(c->inputs->survey, asked(c)->path);
	const size_t marks = c->marks.n;
	int r = add_mark(
	    c,
	    (struct mark){ .path = c->own.dir->real, .effect = EFFECT_ALLOW_WRITE, .why = c->own.why, .entry = c->own.dir, .named = true });

	for (size_t i = 0; r == 0 && i < marks; i++) {
		struct mark mark = c->marks.at[i];

		if (mark.effect != EFFECT_DENY_READ || strcmp(mark.path, c->own.path) == 0 || !workspace_holds(c, mark.path))
			continue;
		mark.path = workspace_place(c, mark.path);
		r = add_mark(c, mark);
	}
	if (r == 0 && place->kind == SURVEY_DIR) /* also where a rule lets what is around it be written */
		r = add_mark(c, (struct mark){ .path = place->real, .effect = EFFECT_DENY_WRITE, .why = c->own.why, .entry = place });
	if (r == 0)
		plan_build_note(&c->plan, "%s: nothing can be mounted here, so the sandbox works on its copy at that one's own path, %s",
		                c->own.path, c->own.dir->real);
	return r;
}

/* Coffer's own directories are nothing to look into beside it, whatever else is shown. */
int workspace_land(struct compile *c)
{
	const struct survey_entry *shown = c->own.base ? c->own.base : c->own.dir;
	int r;

	if (!c->own.path)
		return 0;
	if (c->rung != COMPILE_RUNG_NAMESPACES)
		return land_in_stage(c);
	r = add_mark(c, (struct mark){ .path = c->own.path, .effect = EFFECT_OWN, .why = c->own.why, .entry = shown, .named = true });
	if (r < 0)
		return r;
	return add_mark(c, (struct mark){ .path = c->own.dir->real, .effect = EFFECT_DENY_READ, .why = c->own.why, .entry = c->own.dir });
}

/* A new directory can be made in an empty tree only, and what a rule hides is not worked in. */
int workspace_check(struct compile *c)
{
	const struct region *region = &c->regions.at[c->own.path ? region_find(&c->regions, c->own.path) : 0];
	const struct survey_entry *place = c->own.path ? survey_find(c->inputs->survey, asked(c)->path) : NULL;

	if (!c->own.path || c->rung != COMPILE_RUNG_NAMESPACES)
		return 0;
	if (!region->own)
		return refuse(c, ERR_POLICY, EACCES, "the policy hides it");
	if (place->kind != SURVEY_DIR && !mounts_is_bare(c, region->parent))
		return refuse(c, ERR_POLICY, ENOENT,
		              "there is no such directory on the host, and here the host's own is shown: choose one in /tmp");
	return 0;
}

/* ---- how much it holds ---- */

/* What was written, and the layers that were made of that. Of a copy nobody knows what of it was. */
int workspace_put_quota(struct compile *c)
{
	const struct policy_limit *bytes = &c->policy->limit[POLICY_LIMIT_WORKSPACE_SIZE],
				  *files = &c->policy->limit[POLICY_LIMIT_WORKSPACE_FILES];
	const char *why = bytes->value != NUM_UNLIMITED ? bytes->why : files->why, *top, *layers;
	const char *tree = asked(c)->how == INPUT_WORKSPACE_STAGE ? asked(c)->stage : asked(c)->upper;
	struct text_vec dirs = { 0 };
	int r;

	if (bytes->value == NUM_UNLIMITED && files->value == NUM_UNLIMITED)
		return 0;
	why = why ? why : WHY_DEFAULT;
	if (!c->own.path) {
		r = err_set(
		    c->err, ERR_UNSUPPORTED, EOPNOTSUPP,
		    "what the host's own tree holds cannot be limited: work in one of the sandbox's own, by coffer try, or by --copy or "
		    "--empty of a session");
		err_at(c->err, why);
		return r;
	}
	top = path_parent(c->arena, tree);
	layers = top ? path_join(c->arena, top, "layers") : NULL;
	r = compile_add_text(c, &dirs, tree);
	if (r == 0)
		r = compile_add_text(c, &dirs, layers);
	if (r == 0)
		plan_add(&c->plan, OP_QUOTA, why, &dirs, bytes->value, files->value);
	return r;
}

/* ---- mounting ---- */

static struct source source_of(const struct compile *c, const struct survey_entry *entry)
{
	return (struct source){
		.path = entry->real,
		.why = c->own.why,
		.entry = entry,
		.flags = tree_flags,
		.idmapped = mounts_opens_as_root(c) && c->facts->idmapped_mounts && !entry->keeps_owners,
		.uid = entry->uid,
		.gid = entry->gid,
	};
}

int workspace_add_sources(struct compile *c, struct region *region)
{
	int r = 0;

	if (workspace_is_copy(c, region))
		return mounts_add_source(c, source_of(c, c->own.dir), &region->slot);
	if (c->own.base)
		r = mounts_add_source(c, source_of(c, c->own.base), &region->slot);
	else
		region->slot = plan_build_slot(&c->plan);
	return r == 0 ? mounts_add_source(c, source_of(c, c->own.dir), &c->own.dir_slot) : r;
}

/* "/", and then what is below the directory. */
static const char *held(struct compile *c, const char *path)
{
	const char *below = path_below(path, workspace_dir(c));

	return below ? path_join(c->arena, "/", below) : NULL;
}

void workspace_put(struct compile *c, const struct region *region)
{
	const struct input_workspace *w = asked(c);
	const char *upper = held(c, w->upper), *work = held(c, w->work);
	struct text_vec layers = { 0 };
	int r = upper && work ? 0 : -ENOMEM;

	if (workspace_is_copy(c, region))
		return;
	for (size_t i = 0; r == 0 && i < w->layers.n; i++)
		r = compile_add_text(c, &layers, held(c, w->layers.at[i]));
	if (!c->own.base)
		plan_add(&c->plan, OP_EMPTY, c->own.why, region->slot);
	plan_add(&c->plan, OP_OVERLAY, c->own.why, region->slot, c->own.dir_slot, &layers, upper, work);
}

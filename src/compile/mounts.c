/*
 * Theory of operation. Regions come parents first, so each is mounted onto what its parent has put there. What that takes follows
 * from the two alone:
 *
 *   in              a region that is      becomes
 *   nothing         readable, writable    TREE, placed on a directory or file made for it
 *   readable        writable              TREE, placed on the one that is there
 *   writable        readable              REBIND: the same thing once more, without the right to write
 *   visible         hidden                MASK; a small tmpfs where something below it is not hidden
 *   anything        the sandbox's own     fresh.c, workspace.c
 *
 * Nothing: a skeleton, which holds only the way to what is shown. The root is one where "/" is hidden. Skeletons turn read-only at the
 * end. All host sources are opened first, by their real paths and known by device and inode; what is done to paths of the new root
 * afterwards works on those trees. A mount point cannot be renamed or removed, so protected things stay where they are; the
 * directories above them up to the writable region are bound over themselves (pins) for the same reason.
 */
#include "compile/mounts.h"

#include "base/path.h"
#include "compile/stage.h"

#include <sys/stat.h>

enum { SKELETON_BYTES = 256 << 10, SKELETON_INODES = 8192, SKELETON_MODE = 0755, MOUNT_POINT_MODE = 0444 };

static const uint64_t tree_flags = PLAN_TREE_NOSUID | PLAN_TREE_NODEV;
static const uint64_t skeleton_flags = PLAN_TREE_NOSUID | PLAN_TREE_NODEV | PLAN_TREE_NOEXEC;

static bool is_dir(const struct survey_entry *entry)
{
	return !entry || entry->kind == SURVEY_DIR;
}

static uint64_t device_of(const struct survey_entry *entry)
{
	return entry ? entry->dev : 0;
}

static uint64_t inode_of(const struct survey_entry *entry)
{
	return entry ? entry->ino : 0;
}

/* ---- sources ---- */

int mounts_add_source(struct compile *c, struct source source, uint64_t *ret_slot)
{
	struct source *added = source_vec_add(&c->sources, c->arena);

	if (!added)
		return compile_no_memory(c);
	source.slot = plan_build_slot(&c->plan);
	*added = source;
	*ret_slot = source.slot;
	return 0;
}

/* A read-only place in a writable tree is that tree again; all other places that are shown come from the host. */
static bool is_rebind(const struct compile *c, const struct region *region)
{
	const struct region *parent = &c->regions.at[region->parent];

	if (region == parent || !region_is_host_writable(parent) || region->access != ACCESS_READ)
		return false;
	return region->idmapped == parent->idmapped && region->uid == parent->uid && region->gid == parent->gid;
}

static uint64_t flags_of(const struct region *region)
{
	uint64_t flags = tree_flags;

	if (region->access == ACCESS_READ)
		flags |= PLAN_TREE_RO;
	return is_dir(region->entry) ? flags | PLAN_TREE_RECURSIVE : flags;
}

int mounts_choose_sources(struct compile *c)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->regions.n && c->rung == COMPILE_RUNG_NAMESPACES; i++) {
		struct region *region = &c->regions.at[i];
		struct source source = {
			.path = region->path,
			.why = region->why,
			.entry = region->entry,
			.flags = flags_of(region),
			.idmapped = region->idmapped,
			.uid = region->uid,
			.gid = region->gid,
		};

		if (region->own)
			r = workspace_add_sources(c, region);
		else if (region_is_host_visible(region) && !is_rebind(c, region))
			r = mounts_add_source(c, source, &region->slot);
	}
	return r;
}

static void put_idmap(struct compile *c, const struct source *source)
{
	if (source->idmapped)
		plan_add(&c->plan, OP_TREE_IDMAP, source->why, source->slot, (uint64_t)source->uid, (uint64_t)c->facts->sandbox_uid,
		         (uint64_t)source->gid, (uint64_t)c->facts->sandbox_uid);
}

bool mounts_opens_as_root(const struct compile *c)
{
	return c->facts->root && c->facts->mount_api && c->rung == COMPILE_RUNG_NAMESPACES;
}

static void put_sources(struct compile *c)
{
	enum plan_opcode code = mounts_opens_as_root(c) ? OP_HOST_TREE : OP_TREE;

	for (size_t i = 0; i < c->sources.n; i++) {
		const struct source *source = &c->sources.at[i];

		plan_add(&c->plan, code, source->why, source->slot, source->path, source->flags, device_of(source->entry),
		         inode_of(source->entry));
		put_idmap(c, source);
	}
}

/* Where a try has failed the rest of the plan holds; only the files' own modes are in the way. */
static int note_kept_owners(struct compile *c)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->marks.n; i++) {
		const struct mark *mark = &c->marks.at[i];
		bool opens = mark->effect == EFFECT_ALLOW_READ || mark->effect == EFFECT_ALLOW_WRITE;

		if (opens && mark->named && mark->entry && mark->entry->keeps_owners)
			r = compile_weaken(
			    c, mark->why,
			    "%s: its file system cannot show files as another user's: what only their owner may read or write "
			    "is not readable for root's sandbox, nor written; run as that user instead",
			    mark->path);
	}
	return r;
}

/* Root's sources are opened while the warden is root, and handed into the jail as detached trees. */
int mounts_put_host_sources(struct compile *c)
{
	if (!mounts_opens_as_root(c))
		return 0;
	put_sources(c);
	return c->facts->idmapped_mounts ? note_kept_owners(c) : 0;
}

/* ---- bare trees ---- */

bool mounts_is_bare(const struct compile *c, size_t index)
{
	const struct region *region = &c->regions.at[index];

	if (region->fresh)
		return true;
	return region->access == ACCESS_HIDDEN && (index == 0 || region->opened_below);
}

static bool is_in_bare(const struct compile *c, const struct region *region)
{
	return mounts_is_bare(c, region->parent);
}

int mounts_make_dir(struct compile *c, const char *path, const char *why)
{
	size_t at = region_find(&c->regions, path);

	if (strcmp(c->regions.at[at].path, path) == 0 || !mounts_is_bare(c, at) || (c->last_dir && strcmp(path, c->last_dir) == 0))
		return 0; /* it is there already */
	plan_add(&c->plan, OP_DIR, why, path, (uint64_t)SKELETON_MODE);
	c->last_dir = path;
	return 0;
}

static int make_parent(struct compile *c, const char *path, const char *why)
{
	const char *parent = path_parent(c->arena, path);

	return parent ? mounts_make_dir(c, parent, why) : compile_no_memory(c);
}

static int make_mount_point(struct compile *c, const struct region *region)
{
	int r;

	if (!is_in_bare(c, region))
		return 0;
	if (is_dir(region->entry)) {
		plan_add(&c->plan, OP_DIR, region->why, region->path, (uint64_t)SKELETON_MODE);
		return 0;
	}
	r = make_parent(c, region->path, region->why);
	if (r == 0)
		plan_add(&c->plan, OP_FILE, region->why, region->path, (uint64_t)MOUNT_POINT_MODE, "", (size_t)0);
	return r;
}

/* ---- one region after another ---- */

static void put_rebind(struct compile *c, const char *path, const struct survey_entry *entry, uint64_t flags, const char *why)
{
	if (is_dir(entry))
		flags |= PLAN_TREE_RECURSIVE;
	plan_add(&c->plan, OP_REBIND, why, path, flags, device_of(entry), inode_of(entry));
}

static int put_own(struct compile *c, const struct region *region)
{
	int r = make_mount_point(c, region);

	if (r < 0)
		return r;
	workspace_put(c, region);
	plan_add(&c->plan, OP_PLACE, region->why, region->slot, region->path);
	return 0;
}

static int put_shown(struct compile *c, const struct region *region)
{
	int r;

	if (is_rebind(c, region)) {
		put_rebind(c, region->path, region->entry, tree_flags | PLAN_TREE_RO, region->why);
		return 0;
	}
	r = make_mount_point(c, region);
	if (r == 0)
		plan_add(&c->plan, OP_PLACE, region->why, region->slot, region->path);
	return r;
}

/*
 * Some secrets need no mask: they are in a directory that the sandbox cannot change, and their mode keeps its user away, who does not own
 * them. (A sandbox of root is in no group; another caller may be in any.)
 */
static bool is_out_of_reach(const struct compile *c, const struct region *region)
{
	const struct survey_entry *entry = region->entry;
	const struct region *parent = &c->regions.at[region->parent];
	uint32_t own = c->facts->sandbox_uid, uid = own ? own : c->facts->uid, bits = own ? S_IRWXO : S_IRWXG | S_IRWXO;

	if (!entry || region->opened_below || region_is_host_writable(parent) || parent->own || parent->idmapped)
		return false;
	return entry->uid != uid && !(entry->mode & bits);
}

/* In a bare tree there is nothing to hide. */
static int put_hidden(struct compile *c, const struct region *region)
{
	const struct survey_entry *entry = region->entry;
	uint64_t kind = is_dir(entry) ? PLAN_MASK_DIR : PLAN_MASK_FILE;
	const bool in_own = c->regions.at[region->parent].own; /* where it has another identity, and may be something else by now */

	if (is_in_bare(c, region) || is_out_of_reach(c, region))
		return 0;
	if (region->opened_below)
		plan_add(&c->plan, OP_TMPFS, region->why, region->path, skeleton_flags, SKELETON_BYTES + secrets_room(c),
		         (uint64_t)SKELETON_INODES, (uint64_t)SKELETON_MODE);
	else
		plan_add(&c->plan, OP_MASK, region->why, region->path, in_own ? kind | PLAN_MASK_OPTIONAL : kind,
		         in_own ? 0 : device_of(entry), in_own ? 0 : inode_of(entry));
	return 0;
}

static int put_region(struct compile *c, const struct region *region)
{
	if (region->fresh)
		return fresh_put(c, region, is_in_bare(c, region));
	if (region->own)
		return put_own(c, region);
	return region->access == ACCESS_HIDDEN ? put_hidden(c, region) : put_shown(c, region);
}

static void put_first(struct compile *c)
{
	const struct region *root = &c->regions.at[0];

	if (root->access == ACCESS_HIDDEN)
		plan_add(&c->plan, OP_ROOT_NEW, root->why, SKELETON_BYTES + secrets_room(c), (uint64_t)SKELETON_INODES);
	else
		plan_add(&c->plan, OP_ROOT_TREE, root->why, root->slot);
}

static void put_pin(struct compile *c, const struct pin *pin)
{
	put_rebind(c, pin->path, pin->entry, pin->optional ? tree_flags | PLAN_TREE_OPTIONAL : tree_flags, pin->why);
}

/* Pins and regions are sorted alike; a region that is itself a mount point needs no pin. */
static int put_regions(struct compile *c)
{
	size_t pin = 0;
	int r = 0;

	put_first(c);
	for (size_t i = 1; r == 0 && i < c->regions.n; i++) {
		const struct region *region = &c->regions.at[i];

		for (; pin < c->pins.n && region_compare_paths(c->pins.at[pin].path, region->path) < 0; pin++)
			put_pin(c, &c->pins.at[pin]);
		r = put_region(c, region);
	}
	for (; r == 0 && pin < c->pins.n; pin++)
		put_pin(c, &c->pins.at[pin]);
	return r;
}

/* ---- the way to what is shown ---- */

/* A link that leads in one step to where it leads in the end keeps its text; one in a chain, whose next link may not be there, does not. */
static int put_link(struct compile *c, const struct link *link, const char *why)
{
	size_t above = region_find(&c->regions, link->place);
	const struct region *end = &c->regions.at[region_find(&c->regions, link->real)];
	int r;

	for (size_t i = 0; i < c->links.n; i++)
		if (strcmp(c->links.at[i], link->place) == 0)
			return 0;
	if (!mounts_is_bare(c, above) || (end->access == ACCESS_HIDDEN && !end->opened_below))
		return 0;
	r = compile_add_text(c, &c->links, link->place);
	if (r == 0)
		r = make_parent(c, link->place, why);
	if (r == 0)
		plan_add(&c->plan, OP_LINK, why, link->place, strcmp(link->target, link->real) == 0 ? link->text : link->real);
	return r;
}

static int put_links_on_way(struct compile *c, const char *path, const char *why)
{
	const struct survey_entry *entry = survey_find(c->inputs->survey, path);
	struct link_vec links = { 0 };
	int r;

	if (!entry || entry->kind == SURVEY_ABSENT || entry->kind == SURVEY_UNREADABLE || (!entry->link && strcmp(entry->real, path) == 0))
		return 0;
	r = links_on_way(c, path, &links);
	for (size_t i = 0; r == 0 && i < links.n; i++)
		r = put_link(c, &links.at[i], why);
	return r;
}

static int put_links_of(struct compile *c, const struct claim *claim)
{
	const struct policy_rule *rule = claim->rule;
	const char *why = rule->why ? rule->why : WHY_DEFAULT;
	const struct survey_match *match;
	size_t n;
	int r = 0;

	if (!rule->glob)
		return put_links_on_way(c, rule->path, why);
	n = rules_matches(&c->inputs->survey->matches, rule->glob, &match);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = put_links_on_way(c, match[i].path, why);
	return r;
}

static int put_links(struct compile *c)
{
	int r = put_links_on_way(c, "/tmp", WHY_DEFAULT);

	for (size_t i = 0; r == 0 && i < c->claims.n; i++)
		if (!rules_claim_denies(&c->claims.at[i]))
			r = put_links_of(c, &c->claims.at[i]);
	return r;
}

static int put_empty_dir(struct compile *c, const char *path)
{
	const struct survey_entry *entry = survey_find(c->inputs->survey, path);
	const char *real = entry ? entry->real : path;
	int r;

	r = mounts_make_dir(c, real, WHY_DEFAULT);
	return r == 0 ? put_links_on_way(c, path, WHY_DEFAULT) : r;
}

/* Home and working directory are there, if only as empty directories, for programs that count on them. */
static int put_empty_dirs(struct compile *c)
{
	int r = c->inputs->home ? put_empty_dir(c, c->inputs->home) : 0;

	return r == 0 ? put_empty_dir(c, c->policy->workspace.path) : r;
}

/* The workspace's second path. It must be a name that nothing else has here. */
static int put_alias(struct compile *c)
{
	const struct policy_workspace *workspace = &c->policy->workspace;
	const char *path = workspace->alias;
	int r = 0;

	if (!path || strcmp(path, c->workspace) == 0)
		return 0;

	const size_t at = region_find(&c->regions, path);

	for (size_t i = 0; i < c->links.n; i++)
		r |= path_within(path, c->links.at[i]);
	for (size_t i = 0; i < c->regions.n; i++)
		r |= path_within(c->regions.at[i].path, path);
	if (r || !mounts_is_bare(c, at)) {
		r = err_set(c->err, ERR_POLICY, EEXIST,
		            "%s: no link to the workspace can be made there: choose a name that is not in use, and a view of toolchain",
		            path);
		err_at(c->err, workspace->alias_why);
		return r;
	}
	r = make_parent(c, path, workspace->alias_why);
	if (r == 0)
		plan_add(&c->plan, OP_LINK, workspace->alias_why, path, c->workspace);
	return r;
}

/* What was built is not to be changed. */
static void put_read_only(struct compile *c)
{
	for (size_t i = c->regions.n; i-- > 0;) {
		const struct region *region = &c->regions.at[i];
		bool is_mount = i == 0 || !is_in_bare(c, region);

		if (mounts_is_bare(c, i) && is_mount && region->access != ACCESS_WRITE)
			plan_add(&c->plan, OP_REMOUNT, region->why, region->path, skeleton_flags | PLAN_TREE_RO);
	}
}

/* What namespaces of its own still need. */
static void put_kernel(struct compile *c)
{
	if (!c->policy->process.allow_nested_user_namespaces)
		plan_add(&c->plan, OP_SYSCTL, WHY_DEFAULT, "user/max_user_namespaces", "0");
	if (!c->facts->sandbox_uid) /* they count as the caller's own, who has 128 of them on most machines */
		plan_add(&c->plan, OP_SYSCTL, WHY_DEFAULT, "user/max_inotify_instances", "64");
	network_put_ways(c);
}

int mounts_put_root(struct compile *c)
{
	int r;

	if (c->rung != COMPILE_RUNG_NAMESPACES) {
		if (c->policy->workspace.alias)
			plan_build_note(&c->plan, "%s: not there, for without namespaces the root is the host's",
			                c->policy->workspace.alias);
		return 0;
	}
	identity_put_ids(c);
	plan_add(&c->plan, OP_PRIVATE, WHY_DEFAULT);
	if (!mounts_opens_as_root(c))
		put_sources(c);
	r = put_regions(c);
	if (r == 0)
		r = put_links(c);
	if (r == 0)
		r = put_empty_dirs(c);
	if (r == 0)
		r = put_alias(c);
	if (r == 0)
		r = fresh_put_details(c);
	if (r == 0)
		r = covers_put(c);
	if (r == 0)
		r = secrets_put_files(c);
	if (r == 0)
		r = own_put(c);
	if (r < 0)
		return r;
	put_read_only(c);
	put_kernel(c);
	plan_add(&c->plan, OP_PIVOT, WHY_DEFAULT);
	return 0;
}

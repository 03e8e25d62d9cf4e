#include "compile/regions.h"

#include "base/path.h"
#include "compile/stage.h"

#include <stdlib.h>

/* What is true at a place and, until a mark says otherwise, below it. */
struct standing {
	bool read, write, fresh;
	bool own; /* in a working tree of the sandbox's own, of which what can be written is shown, and what was hidden is not any more */
	bool idmapped;
	uint32_t uid, gid; /* idmapped: whose files are shown as the sandbox's */
};

/* The marks above the one at hand, outermost first. */
struct level {
	const char *path;
	struct standing standing;
	size_t region;
};
VEC(struct level, level_vec)

int region_compare_paths(const char *a, const char *b)
{
	for (; *a && *a == *b; a++)
		b++;
	if (*a == *b)
		return 0;
	if (*a == '/' || *b == '/')
		return *a == '/' ? (*b ? -1 : 1) : (*a ? 1 : -1);
	return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
}

static int compare_marks(const void *a, const void *b)
{
	const struct mark *left = a, *right = b;
	int order = region_compare_paths(left->path, right->path);

	if (order == 0 && left->effect != right->effect)
		return left->effect < right->effect ? -1 : 1;
	if (order == 0)
		return left->order < right->order ? -1 : left->order > right->order;
	return order;
}

bool region_is_host_visible(const struct region *region)
{
	return !region->fresh && region->access != ACCESS_HIDDEN;
}

bool region_is_host_writable(const struct region *region)
{
	return !region->fresh && !region->own && region->access == ACCESS_WRITE;
}

size_t region_find(const struct region_vec *regions, const char *path)
{
	size_t low = 0, high = regions->n; /* the last region that does not come after path is low */

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (region_compare_paths(regions->at[middle].path, path) <= 0)
			low = middle;
		else
			high = middle;
	}
	while (!path_within(path, regions->at[low].path))
		low = regions->at[low].parent;
	return low;
}

static enum access access_of(const struct standing *standing)
{
	if (!standing->read)
		return ACCESS_HIDDEN;
	return standing->write ? ACCESS_WRITE : ACCESS_READ;
}

/* In a tree of its own the sandbox has all but what is hidden. What is shown again in that comes from the host, and cannot be written. */
static void open_to(struct standing *standing, const struct mark *mark, bool idmaps)
{
	if (standing->own && standing->write)
		return;
	if (standing->fresh)
		*standing = (struct standing){ .read = true };
	standing->read = true;
	if (idmaps && mark->named && mark->entry && !mark->entry->keeps_owners) {
		standing->idmapped = true;
		standing->uid = mark->entry->uid;
		standing->gid = mark->entry->gid;
	}
}

/* Denials have nothing to deny where nothing of the host is. */
static void apply(struct standing *standing, const struct mark *mark, bool idmaps)
{
	switch (mark->effect) {
	case EFFECT_FRESH:
		*standing = (struct standing){ .read = true, .write = mark->writable, .fresh = true };
		break;
	case EFFECT_OWN:
		*standing = (struct standing){ .read = true, .write = true, .own = true };
		break;
	case EFFECT_DENY_READ:
		standing->read = standing->fresh;
		standing->write = standing->write && !standing->own;
		break;
	case EFFECT_ALLOW_READ:
		open_to(standing, mark, idmaps);
		break;
	case EFFECT_ALLOW_WRITE:
		open_to(standing, mark, idmaps);
		standing->write = standing->write || !standing->own;
		break;
	case EFFECT_DENY_WRITE:
		standing->write = standing->write && (standing->fresh || standing->own);
		break;
	}
}

static bool differ(const struct standing *a, const struct standing *b)
{
	if (access_of(a) != access_of(b) || a->fresh != b->fresh || (a->own && a->write) != (b->own && b->write))
		return true;
	return a->read && (a->idmapped != b->idmapped || a->uid != b->uid || a->gid != b->gid);
}

/* The mark that made the standing what it is: the last one that said something about it. */
static const struct mark *deciding(const struct mark *marks, size_t n, const struct standing *before, bool idmaps)
{
	struct standing now = *before;
	const struct mark *last = &marks[n - 1];

	for (size_t i = 0; i < n; i++) {
		struct standing next = now;

		apply(&next, &marks[i], idmaps);
		if (differ(&next, &now))
			last = &marks[i];
		now = next;
	}
	return last;
}

static int add_region(struct compile *c, const struct mark *mark, const struct standing *standing, size_t parent, size_t *ret_index)
{
	struct region *region = region_vec_add(&c->regions, c->arena);

	if (!region)
		return compile_no_memory(c);
	*region = (struct region){
		.path = mark->path,
		.access = access_of(standing),
		.why = mark->why,
		.entry = standing->fresh ? NULL : mark->entry,
		.fresh = standing->fresh,
		.own = standing->own && standing->write,
		.idmapped = standing->idmapped && standing->read,
		.uid = standing->uid,
		.gid = standing->gid,
		.parent = parent,
	};
	*ret_index = c->regions.n - 1;
	return 0;
}

/* All marks at one place, n of them, below the innermost level that is still open. */
static int enter(struct compile *c, struct level_vec *levels, const struct mark *marks, size_t n)
{
	const struct level above = levels->at[levels->n - 1];
	struct level here = { .path = marks->path, .standing = above.standing, .region = above.region };
	bool idmaps = mounts_opens_as_root(c) && c->facts->idmapped_mounts;
	int r = 0;

	for (size_t i = 0; i < n; i++)
		apply(&here.standing, &marks[i], idmaps);
	if (differ(&here.standing, &above.standing))
		r = add_region(c, deciding(marks, n, &above.standing, idmaps), &here.standing, above.region, &here.region);
	if (r == 0) {
		struct level *level = level_vec_add(levels, c->arena);

		if (!level)
			return compile_no_memory(c);
		*level = here;
	}
	return r;
}

/* What no rule covers can be read. */
static int begin(struct compile *c, struct level_vec *levels)
{
	static const struct mark everything = { .path = "/", .why = WHY_DEFAULT };
	struct level level = { .path = "/", .standing = { .read = true } };
	struct level *first = level_vec_add(levels, c->arena);
	int r = first ? add_region(c, &everything, &level.standing, 0, &level.region) : compile_no_memory(c);

	if (r < 0)
		return r;
	c->regions.at[0].entry = survey_find(c->inputs->survey, "/");
	*first = level;
	return 0;
}

static size_t count_same_place(const struct mark_vec *marks, size_t from)
{
	size_t n = 1;

	while (from + n < marks->n && strcmp(marks->at[from].path, marks->at[from + n].path) == 0)
		n++;
	return n;
}

/* A mark at "/" changes the first region; it does not make a second. */
static void fold_root(struct region_vec *regions)
{
	if (regions->n < 2 || strcmp(regions->at[1].path, "/") != 0)
		return;
	memmove(regions->at, regions->at + 1, (regions->n - 1) * sizeof(regions->at[0]));
	regions->n--;
	for (size_t i = 0; i < regions->n; i++)
		regions->at[i].parent -= regions->at[i].parent > 0;
}

static void note_openings(struct region_vec *regions)
{
	for (size_t i = regions->n; i-- > 1;) {
		struct region *parent = &regions->at[regions->at[i].parent];

		parent->opened_below = parent->opened_below || regions->at[i].access != ACCESS_HIDDEN || regions->at[i].opened_below;
	}
}

int regions_make(struct compile *c)
{
	struct level_vec levels = { 0 };
	int r = begin(c, &levels);

	if (r == 0 && c->marks.n)
		qsort(c->marks.at, c->marks.n, sizeof(c->marks.at[0]), compare_marks);
	for (size_t i = 0, n; r == 0 && i < c->marks.n; i += n) {
		n = count_same_place(&c->marks, i);
		while (!path_within(c->marks.at[i].path, levels.at[levels.n - 1].path))
			levels.n--;
		r = enter(c, &levels, &c->marks.at[i], n);
	}
	if (r < 0)
		return r;
	fold_root(&c->regions);
	note_openings(&c->regions);
	return 0;
}

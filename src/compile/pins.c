/*
 * Whoever can rename a directory above a protected file can put another one in its place. So each directory between a protected place
 * and the writable region around it becomes a mount point, which cannot be renamed; also where the protected name itself does not exist.
 * Where an overlay begins nothing above a hidden name can be renamed, for that is below it: overlayfs says EXDEV.
 */
#include "base/path.h"
#include "compile/stage.h"

#include <stdlib.h>

static int add_pin(struct compile *c, struct pin pin)
{
	struct pin *added = pin_vec_add(&c->pins, c->arena);

	if (!added)
		return compile_no_memory(c);
	*added = pin;
	return 0;
}

/* Pins the directories above path, from the region's own downwards. Nobody may have looked at them, but what exists has existing parents. */
static int pin_above(struct compile *c, const struct region *region, const char *path, const char *why, bool exists)
{
	size_t n = region->path[1] ? strlen(region->path) : 0;
	int r = 0;

	for (n += 1 + strcspn(path + n + 1, "/"); r == 0 && path[n]; n += 1 + strcspn(path + n + 1, "/")) {
		const char *above = arena_dup_n(c->arena, path, n);
		const struct survey_entry *entry = above ? survey_find(c->inputs->survey, above) : NULL;

		if (!above)
			return compile_no_memory(c);
		if (entry ? entry->kind != SURVEY_DIR : !exists)
			break;
		r = add_pin(c, (struct pin){ .path = above, .entry = region->own ? NULL : entry, .optional = region->own, .why = why });
	}
	return r;
}

static int pin_regions(struct compile *c)
{
	int r = 0;

	for (size_t i = 1; r == 0 && i < c->regions.n; i++) {
		const struct region *region = &c->regions.at[i], *parent = &c->regions.at[region->parent];

		if ((region_is_host_writable(parent) || workspace_is_copy(c, parent)) && region->access != ACCESS_WRITE && !region->fresh)
			r = pin_above(c, parent, region->path, region->why, true);
	}
	return r;
}

static int pin_guarded(struct compile *c)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->guarded.n; i++) {
		const char *path = c->guarded.at[i].path, *parent = path_parent(c->arena, path);

		if (!parent)
			return compile_no_memory(c);
		r = pin_above(c, &c->regions.at[region_find(&c->regions, parent)], path, c->guarded.at[i].why, false);
	}
	return r;
}

static int compare_pins(const void *a, const void *b)
{
	const struct pin *left = a, *right = b;
	int order = region_compare_paths(left->path, right->path);

	return order ? order : strcmp(left->why, right->why);
}

static bool is_region(const struct compile *c, const char *path)
{
	return strcmp(c->regions.at[region_find(&c->regions, path)].path, path) == 0;
}

/* One each, and none where a region is mounted anyway. */
static void thin_out(struct compile *c)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->pins.n; i++) {
		if ((kept && strcmp(c->pins.at[kept - 1].path, c->pins.at[i].path) == 0) || is_region(c, c->pins.at[i].path))
			continue;
		c->pins.at[kept++] = c->pins.at[i];
	}
	c->pins.n = kept;
}

int pins_choose(struct compile *c)
{
	int r = c->rung == COMPILE_RUNG_NAMESPACES ? pin_regions(c) : 0;

	if (r == 0 && c->rung == COMPILE_RUNG_NAMESPACES)
		r = pin_guarded(c);
	if (r == 0 && c->pins.n) {
		qsort(c->pins.at, c->pins.n, sizeof(c->pins.at[0]), compare_pins);
		thin_out(c);
	}
	return r;
}

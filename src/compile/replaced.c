/*
 * Theory of operation. A cover lies on a name as it is when the sandbox starts. When the host gives the name to another file by rename(2), as
 * editors and package managers do, or removes the file and makes it anew, the kernel takes the cover off in every mount namespace, and the new file shows. No
 * mount holds against that; a name does: where init makes every open (plan.h, 'r'), what an open of such a name finds has to be the cover.
 *
 * That costs each open a way to init. So what somebody hid or masked by the name of a file is worth it, and so are files of the built-in table
 * where the sandbox writes beside the host; not the table's in a tree that is only read, nor directories, whose files are replaced beneath the
 * cover. Once init makes all opens, it looks at the names of all of them.
 */
#include "base/path.h"
#include "compile/stage.h"
#include "policy/places.h"

static const struct region *region_at(const struct compile *c, const char *path)
{
	return &c->regions.at[region_find(&c->regions, path)];
}

/* What is opened below one lies in a tree of the sandbox's own, not under a cover. */
static bool is_covered(const struct compile *c, const struct region *region)
{
	return c->rung == COMPILE_RUNG_NAMESPACES && region->access == ACCESS_HIDDEN && region->entry && !region->opened_below &&
	       region_is_host_visible(&c->regions.at[region->parent]);
}

static bool is_worth_it(const struct compile *c, const struct region *region)
{
	if (!is_covered(c, region) || region->entry->kind == SURVEY_DIR)
		return false;
	return region->why != place_why(PLACE_CREDENTIAL) || region_is_host_writable(&c->regions.at[region->parent]);
}

static const char *real_of(const struct compile *c, const char *path)
{
	const struct survey_entry *entry = survey_find(c->inputs->survey, path);

	return entry ? entry->real : path;
}

/* The region of the directory that a masked file is in; NULL where nobody else can put a file there, or without memory. */
static const struct region *around_masked(const struct compile *c, const struct input_file *fake)
{
	const char *parent = path_parent(c->arena, real_of(c, fake->path));
	const struct region *region = parent ? region_at(c, parent) : NULL;

	return region && region_is_host_visible(region) ? region : NULL;
}

static bool makes_opens(const struct compile *c)
{
	for (size_t i = 0; i < c->patterns.n; i++)
		if (c->patterns.at[i].letter == 'r')
			return true;
	for (size_t i = 0; i < c->regions.n; i++)
		if (is_worth_it(c, &c->regions.at[i]))
			return true;
	for (size_t i = 0; i < c->fakes.n; i++)
		if (around_masked(c, &c->fakes.at[i]))
			return true;
	return false;
}

static int guard_name(struct compile *c, const struct region *around, const char *path, const char *why)
{
	int r = region_is_host_writable(around) ? patterns_add(c, 'w', path, why) : 0;

	return r == 0 ? patterns_add(c, 'r', path, why) : r;
}

/* The table's places outside of home and workspace are their administrator's. */
static bool is_worth_a_word(const struct compile *c, const struct region *region)
{
	const char *home = c->policy->home;

	return is_covered(c, region) && (strncmp(region->why, WHY_DEFAULT, strlen(WHY_DEFAULT)) != 0 ||
	                                 path_within(region->path, c->workspace) || (home && path_within(region->path, home)));
}

/* A choice of this program's is a note; what this machine cannot do is a weakening. */
static int tell(struct compile *c, const char *reason)
{
	const struct region *first = NULL;
	const char *text;
	size_t n = 0;

	for (size_t i = 0; i < c->regions.n; i++)
		if (is_worth_a_word(c, &c->regions.at[i]) && n++ == 0)
			first = &c->regions.at[i];
	if (!first && !reason)
		return 0;
	text = arena_printf(c->arena,
	                    "%s%s hidden as found at the start: what the host renames into that place during the run can be read%s%s",
	                    first ? first->path : "masked files", n > 1 ? arena_printf(c->arena, " and %zu more are", n - 1) : " is",
	                    reason ? ": " : "", reason ? reason : "");
	if (!text)
		return compile_no_memory(c);
	if (reason)
		return compile_weaken(c, first ? first->why : WHY_DEFAULT, "%s", text);
	plan_build_note(&c->plan, "%s", text);
	return 0;
}

int replaced_guard_hidden(struct compile *c)
{
	const char *reason = patterns_reason_against(c);
	bool opens = makes_opens(c);
	int r = 0;

	if (c->rung != COMPILE_RUNG_NAMESPACES)
		return 0;
	if (!opens || reason)
		return tell(c, opens ? reason : NULL);
	for (size_t i = 1; r == 0 && i < c->regions.n; i++) {
		const struct region *region = &c->regions.at[i];

		if (is_covered(c, region))
			r = guard_name(c, &c->regions.at[region->parent], region->path, region->why);
	}
	return r;
}

static const char *why_masked(const struct compile *c, const char *path)
{
	const struct credential_vec *files = &c->policy->credentials.files;

	for (size_t i = 0; i < files->n; i++)
		if (strcmp(files->at[i].path, path) == 0 && files->at[i].why)
			return files->at[i].why;
	return WHY_DEFAULT;
}

int replaced_guard_masked(struct compile *c)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->fakes.n && !patterns_reason_against(c); i++) {
		const struct input_file *fake = &c->fakes.at[i];
		const struct region *around = around_masked(c, fake);

		if (around)
			r = guard_name(c, around, real_of(c, fake->path), why_masked(c, fake->path));
	}
	return r;
}

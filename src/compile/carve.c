/*
 * Theory of operation, rung two. A rule holds for all below its directory, so a hidden place is left out by granting what lies
 * beside the way to it: the other entries of each directory from the region's own down to the hidden place's parent. Those
 * directories themselves can be listed only where no directory below them is hidden, for that right holds below as well. Where the
 * survey has no listing of one of them, or where new names are to be made in them (a writable region), nothing can be left out;
 * init guards such places with a pattern (patterns.c).
 */
#include "compile/landlock.h"

#include "base/path.h"
#include "compile/stage.h"

/* What programs read about the machine; nothing there is about a process. */
static const char *const machine_files[] = { "/proc/cpuinfo", "/proc/meminfo", "/proc/stat",
	                                     "/proc/version", "/proc/loadavg", "/proc/uptime" };

const char *carve_machine_file(size_t i)
{
	return i < sizeof(machine_files) / sizeof(machine_files[0]) ? machine_files[i] : NULL;
}

static size_t listing_of(const struct compile *c, const char *dir, const struct survey_match **ret_first)
{
	return rules_matches(&c->inputs->survey->listings, dir, ret_first);
}

/* What is read-only in a writable region has that region's rule, and none of its own. */
static bool is_granted_above(const struct compile *c, const struct region *region)
{
	const struct region *parent = &c->regions.at[region->parent];

	return region != parent && region->access == ACCESS_READ && region_is_host_visible(parent);
}

/* Are all directories listed, from the hidden place's parent up to the region around it? */
static bool is_way_listed(const struct compile *c, const struct region *region, const struct region *around)
{
	const struct survey_match *entries;
	char dir[PATH_BYTES_MAX + 1];
	size_t n = strlen(region->path);

	if (n > PATH_BYTES_MAX)
		return false;
	memcpy(dir, region->path, n + 1);
	while (strcmp(dir, around->path) != 0) {
		char *slash = strrchr(dir, '/');

		slash[slash == dir] = '\0'; /* "/x" is in "/" */
		if (listing_of(c, dir, &entries) == 0)
			return false;
	}
	return true;
}

/* What is left out of a region that is itself inside something hidden is left out only if that is. */
bool carve_is_possible(const struct compile *c, const struct region *region)
{
	const struct region *first = c->regions.at;

	while (region != first) {
		const struct region *around = &c->regions.at[region->parent];

		if (around->access != ACCESS_READ || is_granted_above(c, around) || !is_way_listed(c, region, around))
			return false;
		region = &c->regions.at[around->parent];
		if (around == first)
			break;
	}
	return true;
}

static bool is_dir(const struct region *region)
{
	return !region->entry || region->entry->kind == SURVEY_DIR;
}

enum standing { NOTHING_HIDDEN, HOLDS_HIDDEN_FILES, HOLDS_HIDDEN_DIRS, HIDDEN };

/* What is hidden of a region, at this path or below it? */
static enum standing hidden_at(const struct compile *c, size_t region, const char *path)
{
	enum standing standing = NOTHING_HIDDEN;

	for (size_t i = region + 1; i < c->regions.n; i++) {
		const struct region *child = &c->regions.at[i];

		if (child->parent != region || child->access != ACCESS_HIDDEN || !carve_is_possible(c, child))
			continue;
		if (strcmp(child->path, path) == 0)
			return HIDDEN;
		if (path_within(child->path, path) && is_dir(child))
			standing = HOLDS_HIDDEN_DIRS;
		else if (path_within(child->path, path) && standing == NOTHING_HIDDEN)
			standing = HOLDS_HIDDEN_FILES;
	}
	return standing;
}

/* A rule for a link would be one for where it leads. */
static bool is_itself(const struct survey_entry *entry)
{
	return entry && !entry->link && (entry->kind == SURVEY_DIR || entry->kind == SURVEY_FILE || entry->kind == SURVEY_OTHER);
}

/* Depth first without recursion: directories that hold something hidden wait in a list. */
static int carve(struct compile *c, size_t region, const char *top)
{
	const char *why = c->regions.at[region].why;
	struct text_vec waiting = { 0 };
	int r = compile_add_text(c, &waiting, top);

	while (r == 0 && waiting.n) {
		const char *dir = waiting.at[--waiting.n];
		const struct survey_match *entries;
		size_t n = listing_of(c, dir, &entries);

		if (hidden_at(c, region, dir) == HOLDS_HIDDEN_FILES)
			landlock_grant(c, dir, landlock_list_rights(), why);

		for (size_t i = 0; r == 0 && i < n; i++) {
			const struct survey_entry *entry = survey_find(c->inputs->survey, entries[i].path);
			enum standing standing = hidden_at(c, region, entries[i].path);

			if (!is_itself(entry) || standing == HIDDEN)
				continue;
			if (standing != NOTHING_HIDDEN)
				r = compile_add_text(c, &waiting, entry->path);
			else
				landlock_grant(c, entry->path, landlock_read_rights(entry->kind == SURVEY_DIR), why);
		}
	}
	return r;
}

static int carve_region(struct compile *c, size_t index)
{
	const struct region *region = &c->regions.at[index];
	bool is_writable = region->access == ACCESS_WRITE;

	if (region->access == ACCESS_HIDDEN || is_granted_above(c, region))
		return 0;
	if (!is_writable && hidden_at(c, index, region->path) != NOTHING_HIDDEN)
		return carve(c, index, region->path);
	landlock_grant(c, region->path, is_writable ? landlock_write_rights(is_dir(region)) : landlock_read_rights(is_dir(region)),
	               region->why);
	return 0;
}

/*
 * Init, which has the command's own rules, asks /proc who a call comes from. The kernel keeps what is worth keeping there (memory,
 * environment, descriptors) from a domain that is not the process's own; the rest is said.
 */
static int open_proc_for_init(struct compile *c)
{
	if (!c->acts && !c->acts_on_opens && !c->hands_out_sockets)
		return 0;
	landlock_grant(c, "/proc", landlock_read_rights(false), WHY_DEFAULT);
	return compile_weaken(c, WHY_DEFAULT,
	                      "init answers calls with the help of /proc, so the host's command lines can be read from inside");
}

int carve_regions(struct compile *c)
{
	const char *scratch = identity_scratch(c), *device;
	int r = 0;

	if (!scratch)
		return compile_no_memory(c);
	for (size_t i = 0; r == 0 && i < c->regions.n; i++)
		r = carve_region(c, i);
	if (r < 0)
		return r;
	landlock_grant(c, scratch, landlock_write_rights(true), WHY_DEFAULT);
	for (size_t i = 0; (device = fresh_device(i)); i++)
		landlock_grant(c, device, landlock_device_rights(false), WHY_DEFAULT);
	for (size_t i = 0; i < sizeof(machine_files) / sizeof(machine_files[0]); i++)
		landlock_grant(c, machine_files[i], landlock_read_rights(false), WHY_DEFAULT);
	return open_proc_for_init(c);
}

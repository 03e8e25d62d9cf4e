#include "policy/places.h"

#include "base/glob.h"
#include "base/own.h"
#include "base/path.h"

#include <errno.h>
#include <string.h>

static const struct place places[] = {
#define PLACE(class, anchor, reach, kind, path, reason) { PLACE_##class, PLACE_##anchor, PLACE_##reach, PLACE_##kind, path, reason },
#include "policy/places.def"
#undef PLACE
};

static const struct {
	const char *name, *why;
} classes[PLACE_CLASSES_END] = {
	[PLACE_TOOLCHAIN] = { "toolchain", "default: toolchain" },
	[PLACE_CREDENTIAL] = { "credential", "default: credential" },
	[PLACE_SHOWN] = { "shown", "default: not a credential" },
	[PLACE_OWN] = { "coffer's own", "default: coffer's own" },
	[PLACE_PROTECTED] = { "protected", "default: protected" },
	[PLACE_GIT_CONFIG] = { "git config", "default: protected, allowGitConfig is off" },
	[PLACE_INSTRUCTION] = { "agent instruction", "default: protected, allowAgentInstructions is off" },
	[PLACE_FREE] = { "free", "default: not protected" },
	[PLACE_SRT_WRITABLE] = { "srt writable", "default: srt" },
};

const struct place *place_next(const struct place *previous)
{
	const struct place *next = previous ? previous + 1 : places;

	return next < places + ARRAY_LEN(places) ? next : NULL;
}

const char *place_why(enum place_class class)
{
	return classes[class].why;
}

const char *place_class_name(enum place_class class)
{
	return classes[class].name;
}

static bool is_exception(const struct place *place)
{
	return place->class == PLACE_SHOWN || place->class == PLACE_FREE;
}

/* Below the place's anchor: is it this path, is it around it, or does the place begin with it? */
static bool meets_below(const struct place *place, const char *below)
{
	char beginning[sizeof(place->path)];

	if (glob_covers(place->path, below) || is_exception(place))
		return glob_covers(place->path, below);
	for (const char *cut = strchr(place->path, '/'); cut; cut = strchr(cut + 1, '/')) {
		memcpy(beginning, place->path, (size_t)(cut - place->path));
		beginning[cut - place->path] = '\0';
		if (glob_match(beginning, below))
			return true;
	}
	return false;
}

static bool meets(const struct place *place, const char *anchor, const char *path)
{
	const char *below = anchor ? path_below(path, anchor) : NULL;

	if (!below || !*below || place->reach == PLACE_AT)
		return below && *below && meets_below(place, below);
	for (; below; below = strchr(below, '/')) {
		below += *below == '/';
		if (meets_below(place, below))
			return true;
	}
	return false;
}

static bool is_guarded(const struct policy_filesystem *fs, enum place_class class, bool write)
{
	if (class == PLACE_CREDENTIAL || class == PLACE_SHOWN)
		return fs->hide_credentials;
	if (class == PLACE_OWN)
		return true;
	if (!write || !fs->mandatory)
		return false;
	if (class == PLACE_GIT_CONFIG)
		return !fs->allow_git_config;
	if (class == PLACE_INSTRUCTION)
		return !fs->allow_agent_instructions;
	return class == PLACE_PROTECTED || class == PLACE_FREE;
}

static bool is_in_any(const struct text_vec *tops, const char *path)
{
	for (size_t i = 0; i < tops->n; i++)
		if (path_within(path, tops->at[i]))
			return true;
	return false;
}

/* A place of PLACE_EVERY may be anchored anywhere: any end of the path will do. */
static bool is_met(const struct policy *policy, const struct place *place, const char *path)
{
	struct place anywhere = *place;

	switch (place->anchor) {
	case PLACE_HOME:
		return meets(place, policy->home, path);
	case PLACE_WORKSPACE:
		return meets(place, policy->workspace.path, path);
	case PLACE_EVERY:
		anywhere.reach = PLACE_DEEP;
		return meets(&anywhere, "/", path);
	case PLACE_COFFER:
		return is_in_any(&policy->own, path);
	default:
		return !(policy->home && meets(place, "/", policy->home)) && meets(place, "/", path);
	}
}

const struct place *places_meet(const struct policy *policy, const char *path, bool write)
{
	const struct place *met = NULL;

	for (const struct place *place = place_next(NULL); place; place = place_next(place)) {
		if (!is_guarded(&policy->filesystem, place->class, write) || !is_met(policy, place, path))
			continue;
		met = is_exception(place) ? NULL : place;
	}
	return met;
}

/* ---- coffer's own ---- */

static bool opens_by_hand(const struct rule_vec *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (!list->at[i].derived)
			return true;
	return false;
}

/* The toolchain shows nothing of it. Of what people open, the names alone do not tell where links lead. */
static bool opens_by_hand_at_all(const struct policy *policy)
{
	const struct policy_filesystem *fs = &policy->filesystem;

	return fs->disabled || fs->view == POLICY_VIEW_HOST || opens_by_hand(&fs->allow_read) || opens_by_hand(&fs->allow_write) ||
	       opens_by_hand(&policy->network.unix_sockets);
}

static int hide(struct policy *policy, struct arena *arena, const struct place *place, const char *anchor)
{
	const char *path = anchor ? path_join(arena, anchor, place->path) : NULL;
	struct policy_rule *slot = path ? rule_vec_add(&policy->filesystem.hidden, arena) : NULL;

	if (!slot)
		return anchor ? -ENOMEM : 0;
	*slot = (struct policy_rule){
		.text = path,
		.path = path,
		.why = place_why(PLACE_OWN),
		.place = place,
		.literal = true,
		.derived = true,
		.optional = true,
		.existing = true,
	};
	return 0;
}

int places_hide(struct policy *policy, struct arena *arena)
{
	const char *workspace = policy->workspace.path;
	const struct text_vec *own = &policy->own;
	bool open = opens_by_hand_at_all(policy);
	int r = 0;

	policy->filesystem.hidden = (struct rule_vec){ 0 };
	for (const struct place *place = place_next(NULL); place && r == 0; place = place_next(place)) {
		bool is_fixed = place->anchor != PLACE_COFFER;

		if (place->class != PLACE_OWN)
			continue;
		for (size_t i = 0; !is_fixed && i < own->n && r == 0; i++)
			if (open || path_within(own->at[i], workspace) || path_within(workspace, own->at[i]))
				r = hide(policy, arena, place, own->at[i]);
		if (is_fixed && open)
			r = hide(policy, arena, place, place->anchor == PLACE_HOME ? policy->home : "/");
	}
	return r;
}

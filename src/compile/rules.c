#include "compile/rules.h"

#include "base/path.h"
#include "compile/links.h"
#include "compile/stage.h"
#include "policy/decide.h"
#include "policy/places.h"

#include <errno.h>

bool rules_claim_denies(const struct claim *claim)
{
	return claim->effect == EFFECT_DENY_READ || claim->effect == EFFECT_DENY_WRITE;
}

/* ---- collecting ---- */

static int add_claim(struct compile *c, enum effect effect, const struct policy_rule *rule, const struct rule_vec *list)
{
	struct claim *claim = claim_vec_add(&c->claims, c->arena);

	if (!claim)
		return compile_no_memory(c);
	*claim = (struct claim){ .effect = effect, .rule = rule, .list = list };
	return 0;
}

static int add_list(struct compile *c, enum effect effect, const struct rule_vec *list)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < list->n; i++)
		if (!list->at[i].except)
			r = add_claim(c, effect, &list->at[i], list);
	return r;
}

/* A rule of no list: nobody wrote it, and a path that is not there is no loss. */
static int add_own(struct compile *c, enum effect effect, const char *path, const char *why)
{
	static const struct rule_vec no_list = { 0 };
	struct policy_rule *rule = ARENA_NEW(c->arena, struct policy_rule);

	if (!rule)
		return compile_no_memory(c);
	*rule = (struct policy_rule){ .text = path, .path = path, .why = why, .derived = true, .optional = true };
	return add_claim(c, effect, rule, &no_list);
}

/* Programs of PATH are there to be run, but no entry opens "/" or all of home, or what somebody hid. */
static bool opens_for_path(const struct compile *c, const char *dir)
{
	const char *home = c->inputs->home;
	struct policy_verdict verdict;

	if (strcmp(dir, "/") == 0 || (home && path_within(home, dir)))
		return false;
	verdict = policy_decide(c->policy, dir, POLICY_READ);
	return !verdict.allowed && verdict.rule->why == place_why(PLACE_TOOLCHAIN);
}

static int add_path_dirs(struct compile *c)
{
	const char *cursor = NULL, *dir;
	int r = environment_path_next(c, &cursor, &dir);

	while (r == 0 && dir) {
		if (opens_for_path(c, dir))
			r = add_own(c, EFFECT_ALLOW_READ, dir, "default: PATH");
		if (r == 0)
			r = environment_path_next(c, &cursor, &dir);
	}
	return r;
}

/*
 * Where everything can be read no rule speaks of the workspace; but it may lie below the private /tmp, and root's sandboxes are shown
 * its files as their own.
 */
static int add_workspace(struct compile *c)
{
	const char *path = c->policy->workspace.path;

	if (strcmp(path, "/") == 0 || c->policy->filesystem.view != POLICY_VIEW_HOST || !policy_allows(c->policy, path, POLICY_READ))
		return 0;
	return add_own(c, EFFECT_ALLOW_READ, path, c->policy->workspace.why ? c->policy->workspace.why : WHY_DEFAULT);
}

static int add_network_files(struct compile *c)
{
	if (network_is_own(c) || !policy_allows(c->policy, "/etc/resolv.conf", POLICY_READ))
		return 0;
	return add_own(c, EFFECT_ALLOW_READ, "/etc/resolv.conf", network_why(c));
}

int rules_collect(struct compile *c)
{
	const struct policy_filesystem *fs = &c->policy->filesystem;
	int r;

	r = add_list(c, EFFECT_DENY_READ, &fs->hidden);
	if (r == 0)
		r = add_list(c, EFFECT_DENY_WRITE, &fs->hidden);
	if (r == 0 && fs->disabled)
		return add_own(c, EFFECT_ALLOW_WRITE, "/", "/filesystem/disabled");
	if (r == 0)
		r = add_list(c, EFFECT_DENY_READ, &fs->deny_read);
	if (r == 0)
		r = add_list(c, EFFECT_ALLOW_READ, &fs->allow_read);
	if (r == 0)
		r = add_list(c, EFFECT_ALLOW_WRITE, &fs->allow_write);
	if (r == 0)
		r = add_list(c, EFFECT_DENY_WRITE, &fs->deny_write);
	if (r == 0) /* a socket that nobody can see cannot be connected to */
		r = add_list(c, EFFECT_ALLOW_READ, &c->policy->network.unix_sockets);
	if (r == 0)
		r = add_path_dirs(c);
	if (r == 0)
		r = add_workspace(c);
	return r == 0 ? add_network_files(c) : r;
}

/* ---- landing ---- */

/* By the policy, or by the manners of srt, under which these are written without asking. */
static bool is_asked_for(const struct compile *c, const struct policy_rule *rule)
{
	return !rule->derived || rule->why == place_why(PLACE_SRT_WRITABLE) || c->policy->filesystem.disabled ||
	       strcmp(rule->path, c->policy->workspace.path) == 0;
}

static int add_mark(struct compile *c, const struct claim *claim, const struct survey_entry *entry)
{
	struct mark *mark = mark_vec_add(&c->marks, c->arena);

	if (!mark)
		return compile_no_memory(c);
	*mark = (struct mark){
		.path = entry->real,
		.effect = claim->effect,
		.why = claim->rule->why ? claim->rule->why : WHY_DEFAULT,
		.entry = entry,
		.named = is_asked_for(c, claim->rule),
		.order = c->marks.n,
	};
	return 0;
}

static int refuse(struct compile *c, const struct policy_rule *rule, enum err_code code, int errnum, const char *text)
{
	int r = err_set(c->err, code, errnum, "%s: %s", rule->path, text);

	if (rule->why)
		err_at(c->err, rule->why);
	return r;
}

/*
 * What is not there, or cannot be looked at, cannot be opened. That is an error where somebody counts on writing there, and worth a note
 * where somebody counts on reading; a profile names what some machines have.
 */
static int land_allow_nowhere(struct compile *c, const struct claim *claim, const struct survey_entry *entry)
{
	bool absent = entry->kind == SURVEY_ABSENT;

	if (claim->rule->optional || claim->rule->glob || fresh_holds(c, entry->real))
		return 0;
	if (claim->effect == EFFECT_ALLOW_WRITE)
		return refuse(c, claim->rule, absent ? ERR_NOTFOUND : ERR_DENIED, absent ? ENOENT : EACCES,
		              absent ? "is to be writable but does not exist" : "is to be writable but cannot be reached");
	if (!claim->rule->why || strncmp(claim->rule->why, "profile ", 8) != 0)
		plan_build_note(&c->plan, "%s: %s, so there is nothing to read", entry->path,
		                absent ? "does not exist" : "cannot be reached");
	return 0;
}

/* The nearest directory above that can be looked at; NULL when the way ends at a link that leads nowhere. */
static int nearest_seen(struct compile *c, const struct survey_entry *entry, const struct survey_entry **ret)
{
	*ret = NULL;
	while (entry && entry->kind == SURVEY_UNREADABLE && !entry->link && entry->path[1]) {
		const char *parent = path_parent(c->arena, entry->path);

		if (!parent)
			return compile_no_memory(c);
		entry = survey_find(c->inputs->survey, parent);
	}
	if (entry && entry->kind == SURVEY_DIR && entry->real[1])
		*ret = entry;
	return 0;
}

/*
 * What a denied path is cannot be seen through a directory that may not be searched; so that directory is denied whole. (Its
 * owner, the sandbox, could change its mode.)
 */
static int land_deny_unreadable(struct compile *c, const struct claim *claim, const struct survey_entry *entry)
{
	const struct survey_entry *seen;
	int r = nearest_seen(c, entry, &seen);

	return r < 0 || !seen ? r : add_mark(c, claim, seen);
}

static bool is_toolchain(const char *path)
{
	for (const struct place *place = place_next(NULL); place; place = place_next(place))
		if (place->class == PLACE_TOOLCHAIN && place->anchor == PLACE_ROOT && path_within(path + 1, place->path))
			return true;
	return false;
}

/* A link in a repository that calls itself .env and leads to the C library, or to the root, hides nothing that anybody meant. */
static bool breaks_the_run(const struct compile *c, const struct claim *claim, const struct survey_entry *entry)
{
	if (!claim->rule->derived || claim->effect != EFFECT_DENY_READ || strcmp(entry->path, entry->real) == 0)
		return false;
	return is_toolchain(entry->real) || path_within(c->policy->workspace.path, entry->real) || path_within("/usr", entry->real);
}

/* An allowed path that is, or that a link makes, something else: an error where somebody named it, a note where it was only found. */
static int refuse_link(struct compile *c, const struct claim *claim, const struct survey_entry *entry, const char *text)
{
	if (!text)
		return compile_no_memory(c);
	if (!claim->rule->optional && !claim->rule->glob)
		return refuse(c, claim->rule, ERR_POLICY, EXDEV, text);
	plan_build_note(&c->plan, "%s: %s", entry->path, text);
	return 0;
}

/* What the way to an allowed path leads out of is in the hands of whoever writes there. Denials lose nothing. */
static int land_through_link(struct compile *c, const struct claim *claim, const struct survey_entry *entry, const char *top)
{
	const char *text =
	    arena_printf(c->arena, "a link below %s leads out to %s: name that path itself if it is meant", top, entry->real);

	if (rules_claim_denies(claim))
		return add_mark(c, claim, entry);
	return refuse_link(c, claim, entry, text);
}

/*
 * Where a link leads from an allowed path to what is guarded only because of its name, or to all of home, nobody has asked for that: the link may
 * be an earlier sandbox's.
 */
static bool leads_astray(const struct compile *c, const struct claim *claim, const struct survey_entry *entry)
{
	const char *home = c->policy->home;

	if (rules_claim_denies(claim) || strcmp(entry->path, entry->real) == 0)
		return false;
	return (home && path_within(home, entry->real)) || places_meet(c->policy, entry->real, claim->effect == EFFECT_ALLOW_WRITE);
}

static int land_nowhere_astray(struct compile *c, const struct claim *claim, const struct survey_entry *entry)
{
	const char *text = arena_printf(c->arena, "a link leads from it to %s: name that path itself if it is meant", entry->real);

	return refuse_link(c, claim, entry, text);
}

/* /proc and /dev are the sandbox's own. What it has there (fresh.c) needs no rule, and a device of the host is not passed on by one. */
static int land_in_fresh(struct compile *c, const struct claim *claim, const struct survey_entry *entry)
{
	if (rules_claim_denies(claim) || entry->kind != SURVEY_OTHER || fresh_has(entry->path))
		return 0;
	return compile_weaken(c, claim->rule->why ? claim->rule->why : WHY_DEFAULT, "%s: devices of the host are not passed on",
	                      entry->path);
}

/* Nobody opens coffer's own places, by whatever name: what of them a sandbox is given the plan mounts from outside. */
static bool is_coffers(const struct compile *c, const char *real)
{
	const struct rule_vec *hidden = &c->policy->filesystem.hidden;

	for (size_t i = 0; i < hidden->n; i++) {
		const struct survey_entry *entry = survey_find(c->inputs->survey, hidden->at[i].path);

		if (path_within(real, entry ? entry->real : hidden->at[i].path))
			return true;
	}
	return false;
}

static int land_nowhere(struct compile *c, const struct claim *claim, const struct survey_entry *entry)
{
	if (!rules_claim_denies(claim))
		return land_allow_nowhere(c, claim, entry);
	return entry->kind == SURVEY_UNREADABLE ? land_deny_unreadable(c, claim, entry) : 0;
}

/* Landing in a working tree of the sandbox's own: all may be written there as it is, and only what is there can be opened. */
static bool is_granted_anyway(const struct compile *c, const struct claim *claim, const struct survey_entry *entry)
{
	bool absent = entry->kind == SURVEY_ABSENT || entry->kind == SURVEY_UNREADABLE;

	if (!c->own.path || !path_within(entry->real, c->own.path))
		return false;
	if (claim->effect == EFFECT_ALLOW_WRITE && c->rung != COMPILE_RUNG_NAMESPACES)
		return true;
	return claim->effect == EFFECT_DENY_WRITE || (absent && !rules_claim_denies(claim));
}

static int land_path(struct compile *c, const struct claim *claim, const char *path)
{
	const struct survey_entry *entry = survey_find(c->inputs->survey, path);
	const char *top;
	int r;

	if (!entry)
		return err_set(c->err, ERR_INTERNAL, EINVAL, "%s: the survey has not looked", path);
	if (fresh_owns(c, path) || fresh_owns(c, entry->real))
		return land_in_fresh(c, claim, entry);
	if (!rules_claim_denies(claim) && is_coffers(c, entry->real))
		return refuse_link(c, claim, entry, WHY_NOT_COFFERS);
	if (is_granted_anyway(c, claim, entry))
		return 0;
	if (path != claim->rule->name && policy_rule_place(claim->list, claim->rule, path) != strlen(path))
		return 0; /* an exception takes it back */
	if (entry->kind == SURVEY_ABSENT || entry->kind == SURVEY_UNREADABLE)
		return land_nowhere(c, claim, entry);
	if ((claim->rule->not_directory && entry->kind == SURVEY_DIR && !entry->link) || breaks_the_run(c, claim, entry))
		return 0;
	if (leads_astray(c, claim, entry))
		return land_nowhere_astray(c, claim, entry);
	r = links_leave(c, path, &top);
	if (r < 0)
		return r;
	return top ? land_through_link(c, claim, entry, top) : add_mark(c, claim, entry);
}

size_t rules_matches(const struct match_vec *all, const char *key, const struct survey_match **ret_first)
{
	size_t low = 0, high = all->n, n = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(all->at[middle].glob, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	while (low + n < all->n && strcmp(all->at[low + n].glob, key) == 0)
		n++;
	*ret_first = n ? &all->at[low] : NULL;
	return n;
}

static int land_glob(struct compile *c, const struct claim *claim)
{
	const struct survey_match *match;
	size_t n = rules_matches(&c->inputs->survey->matches, claim->rule->glob, &match);
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = land_path(c, claim, match[i].path);
	return r == 0 && claim->rule->name ? land_path(c, claim, claim->rule->name) : r;
}

/* A search that was not finished leaves what it would have found as it is. */
static int check_complete(struct compile *c)
{
	const struct survey *survey = c->inputs->survey;
	const char *at = survey->incomplete_at ? survey->incomplete_at : "/";

	if (!survey->incomplete)
		return 0;
	for (size_t i = 0; i < c->claims.n; i++) {
		const struct policy_rule *rule = c->claims.at[i].rule;

		if (rule->glob && !rule->derived && rules_claim_denies(&c->claims.at[i]))
			return refuse(c, rule, ERR_LIMIT, E2BIG,
			              arena_printf(c->arena, "too many files to look through, the last in %s", at));
	}
	return compile_weaken(c, WHY_DEFAULT,
	                      "too many files to look through, the last in %s: protected names elsewhere were not looked for", at);
}

int rules_land(struct compile *c)
{
	int r = rules_collect(c);

	if (r == 0)
		r = check_complete(c);
	for (size_t i = 0; r == 0 && i < c->claims.n; i++) {
		const struct claim *claim = &c->claims.at[i];

		r = claim->rule->glob ? land_glob(c, claim) : land_path(c, claim, claim->rule->path);
	}
	return r;
}

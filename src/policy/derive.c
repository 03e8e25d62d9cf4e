/*
 * Theory of operation. The rules that people write say which directories can be read and written; the table says what in such
 * directories is dangerous. A line of the table becomes rules only where it matters: a credential place where something makes it readable, a
 * protected place where something makes it writable. So the usual run, which writes nothing, carries a handful of derived rules
 * and not four hundred.
 *
 * A place of PLACE_EVERY can begin above a writable directory: with `--write .git` the place .git/hooks/x is hooks/x below it.
 * add_rest finds those.
 */
#include "policy/places.h"

#include "base/glob.h"
#include "base/path.h"
#include "policy/decide.h"
#include "policy/pattern.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct derivation {
	struct policy *policy;
	struct arena *arena;
	const char *workspace, *home; /* home may be NULL */
	struct text_vec writable;     /* directories that somebody made writable */
	struct text_vec roots;        /* those of them that lie in no other */
	struct text_vec anchors;      /* of PLACE_EVERY */
	int failed;
};

/* --- Adding rules. The first failure sticks. -------------------------------------------------------------------------------- */

static void add_rule(struct derivation *d, struct rule_vec *list, struct policy_rule rule)
{
	struct policy_rule *slot = rule.path ? rule_vec_add(list, d->arena) : NULL;

	if (!slot) {
		d->failed = -ENOMEM;
		return;
	}
	rule.text = rule.glob ? rule.glob : rule.path;
	rule.literal = !rule.glob;
	rule.derived = rule.optional = true;
	*slot = rule;
}

static struct policy_rule rule_of(const struct place *place)
{
	return (struct policy_rule){
		.why = place_why(place->class),
		.place = place,
		.existing = place->class == PLACE_CREDENTIAL,
		.except = place->class == PLACE_SHOWN || place->class == PLACE_FREE,
		.not_directory = place->kind == PLACE_NOT_DIR,
	};
}

/* Somebody asked for exactly this path to be writable: then it is, unless somebody else forbids it. In srt nothing reopens a place. */
static bool is_asked_for(const struct derivation *d, const char *path)
{
	const struct rule_vec *list = &d->policy->filesystem.allow_write;

	for (size_t i = 0; i < list->n && d->policy->dialect == POLICY_COFFER; i++)
		if (!list->at[i].glob && strcmp(list->at[i].path, path) == 0)
			return true;
	return false;
}

/* One place at `top`/`rest`; rest may hold glob characters, top is a path. */
static void add_at(struct derivation *d, struct rule_vec *list, const struct place *place, const char *top, const char *rest)
{
	struct policy_rule rule = rule_of(place);

	if (pattern_has_glob(rest)) {
		const char *quoted = pattern_quote(d->arena, top);

		rule.glob = quoted ? path_join(d->arena, quoted, rest) : NULL;
		rule.path = rule.glob ? pattern_top(d->arena, rule.glob) : NULL;
	} else {
		rule.path = path_join(d->arena, top, rest);
	}
	if (rule.glob || !rule.path || list != &d->policy->filesystem.deny_write || !is_asked_for(d, rule.path))
		add_rule(d, list, rule);
}

/* One place at any depth below top. */
static void add_below(struct derivation *d, struct rule_vec *list, const struct place *place, const char *top)
{
	struct policy_rule rule = rule_of(place);
	const char *quoted = pattern_quote(d->arena, top), *rest = arena_printf(d->arena, "**/%s", place->path);

	rule.existing = rule.existing || place->reach == PLACE_NEST;
	rule.path = top;
	rule.glob = quoted && rest ? path_join(d->arena, quoted, rest) : NULL;
	if (!rule.glob)
		rule.path = NULL;
	add_rule(d, list, rule);
}

/* Walks for places that must exist do not enter node_modules. */
static void add_unsearched(struct derivation *d, struct rule_vec *list, const char *top)
{
	static const struct place node_modules = {
		PLACE_FREE, PLACE_EVERY, PLACE_DEEP, PLACE_DIR, "node_modules", "packages, not projects"
	};

	add_below(d, list, &node_modules, top);
	if (!d->failed)
		list->at[list->n - 1].existing = true;
}

/* Text that is a pattern is also the name that it spells. */
static void derive_names(struct derivation *d, struct rule_vec *list)
{
	for (size_t i = 0, n = list->n; i < n && !d->failed; i++)
		if (list->at[i].name)
			add_rule(d, list, (struct policy_rule){ .why = list->at[i].why, .path = list->at[i].name });
}

/* --- What can be read: the view, the workspace, credential places. --------------------------------------------------------- */

static const char *anchor_of(const struct derivation *d, enum place_anchor anchor)
{
	if (anchor == PLACE_HOME)
		return d->home;
	return anchor == PLACE_WORKSPACE ? d->workspace : "/";
}

/* Standing in ~/.ssh does not open it; a place around home, as /root is root's, hides nothing of ours. */
static bool is_credential(const struct derivation *d, const struct place *place, const char *path)
{
	const char *anchor = place->class == PLACE_CREDENTIAL && place->reach == PLACE_AT ? anchor_of(d, place->anchor) : NULL;
	const char *below = anchor ? path_below(path, anchor) : NULL;

	return below && glob_covers(place->path, below);
}

static bool is_around_home(const struct derivation *d, const struct place *place)
{
	return d->home && place->anchor == PLACE_ROOT && is_credential(d, place, d->home);
}

static bool covers(const struct policy_rule *rule, const char *path)
{
	return rule->glob ? glob_covers(rule->glob, path) : path_within(path, rule->path);
}

static bool is_denied_by_hand(const struct rule_vec *list, const char *path)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->at[i].why != place_why(PLACE_TOOLCHAIN) && covers(&list->at[i], path))
			return true;
	return false;
}

/* The toolchain gives way to what people hide, above it or at the same place; other allowed places do not. */
static void derive_toolchain(struct derivation *d)
{
	struct policy_filesystem *fs = &d->policy->filesystem;

	add_rule(d, &fs->deny_read, (struct policy_rule){ .why = place_why(PLACE_TOOLCHAIN), .path = "/" });
	for (const struct place *place = place_next(NULL); place && !d->failed; place = place_next(place)) {
		const char *anchor = place->class == PLACE_TOOLCHAIN ? anchor_of(d, place->anchor) : NULL;
		struct policy_rule rule = rule_of(place);

		if (!anchor)
			continue;
		rule.path = path_join(d->arena, anchor, place->path);
		if (!rule.path || !is_denied_by_hand(&fs->deny_read, rule.path))
			add_rule(d, &fs->allow_read, rule);
	}
}

/* The working directory can be read, but "/" or all of home is never opened because somebody happens to stand there. */
static void derive_workspace(struct derivation *d)
{
	struct policy_filesystem *fs = &d->policy->filesystem;
	const char *path = d->workspace;

	if (strcmp(path, "/") == 0 || (d->home && path_within(d->home, path)))
		return;
	for (size_t i = 0; i < fs->deny_read.n; i++)
		if (!fs->deny_read.at[i].glob && strcmp(fs->deny_read.at[i].path, path) == 0)
			return;
	for (const struct place *place = place_next(NULL); place; place = place_next(place))
		if (is_credential(d, place, path) && !is_around_home(d, place))
			return;
	add_rule(d, &fs->allow_read,
	         (struct policy_rule){ .why = d->policy->workspace.why ? d->policy->workspace.why : "default", .path = path });
}

/* What is readable of one anchor: all of it, or these paths below it. */
struct opening {
	const char *anchor;
	bool whole;
	struct text_vec below;
};

static void open_by(struct derivation *d, struct opening *opening, const struct rule_vec *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const char *below = path_below(list->at[i].path, opening->anchor);
		const char **slot;

		opening->whole = opening->whole || path_within(opening->anchor, list->at[i].path);
		if (!below || !*below)
			continue;
		slot = text_vec_add(&opening->below, d->arena);
		if (slot)
			*slot = below;
		else
			d->failed = -ENOMEM;
	}
}

static struct opening find_opening(struct derivation *d, const char *anchor)
{
	const struct policy_filesystem *fs = &d->policy->filesystem;
	struct opening opening = { .anchor = anchor, .whole = fs->view == POLICY_VIEW_HOST };

	if (anchor && !opening.whole) {
		open_by(d, &opening, &fs->allow_read);
		open_by(d, &opening, &fs->allow_write);
	}
	return opening;
}

/* Most pairs differ in their second byte, and there are thousands: so a loop, not strncmp. NULL, or what of path follows top. */
static const char *rest_after(const char *path, const char *top)
{
	while (*top && *top == *path) {
		top++;
		path++;
	}
	return *top ? NULL : path;
}

static bool is_open(const struct opening *opening, const struct place *place)
{
	if (!opening->anchor)
		return false;
	for (size_t i = 0; i < opening->below.n && !opening->whole; i++) {
		const char *rest = rest_after(place->path, opening->below.at[i]);

		if (place->reach != PLACE_AT || (rest && *rest == '/'))
			return true;
		if (rest && !*rest) /* at the same place allowRead wins: nothing to hide */
			return false;
	}
	return opening->whole;
}

static void derive_credentials(struct derivation *d)
{
	struct rule_vec *list = &d->policy->filesystem.deny_read;
	struct opening openings[] = {
		[PLACE_ROOT] = find_opening(d, "/"),
		[PLACE_HOME] = find_opening(d, d->home),
		[PLACE_WORKSPACE] = find_opening(d, d->workspace),
	};
	bool searched = false;

	for (const struct place *place = place_next(NULL); place && !d->failed; place = place_next(place)) {
		if ((place->class != PLACE_CREDENTIAL && place->class != PLACE_SHOWN) || !is_open(&openings[place->anchor], place))
			continue;
		if (is_around_home(d, place))
			continue;
		if (place->reach == PLACE_AT)
			add_at(d, list, place, openings[place->anchor].anchor, place->path);
		else
			add_below(d, list, place, openings[place->anchor].anchor);
		searched = searched || place->reach == PLACE_NEST;
	}
	if (searched)
		add_unsearched(d, list, d->workspace);
}

/* --- What can be written: protected places. -------------------------------------------------------------------------------- */

static bool is_within_any(const struct text_vec *tops, const char *path)
{
	for (size_t i = 0; i < tops->n; i++)
		if (path_within(path, tops->at[i]))
			return true;
	return false;
}

static void add_text(struct derivation *d, struct text_vec *list, const char *text)
{
	const char **slot;

	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->at[i], text) == 0)
			return;
	slot = text_vec_add(list, d->arena);
	if (slot)
		*slot = text;
	else
		d->failed = -ENOMEM;
}

static bool is_outermost(const struct text_vec *tops, const char *path)
{
	for (size_t i = 0; i < tops->n; i++)
		if (strcmp(path, tops->at[i]) != 0 && path_within(path, tops->at[i]))
			return false;
	return true;
}

static void find_roots(struct derivation *d)
{
	const struct rule_vec *list = &d->policy->filesystem.allow_write;
	bool srt = d->policy->dialect == POLICY_SRT;

	for (size_t i = 0; i < list->n; i++)
		if (!list->at[i].place)
			add_text(d, &d->writable, list->at[i].path);
	for (size_t i = 0; i < d->writable.n; i++) {
		add_text(d, &d->anchors, d->writable.at[i]);
		if (is_outermost(&d->writable, d->writable.at[i]))
			add_text(d, &d->roots, d->writable.at[i]);
	}
	if (srt && !is_within_any(&d->roots, d->workspace))
		add_text(d, &d->roots, d->workspace); /* there a place may be asked for and is protected all the same */
	if (is_within_any(&d->roots, d->workspace))
		add_text(d, &d->anchors, d->workspace);
	if (d->home && is_within_any(&d->roots, d->home))
		add_text(d, &d->anchors, d->home);
}

/* The rest of a place whose first components are the last ones of root. */
static void add_rest(struct derivation *d, struct rule_vec *list, const struct place *place, const char *root)
{
	const char *start = place->path; /* of the component before the cut */

	for (const char *cut = strchr(start, '/'); cut; start = cut + 1, cut = strchr(start, '/')) {
		char pattern[256];
		int n = snprintf(pattern, sizeof(pattern), "/**/%.*s", (int)(cut - place->path), place->path);

		if (n < 0 || (size_t)n >= sizeof(pattern) || !glob_match(pattern, root))
			continue;
		add_at(d, list, place, root, strncmp(start, "**/", 3) == 0 ? start : cut + 1);
	}
}

static void protect_everywhere(struct derivation *d, struct rule_vec *list, const struct place *place)
{
	for (size_t i = 0; i < d->roots.n && !d->failed; i++)
		add_rest(d, list, place, d->roots.at[i]);
	for (size_t i = 0; i < d->anchors.n && place->reach != PLACE_DEEP && !d->failed; i++)
		add_at(d, list, place, d->anchors.at[i], place->path);
	for (size_t i = 0; i < d->roots.n && place->reach != PLACE_AT && !d->failed; i++)
		add_below(d, list, place, d->roots.at[i]);
}

static void protect_once(struct derivation *d, struct rule_vec *list, const struct place *place)
{
	const char *anchor = anchor_of(d, place->anchor);
	const char *path = anchor ? path_join(d->arena, anchor, place->path) : NULL;

	if (path && is_within_any(&d->roots, path))
		add_at(d, list, place, anchor, place->path);
}

static bool is_protected(const struct policy_filesystem *fs, enum place_class class)
{
	if (class == PLACE_GIT_CONFIG)
		return !fs->allow_git_config;
	if (class == PLACE_INSTRUCTION)
		return !fs->allow_agent_instructions;
	return class == PLACE_PROTECTED || class == PLACE_FREE;
}

/* Where a glob of the table covers a path that somebody asked for by name. */
static void except_asked_for(struct derivation *d)
{
	struct policy_filesystem *fs = &d->policy->filesystem;
	size_t made = fs->deny_write.n;

	for (size_t i = 0; i < d->writable.n; i++)
		for (size_t j = 0; j < made && is_asked_for(d, d->writable.at[i]); j++) {
			const struct policy_rule *rule = &fs->deny_write.at[j];

			if (!rule->place || rule->except || !rule->glob || !glob_match(rule->glob, d->writable.at[i]))
				continue;
			add_rule(d, &fs->deny_write, (struct policy_rule){ .why = "asked for", .path = d->writable.at[i], .except = true });
			break;
		}
}

/* What this run may do was read from there, and so may be what the next one may do. */
static void protect_settings(struct derivation *d, struct rule_vec *list)
{
	static const struct place settings = { PLACE_PROTECTED, PLACE_ROOT, PLACE_AT, PLACE_FILE, "", "not decided inside a sandbox" };
	const struct text_vec *files = &d->policy->settings;

	for (size_t i = 0; i < files->n && !d->failed; i++)
		if (is_within_any(&d->roots, files->at[i]))
			add_at(d, list, &settings, files->at[i], "");
}

static void derive_protected(struct derivation *d)
{
	struct policy_filesystem *fs = &d->policy->filesystem;

	protect_settings(d, &fs->deny_write);
	for (const struct place *place = place_next(NULL); place && !d->failed; place = place_next(place)) {
		if (!is_protected(fs, place->class))
			continue;
		if (place->anchor == PLACE_EVERY)
			protect_everywhere(d, &fs->deny_write, place);
		else
			protect_once(d, &fs->deny_write, place);
	}
	for (size_t i = 0; i < d->roots.n && !d->failed; i++)
		add_unsearched(d, &fs->deny_write, d->roots.at[i]);
	except_asked_for(d);
}

/* --- srt. ------------------------------------------------------------------------------------------------------------------- */

static void derive_srt_writable(struct derivation *d)
{
	struct policy_filesystem *fs = &d->policy->filesystem;

	for (const struct place *place = place_next(NULL); place && !d->failed; place = place_next(place)) {
		const char *anchor = place->class == PLACE_SRT_WRITABLE ? anchor_of(d, place->anchor) : NULL;
		const char *path = anchor ? path_join(d->arena, anchor, place->path) : NULL;

		if (path && !is_denied_by_hand(&fs->deny_read, path))
			add_at(d, &fs->allow_write, place, anchor, place->path);
	}
}

/* srt's denyWrite is absolute: an allowWrite inside it is void. */
static void drop_void_allows(struct derivation *d)
{
	struct policy_filesystem *fs = &d->policy->filesystem;
	struct rule_vec kept = { 0 };

	for (size_t i = 0; i < fs->allow_write.n && !d->failed; i++) {
		bool is_void = false;
		struct policy_rule *slot;

		for (size_t j = 0; j < fs->deny_write.n && !is_void; j++)
			is_void = !fs->deny_write.at[j].not_directory &&
			          policy_rule_place(&fs->deny_write, &fs->deny_write.at[j], fs->allow_write.at[i].path);
		if (is_void)
			continue;
		slot = rule_vec_add(&kept, d->arena);
		if (slot)
			*slot = fs->allow_write.at[i];
		else
			d->failed = -ENOMEM;
	}
	if (!d->failed)
		fs->allow_write = kept;
}

/* A masked file is shown, for what lies there is a placeholder; the key of an authority never is. */
static void derive_secrets(struct derivation *d)
{
	const struct credential_vec *files = &d->policy->credentials.files;
	const struct policy_tls *tls = &d->policy->network.tls;
	struct policy_filesystem *fs = &d->policy->filesystem;

	for (size_t i = 0; i < files->n; i++)
		add_rule(d, &fs->allow_read, (struct policy_rule){ .why = files->at[i].why, .path = files->at[i].path });
	if (tls->ca_key)
		add_rule(d, &fs->deny_read, (struct policy_rule){ .why = tls->why, .path = tls->ca_key });
}

int places_derive(struct policy *policy, struct arena *arena)
{
	struct policy_filesystem *fs = &policy->filesystem;
	struct derivation d = { .policy = policy, .arena = arena, .workspace = policy->workspace.path, .home = policy->home };

	d.failed = places_hide(policy, arena);
	if (fs->disabled)
		return d.failed;
	derive_names(&d, &fs->deny_read);
	derive_names(&d, &fs->deny_write);
	derive_names(&d, &fs->allow_read);
	derive_names(&d, &fs->allow_write);
	derive_secrets(&d);
	if (policy->dialect == POLICY_SRT)
		derive_srt_writable(&d);
	if (fs->view == POLICY_VIEW_TOOLCHAIN) {
		derive_toolchain(&d);
		derive_workspace(&d);
	}
	if (fs->hide_credentials)
		derive_credentials(&d);
	find_roots(&d);
	if (fs->mandatory && d.writable.n && !d.failed)
		derive_protected(&d);
	if (policy->dialect == POLICY_SRT)
		drop_void_allows(&d);
	return d.failed;
}

/*
 * Theory of operation. Lines are tried from the last to the first, so they stand in this order: the built-in table's; its exceptions; what
 * people wrote; and then, for each place that is allowed inside of what some line forbids, an exception with whatever lines still hold below
 * it. A line stands here only where a writable region of the host makes it matter. Where everything is read-only there are none,
 * and init performs nothing itself.
 */
#include "compile/patterns.h"

#include "base/glob.h"
#include "base/path.h"
#include "compile/landlock.h"
#include "compile/stage.h"
#include "policy/pattern.h"

static const struct region *region_at(const struct compile *c, const char *path)
{
	return &c->regions.at[region_find(&c->regions, path)];
}

static int add_line(struct compile *c, struct pattern line)
{
	struct pattern *added = line.glob ? pattern_vec_add(&c->patterns, c->arena) : NULL;

	if (!added)
		return compile_no_memory(c);
	*added = line;
	return 0;
}

int patterns_add(struct compile *c, char letter, const char *path, const char *why)
{
	return add_line(c, (struct pattern){ .letter = letter, .glob = pattern_quote(c->arena, path), .why = why });
}

static int add_pattern(struct compile *c, char letter, const char *glob, const struct policy_rule *rule)
{
	return add_line(c, (struct pattern){ letter, glob, rule->why ? rule->why : WHY_DEFAULT, !rule->place });
}

static bool overlaps(const struct region *region, const char *top)
{
	return path_within(region->path, top);
}

/* Is top in a region of the kind, or such a region below top? */
static bool touches(const struct compile *c, const char *top, bool (*kind)(const struct region *region))
{
	if (kind(region_at(c, top)))
		return true;
	for (size_t i = 0; i < c->regions.n; i++)
		if (kind(&c->regions.at[i]) && overlaps(&c->regions.at[i], top))
			return true;
	return false;
}

/* The end of the pattern's text for its first components, which spell path. */
static const char *after_literal(const char *glob, const char *path)
{
	if (!path[1])
		return glob;
	for (; *path && *glob; path++)
		glob += (*glob == '\\') + 1;
	return glob;
}

const char *patterns_real_glob(struct compile *c, const struct policy_rule *rule)
{
	const struct survey_entry *entry = survey_find(c->inputs->survey, rule->path);
	const char *quoted;

	if (!entry || strcmp(entry->real, rule->path) == 0)
		return rule->glob;
	quoted = pattern_quote(c->arena, entry->real[1] ? entry->real : "");
	return quoted ? arena_printf(c->arena, "%s%s", quoted, after_literal(rule->glob, rule->path)) : NULL;
}

static const char *real_top(const struct compile *c, const struct policy_rule *rule)
{
	const struct survey_entry *entry = survey_find(c->inputs->survey, rule->path);

	return entry ? entry->real : rule->path;
}

/* One name, and the directories above it (pins). */
static int guard(struct compile *c, const char *path, const struct policy_rule *rule)
{
	const char *parent = path_parent(c->arena, path);
	struct guarded *guarded;
	int r;

	if (!parent)
		return compile_no_memory(c);
	if (!region_is_host_writable(region_at(c, parent)))
		return 0; /* nobody inside can make or replace it */
	r = add_pattern(c, rule->not_directory ? 'd' : 'w', pattern_quote(c->arena, path), rule);
	if (r < 0)
		return r;
	guarded = guarded_vec_add(&c->guarded, c->arena);
	if (!guarded)
		return compile_no_memory(c);
	*guarded = (struct guarded){ .path = path, .why = rule->why ? rule->why : WHY_DEFAULT };
	return 0;
}

/* Whoever replaces a link on the way to a protected file has replaced the file. */
static int guard_links(struct compile *c, const char *path, const struct policy_rule *rule)
{
	struct link_vec links = { 0 };
	int r = links_on_way(c, path, &links);

	for (size_t i = 0; r == 0 && i < links.n; i++) {
		r = guard(c, links.at[i].place, rule);
		if (r == 0 && strcmp(links.at[i].target, links.at[i].real) != 0)
			r = guard(c, links.at[i].target, rule);
	}
	return r;
}

static int guard_literal(struct compile *c, const char *path, const struct policy_rule *rule)
{
	const struct survey_entry *entry = survey_find(c->inputs->survey, path);
	int r;

	if (!entry || entry->kind == SURVEY_UNREADABLE)
		return guard_links(c, path, rule);
	r = guard(c, entry->real, rule);
	if (r == 0 && (entry->link || strcmp(entry->real, path) != 0))
		r = guard_links(c, path, rule);
	return r;
}

/* An existing match has its mount, but a link is only a name. */
static int guard_linked_matches(struct compile *c, const struct policy_rule *rule)
{
	const struct survey_match *match;
	size_t n = rules_matches(&c->inputs->survey->matches, rule->glob, &match);
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		const struct survey_entry *entry = survey_find(c->inputs->survey, match[i].path);

		if (entry && entry->link)
			r = guard_links(c, match[i].path, rule);
	}
	return r;
}

static int guard_glob(struct compile *c, char letter, const struct policy_rule *rule)
{
	bool (*kind)(const struct region *region) = letter == 'r' ? region_is_host_visible : region_is_host_writable;
	int r;

	if (!touches(c, real_top(c, rule), kind))
		return 0;
	r = letter == 'r' ? 0 : guard_linked_matches(c, rule);
	return r == 0 ? add_pattern(c, letter, patterns_real_glob(c, rule), rule) : r;
}

static int guard_write(struct compile *c, const struct policy_rule *rule)
{
	int r;

	if (!rule->glob)
		return guard_literal(c, rule->path, rule);
	r = rule->existing ? guard_linked_matches(c, rule) : guard_glob(c, rule->not_directory ? 'd' : 'w', rule);
	return r == 0 && rule->name ? guard_literal(c, rule->name, rule) : r;
}

/*
 * What somebody hid and is not there yet: it is not to be made from inside, and what the host makes of it meanwhile is not to be read. The
 * second costs a look at every open, so it is for rules that somebody wrote.
 */
static int guard_absent_read(struct compile *c, const char *path, const struct policy_rule *rule)
{
	const struct survey_entry *entry = survey_find(c->inputs->survey, path);
	int r;

	if (!entry || !(entry->kind == SURVEY_ABSENT || (entry->kind == SURVEY_UNREADABLE && entry->link)))
		return 0;
	r = guard_literal(c, path, rule);
	if (r == 0 && !rule->derived && region_is_host_visible(region_at(c, entry->real)))
		r = add_pattern(c, 'r', pattern_quote(c->arena, entry->real), rule);
	return r;
}

static int guard_read(struct compile *c, const struct policy_rule *rule)
{
	int r;

	if (rule->existing)
		return 0;
	if (!rule->glob)
		return guard_absent_read(c, rule->path, rule);
	r = guard_glob(c, 'w', rule);
	if (r == 0)
		r = guard_glob(c, 'r', rule);
	return r == 0 && rule->name ? guard_absent_read(c, rule->name, rule) : r;
}

static int guard_claims(struct compile *c, bool by_hand)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->claims.n; i++) {
		const struct claim *claim = &c->claims.at[i];

		if (!claim->rule->place != by_hand || fresh_owns(c, claim->rule->path))
			continue;
		if (claim->effect == EFFECT_DENY_WRITE)
			r = guard_write(c, claim->rule);
		else if (claim->effect == EFFECT_DENY_READ)
			r = guard_read(c, claim->rule);
	}
	return r;
}

/* What the built-in table leaves free in what it forbids. */
static int except_free(struct compile *c)
{
	const struct rule_vec *list = &c->policy->filesystem.deny_write;
	int r = 0;

	for (size_t i = 0; r == 0 && i < list->n && !c->policy->filesystem.disabled; i++) {
		const struct policy_rule *rule = &list->at[i];

		if (!rule->except || rule->existing || !touches(c, real_top(c, rule), region_is_host_writable))
			continue;
		r = add_pattern(c, '+', rule->glob ? patterns_real_glob(c, rule) : pattern_quote(c->arena, real_top(c, rule)), rule);
	}
	return r;
}

/* Lines about making names and lines about opening files decide apart. */
struct question {
	const char *letters; /* the one that forbids comes first */
	char exception;
	bool (*opens)(const struct region *region); /* what an exception is for */
};

static const struct question naming = { "wd+", '+', region_is_host_writable }, opening = { "ro", 'o', region_is_host_visible };

static bool forbids(const struct pattern *line, const struct question *question, const char *path)
{
	return line->letter == question->letters[0] && glob_covers(line->glob, path);
}

/*
 * What the line still says below the exception, and only there: its rest after each beginning, in whole components, that matches the
 * exception's own path.
 */
static int hold_below(struct compile *c, struct pattern line, const char *path)
{
	const char *glob = line.glob, *top = pattern_quote(c->arena, path);
	int r = top ? 0 : compile_no_memory(c);

	for (size_t end = 1; r == 0 && glob[end]; end++) {
		const char *beginning = glob[end] == '/' ? arena_dup_n(c->arena, glob, end) : "";
		bool any_depth = end >= 3 && memcmp(glob + end - 3, "/**", 3) == 0;

		if (!beginning)
			return compile_no_memory(c);
		if (!*beginning || !glob_match(beginning, path))
			continue;
		line.glob = arena_printf(c->arena, "%s%s%s", top, any_depth ? "/**" : "", glob + end);
		r = add_line(c, line);
	}
	return r;
}

static int except_place(struct compile *c, const struct question *question, const struct mark *mark, size_t lines)
{
	bool forbidden = false;
	int r;

	for (size_t i = 0; i < lines; i++)
		forbidden = forbidden || forbids(&c->patterns.at[i], question, mark->path);
	if (!forbidden)
		return 0;
	r = add_line(c, (struct pattern){ question->exception, pattern_quote(c->arena, mark->path), mark->why, false });
	for (size_t i = 0; r == 0 && mark->entry->kind == SURVEY_DIR && i < lines; i++)
		if (strchr(question->letters, c->patterns.at[i].letter))
			r = hold_below(c, c->patterns.at[i], mark->path);
	return r;
}

static bool is_allowed(const struct mark *mark)
{
	return mark->effect == EFFECT_ALLOW_READ || mark->effect == EFFECT_ALLOW_WRITE;
}

/* The marks are sorted, so that an exception inside of another comes after it. */
static int except_places(struct compile *c, const struct question *question)
{
	size_t lines = c->patterns.n;
	const char *before = "";
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->marks.n; i++) {
		const struct mark *mark = &c->marks.at[i];

		if (!is_allowed(mark) || !question->opens(region_at(c, mark->path)) || strcmp(mark->path, before) == 0)
			continue;
		r = except_place(c, question, mark, lines);
		before = mark->path;
	}
	return r;
}

/* What is written in a tree of the sandbox's own is judged when it is to leave, also where that tree lies in a protected one of the host's. */
static int except_own(struct compile *c)
{
	if (!c->own.path || c->rung != COMPILE_RUNG_NAMESPACES || c->patterns.n == 0)
		return 0;
	return add_line(c, (struct pattern){ naming.exception, pattern_quote(c->arena, c->own.path), c->own.why, false });
}

/*
 * Rung two has no mounts. What is read-only in a writable region, or hidden where Landlock cannot be told to leave it out, exists and
 * is guarded all the same.
 */
static int guard_region(struct compile *c, const struct region *region)
{
	const struct region *parent = &c->regions.at[region->parent];
	const char *quoted = pattern_quote(c->arena, region->path);
	int r = 0;

	if (!region_is_host_visible(parent) || region->access == ACCESS_WRITE)
		return 0;
	if (region_is_host_writable(parent))
		r = add_line(c, (struct pattern){ .letter = 'w', .glob = quoted, .why = region->why });
	if (r == 0 && region->access == ACCESS_HIDDEN && !carve_is_possible(c, region))
		r = add_line(c, (struct pattern){ .letter = 'r', .glob = quoted, .why = region->why });
	return r;
}

static int guard_regions(struct compile *c)
{
	const size_t before = c->patterns.n;
	bool writable = false;
	int r = 0;

	for (size_t i = 1; r == 0 && i < c->regions.n && c->rung == COMPILE_RUNG_LANDLOCK; i++)
		r = guard_region(c, &c->regions.at[i]);
	for (size_t i = before; i < c->patterns.n; i++)
		writable = writable || c->patterns.at[i].letter == 'w';
	if (r < 0 || !writable)
		return r;
	return compile_weaken(c, WHY_DEFAULT, "without mounts what is protected inside a writable place can still be given another mode");
}

/* ---- can init do it here? ---- */

const char *patterns_reason_against(struct compile *c)
{
	if (!c->facts->seccomp_notify)
		return "calls cannot be handed to init here";
	if (c->facts->tracing_why)
		return arena_printf(c->arena, "init cannot read what a call names, for %s%s", c->facts->tracing_why,
		                    strstr(c->facts->tracing_why, "yama") ? ": sudo sysctl -w kernel.yama.ptrace_scope=1" : "");
	if (c->rung == COMPILE_RUNG_LANDLOCK)
		return NULL;
	if (!c->facts->proc_mountable)
		return "init needs a /proc to know its callers by";
	return c->policy->process.allow_nested_user_namespaces ? "nested user namespaces see other paths" : NULL;
}

/* A rule that cannot be enforced is an error where somebody wrote it. */
static int give_up(struct compile *c, const char *reason)
{
	if (c->rung == COMPILE_RUNG_LANDLOCK)
		return err_set(c->err, ERR_UNSUPPORTED, EOPNOTSUPP, "without user namespaces protected places cannot be kept: %s", reason);
	for (size_t i = 0; i < c->patterns.n; i++) {
		const struct pattern *pattern = &c->patterns.at[i];

		if (pattern->by_hand && strchr("wdr", pattern->letter)) {
			int r =
			    err_set(c->err, ERR_UNSUPPORTED, EOPNOTSUPP, "%s: cannot be kept from appearing: %s", pattern->glob, reason);

			err_at(c->err, pattern->why);
			return r;
		}
	}
	c->patterns.n = 0;
	return compile_weaken(c, WHY_DEFAULT, "protected names can be made, and changed where nobody searched that deep: %s", reason);
}

static void choose_acts(struct compile *c)
{
	for (size_t i = 0; i < c->patterns.n; i++) {
		c->acts = c->acts || c->patterns.at[i].letter == 'w' || c->patterns.at[i].letter == 'd';
		c->acts_on_opens = c->acts_on_opens || c->patterns.at[i].letter == 'r';
	}
	c->acts = c->acts || (c->acts_on_opens && c->own.path); /* where names can be made freely, none is to lead out of what is hidden */
	if (!c->acts && !c->acts_on_opens)
		c->patterns.n = 0;
	c->tells = c->facts->seccomp_notify && c->policy->denials != POLICY_DENIALS_OFF &&
	           (c->rung == COMPILE_RUNG_LANDLOCK || c->facts->proc_mountable);
}

int patterns_make(struct compile *c)
{
	const char *reason = patterns_reason_against(c);
	int r = guard_claims(c, false);

	if (r == 0)
		r = except_free(c);
	if (r == 0)
		r = guard_claims(c, true);
	if (r == 0)
		r = guard_regions(c);
	if (r == 0)
		r = replaced_guard_hidden(c);
	if (r == 0)
		r = except_places(c, &naming);
	if (r == 0)
		r = except_places(c, &opening);
	if (r == 0)
		r = replaced_guard_masked(c); /* which are shown, and so are among the exceptions */
	if (r == 0)
		r = except_own(c);
	if (r == 0 && reason && c->patterns.n)
		r = give_up(c, reason);
	if (r == 0)
		choose_acts(c);
	return r;
}

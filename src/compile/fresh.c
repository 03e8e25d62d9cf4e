/*
 * What a sandbox does not share with the host, whatever the rules say: /proc, /dev, and in place of the host's /tmp, /var/tmp and
 * /run empty ones, unless a rule names those very directories. And the files that tell about the host: who its users are, what it
 * is called, how large it is. They are covered by generated ones (covers.c).
 */
#include "base/path.h"
#include "compile/stage.h"
#include "policy/decide.h"

/* Unlimited is a number all the same: to tmpfs 0 means that, and plans do not say it by accident. */
#define UNLIMITED_BYTES (1ull << 40)
#define UNLIMITED_INODES (1ull << 30)

enum { SMALL_BYTES = 64 << 20, DEV_BYTES = 64 << 10, DEV_INODES = 64, DIR_MODE = 0755, TMP_MODE = 01777, DEVICE_MODE = 0666 };

static const uint64_t own_flags = PLAN_TREE_NOSUID | PLAN_TREE_NODEV;
static const uint64_t device_flags = PLAN_TREE_RO | PLAN_TREE_NOSUID | PLAN_TREE_NOEXEC;

static const struct fresh_place {
	const char *path;
	bool writable;
	bool owned; /* no rule brings the host's */
} places[] = {
	{ "/proc", true, true }, { "/dev", false, true },     { "/dev/shm", true, true },
	{ "/tmp", true, false }, { "/var/tmp", true, false }, { "/run", false, false },
};

#define TERMINAL "/dev/tty" /* without one of its own it would lead nowhere */

/* Device nodes that programs expect. Read-only mounts: a device is written to all the same, but its mode is not changed. */
static const char *const devices[] = { "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", TERMINAL };

static const struct {
	const char *path, *target;
} device_links[] = {
	{ "/dev/fd", "/proc/self/fd" },       { "/dev/stdin", "/proc/self/fd/0" }, { "/dev/stdout", "/proc/self/fd/1" },
	{ "/dev/stderr", "/proc/self/fd/2" }, { "/dev/ptmx", "pts/ptmx" },
};

/* Told by the kernel to any process of the same user, and about more than this sandbox. */
static const char *const masked[] = { "/proc/keys" };

#define N(a) (sizeof(a) / sizeof((a)[0]))

const char *fresh_question(size_t i)
{
	if (i < N(places))
		return places[i].path;
	i -= N(places);
	if (i < N(devices))
		return devices[i];
	i -= N(devices);
	if (i < N(masked))
		return masked[i];
	return i == N(masked) ? "/sys" : NULL;
}

size_t fresh_places(void)
{
	return N(places);
}

const char *fresh_device(size_t i)
{
	return i < N(devices) ? devices[i] : NULL;
}

static const struct fresh_place *place_of(const char *path)
{
	for (size_t i = 0; i < N(places); i++)
		if (path_within(path, places[i].path))
			return &places[i];
	return NULL;
}

bool fresh_holds(const struct compile *c, const char *path)
{
	return c->rung == COMPILE_RUNG_NAMESPACES && place_of(path);
}

bool fresh_owns(const struct compile *c, const char *path)
{
	const struct fresh_place *place = place_of(path);

	return c->rung == COMPILE_RUNG_NAMESPACES && place && place->owned;
}

bool fresh_has(const char *device)
{
	for (size_t i = 0; i < N(devices); i++)
		if (strcmp(devices[i], device) == 0)
			return true;
	for (size_t i = 0; i < N(device_links); i++)
		if (strcmp(device_links[i].path, device) == 0)
			return true;
	return false;
}

static int add_mark(struct compile *c, const char *path, bool writable)
{
	struct mark *mark = mark_vec_add(&c->marks, c->arena);

	if (!mark)
		return compile_no_memory(c);
	*mark = (struct mark){ .path = path, .effect = EFFECT_FRESH, .why = WHY_DEFAULT, .writable = writable, .order = c->marks.n };
	return 0;
}

/* Where the host's own root is shown a mount needs a directory of the host's to stand on. */
static int land_place(struct compile *c, const struct fresh_place *place, bool host_root)
{
	const struct survey_entry *entry = survey_find(c->inputs->survey, place->path);

	if (strcmp(place->path, "/dev/shm") == 0 || !entry || (entry->kind != SURVEY_DIR && !host_root))
		return add_mark(c, place->path, place->writable);
	if (entry->kind == SURVEY_DIR)
		return add_mark(c, entry->real, place->writable);
	plan_build_note(&c->plan, "%s: not there on the host, so not in the sandbox", place->path);
	return 0;
}

/* Without mounts of its own a sandbox has none of these places. */
static int hide_place(struct compile *c, const struct fresh_place *place)
{
	const struct survey_entry *entry = survey_find(c->inputs->survey, place->path);
	struct mark *mark;

	if (!entry || entry->kind != SURVEY_DIR)
		return 0;
	mark = mark_vec_add(&c->marks, c->arena);
	if (!mark)
		return compile_no_memory(c);
	*mark = (struct mark){ .path = entry->real, .effect = EFFECT_DENY_READ, .why = WHY_DEFAULT, .entry = entry, .order = c->marks.n };
	return 0;
}

/* Where all of the host can be written, the kernel's own controls cannot: cgroups, devices, modules. */
static int protect_controls(struct compile *c)
{
	const struct survey_entry *entry = survey_find(c->inputs->survey, "/sys");
	struct mark *mark = entry && entry->kind == SURVEY_DIR ? mark_vec_add(&c->marks, c->arena) : NULL;

	if (!entry || entry->kind != SURVEY_DIR)
		return 0;
	if (!mark)
		return compile_no_memory(c);
	*mark = (struct mark){ .path = entry->real, .effect = EFFECT_DENY_WRITE, .why = WHY_DEFAULT, .entry = entry, .order = c->marks.n };
	return 0;
}

int fresh_land(struct compile *c)
{
	bool host_root = c->policy->filesystem.disabled || policy_allows(c->policy, "/", POLICY_READ);
	int r = protect_controls(c);

	for (size_t i = 0; r == 0 && i < N(places); i++)
		r = c->rung == COMPILE_RUNG_NAMESPACES ? land_place(c, &places[i], host_root) : hide_place(c, &places[i]);
	return r;
}

static uint64_t ceiling(const struct compile *c, enum policy_limit_id id, uint64_t unlimited)
{
	uint64_t value = c->policy->limit[id].value;

	if (value == NUM_UNLIMITED)
		return unlimited;
	return value ? value : 1;
}

static void put_tmpfs(struct compile *c, const char *path, uint64_t most_bytes)
{
	uint64_t bytes = ceiling(c, POLICY_LIMIT_TMP, UNLIMITED_BYTES), inodes = ceiling(c, POLICY_LIMIT_TMP_INODES, UNLIMITED_INODES);
	const char *why = c->policy->limit[POLICY_LIMIT_TMP].why;

	plan_add(&c->plan, OP_TMPFS, why ? why : WHY_DEFAULT, path, own_flags, bytes < most_bytes ? bytes : most_bytes, inodes,
	         (uint64_t)TMP_MODE);
}

static void mask(struct compile *c, const char *path, enum survey_kind kind, const char *why)
{
	uint64_t mask_kind = kind == SURVEY_DIR ? PLAN_MASK_DIR : PLAN_MASK_FILE;

	plan_add(&c->plan, OP_MASK, why, path, mask_kind, (uint64_t)0, (uint64_t)0);
}

/* The host's /proc shows the host's processes: rather none than that. */
static int put_proc(struct compile *c, const struct region *region, bool in_bare)
{
	/* Inside, files of the host's root belong to nobody, but for a caller whose own id is root's. */
	uint64_t flags = identity_uid_inside(c) == 0 ? PLAN_PROC_RO : 0;

	if (c->facts->proc_mountable) {
		plan_add(&c->plan, OP_PROC, region->why, region->path, flags);
		return 0;
	}
	if (!in_bare)
		mask(c, region->path, SURVEY_DIR, region->why);
	return compile_weaken(
	    c, WHY_DEFAULT,
	    "there is no /proc inside: a fresh one cannot be mounted where parts of the caller's own are covered (containers: %s)",
	    "--security-opt systempaths=unconfined");
}

/* In a skeleton it is the same directory as /tmp, which saves a mount and shares a limit. */
static bool is_alias(const struct compile *c, const struct region *region, bool in_bare)
{
	return in_bare && !region->opened_below && strcmp(region->path, "/var/tmp") == 0 &&
	       c->regions.at[region_find(&c->regions, "/tmp")].fresh;
}

int fresh_put(struct compile *c, const struct region *region, bool in_bare)
{
	bool is_var_tmp = strcmp(region->path, "/var/tmp") == 0;

	if (is_alias(c, region, in_bare)) {
		mounts_make_dir(c, "/var", region->why);
		plan_add(&c->plan, OP_LINK, region->why, region->path, "/tmp");
		return 0;
	}
	if (in_bare)
		plan_add(&c->plan, OP_DIR, region->why, region->path, (uint64_t)DIR_MODE);
	if (strcmp(region->path, "/proc") == 0)
		return put_proc(c, region, in_bare);
	if (region->access == ACCESS_WRITE)
		put_tmpfs(c, region->path, is_var_tmp ? SMALL_BYTES : UNLIMITED_BYTES);
	else if (!in_bare)
		plan_add(&c->plan, OP_TMPFS, region->why, region->path, own_flags | PLAN_TREE_NOEXEC, DEV_BYTES + secrets_room(c),
		         (uint64_t)DEV_INODES, (uint64_t)DIR_MODE);
	return 0;
}

/* ---- inside /proc and /dev ---- */

static const char *hidden_by_hand(const struct compile *c, const char *path)
{
	struct policy_verdict verdict = policy_decide(c->policy, path, POLICY_READ);

	return verdict.allowed || verdict.rule->derived ? NULL : verdict.rule->why;
}

static bool has_terminal(const struct compile *c)
{
	return c->inputs->terminal && c->policy->process.allow_terminal;
}

int fresh_choose_devices(struct compile *c)
{
	int r = 0;

	for (size_t i = 0; r == 0 && c->rung == COMPILE_RUNG_NAMESPACES && i < N(devices); i++) {
		const struct survey_entry *entry = survey_find(c->inputs->survey, devices[i]);
		struct source source = { .path = devices[i], .why = WHY_DEFAULT, .entry = entry, .flags = device_flags };

		if (entry && entry->kind == SURVEY_OTHER && !hidden_by_hand(c, devices[i]) &&
		    (has_terminal(c) || strcmp(devices[i], TERMINAL) != 0))
			r = mounts_add_source(c, source, &source.slot);
	}
	return r;
}

static void put_devices(struct compile *c)
{
	for (size_t i = 0; i < c->sources.n; i++) {
		const struct source *source = &c->sources.at[i];

		if (source->flags != device_flags)
			continue;
		plan_add(&c->plan, OP_FILE, WHY_DEFAULT, source->path, (uint64_t)DEVICE_MODE, "", (size_t)0);
		plan_add(&c->plan, OP_PLACE, WHY_DEFAULT, source->slot, source->path);
	}
	for (size_t i = 0; i < N(device_links); i++)
		plan_add(&c->plan, OP_LINK, WHY_DEFAULT, device_links[i].path, device_links[i].target);
	plan_add(&c->plan, OP_DIR, WHY_DEFAULT, "/dev/pts", (uint64_t)DIR_MODE);
	plan_add(&c->plan, OP_DEVPTS, WHY_DEFAULT, "/dev/pts");
	plan_add(&c->plan, OP_DIR, WHY_DEFAULT, "/dev/mqueue", (uint64_t)DIR_MODE);
	plan_add(&c->plan, OP_MQUEUE, WHY_DEFAULT, "/dev/mqueue");
}

/* A file of /proc has another identity in each pid namespace. */
static void mask_proc(struct compile *c)
{
	for (size_t i = 0; i < N(masked); i++) {
		const struct survey_entry *entry = survey_find(c->inputs->survey, masked[i]);

		if (entry && entry->kind == SURVEY_FILE)
			mask(c, masked[i], SURVEY_FILE, WHY_DEFAULT);
	}
	for (size_t i = 0; i < c->claims.n; i++) {
		const struct policy_rule *rule = c->claims.at[i].rule;
		const struct survey_entry *entry = rule->glob ? NULL : survey_find(c->inputs->survey, rule->path);

		if (entry && path_within(rule->path, "/proc") && (entry->kind == SURVEY_FILE || entry->kind == SURVEY_DIR) &&
		    hidden_by_hand(c, rule->path))
			mask(c, rule->path, entry->kind, hidden_by_hand(c, rule->path));
	}
}

/* srt's TMPDIR, in the private /tmp; a rule that brings the host's, or all of its /tmp, brings the directory too. */
static void put_tmpdir(struct compile *c)
{
	const char *path = environment_tmpdir(c);
	const struct region *region = &c->regions.at[region_find(&c->regions, path)];

	if (c->policy->dialect == POLICY_SRT && strcmp(region->path, "/tmp") == 0 && strcmp(region->why, WHY_DEFAULT) == 0)
		plan_add(&c->plan, OP_DIR, WHY_DEFAULT, path, (uint64_t)DIR_MODE);
}

int fresh_put_details(struct compile *c)
{
	put_tmpdir(c);
	put_devices(c);
	if (c->facts->proc_mountable)
		mask_proc(c);
	return 0;
}

/*
 * The heart of the compiler against the policy's own words. For random trees and random rules: what the plan's mounts show of each path
 * is what policy_decide says; Landlock grants what the mounts need and, where it stands alone, nothing more; and init's patterns keep
 * from appearing what may not be written.
 */
#include "compile/regions.h"

#include "plan/rules.h"
#include "policy/decide.h"
#include "unit/compile/sight.h"
#include "unit/compile/world.h"

enum { ROUNDS = 400, NODES = 40, RULES = 7, DEPTH_MAX = 5 };

/* xorshift: the same sequence everywhere. */
static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static unsigned below(uint32_t *state, unsigned n)
{
	return next_random(state) % n;
}

static const char *random_path(struct world *w, uint32_t *state)
{
	static const char *const names[] = { "a", "b", "c", "a-b", "a b", "x*y" };
	const char *path = "/w";

	for (unsigned depth = 1 + below(state, DEPTH_MAX); depth > 0; depth--)
		path = path_join(&w->arena, path, names[below(state, 6)]);
	return path;
}

static void add_node(struct world *w, const char *path, enum survey_kind kind)
{
	const char *parent = path_parent(&w->arena, path);
	const struct host_node *above;

	if (!host_find(&w->host, parent))
		add_node(w, parent, SURVEY_DIR);
	above = host_find(&w->host, parent);
	if (above && above->kind == SURVEY_DIR && !host_find(&w->host, path))
		host_add(&w->host, (struct host_node){ .path = path, .kind = kind, .mode = 0755, .uid = 1000, .gid = 1000 });
}

static void grow(struct world *w, uint32_t *state)
{
	for (unsigned i = 0; i < NODES; i++) {
		const char *path = random_path(w, state);

		add_node(w, path, below(state, 3) ? SURVEY_DIR : SURVEY_FILE);
	}
}

static const char *random_glob(uint32_t *state)
{
	static const char *const globs[] = { "/w/**/a", "/w/*/b", "/w/a/*", "/w/**/b/c", "/w/[ab]/**/c", "/w/**/a*b" };

	return globs[below(state, sizeof(globs) / sizeof(globs[0]))];
}

static void add_random_rule(struct world *w, uint32_t *state, const char *path)
{
	struct policy_filesystem *fs = &w->policy.filesystem;
	struct rule_vec *lists[] = { &fs->deny_read, &fs->allow_read, &fs->allow_write, &fs->deny_write };
	struct rule_vec *list = lists[below(state, 4)];

	if (below(state, 4) == 0) {
		assert_int_equal(policy_add_rule(&w->arena, list, random_glob(state), false, "rule"), 0);
		return;
	}
	/* An absent allowWrite is an error, and tested elsewhere. */
	if (list == &fs->allow_write && !host_find(&w->host, path))
		list = &fs->deny_write;
	assert_int_equal(policy_add_rule(&w->arena, list, path, true, "rule"), 0);
}

static void make_world(struct world *w, uint32_t *state)
{
	world_init(w);
	world_add(w, "d 0755 1000 1000 /w\n");
	grow(w, state);
	w->policy.filesystem.view = below(state, 2) ? POLICY_VIEW_HOST : POLICY_VIEW_TOOLCHAIN;
	w->policy.filesystem.mandatory = w->policy.filesystem.hide_credentials = false;
	for (unsigned i = 0; i < RULES; i++) {
		bool exists = below(state, 4);
		size_t at = w->host.nodes.n - 1 - below(state, 20);

		add_random_rule(w, state, exists ? w->host.nodes.at[at].path : random_path(w, state));
	}
}

static enum sight decided(const struct world *w, const char *path)
{
	if (!policy_allows(&w->policy, path, POLICY_READ))
		return SIGHT_HIDDEN;
	return policy_allows(&w->policy, path, POLICY_WRITE) ? SIGHT_WRITE : SIGHT_READ;
}

static void check_node(const struct world *w, const char *path)
{
	enum sight seen = sight_of(&w->plan, path), wanted = decided(w, path);
	uint64_t rights = sight_rights(&w->plan, path);

	if (seen != wanted)
		print_message("%s: seen %d, decided %d\n", path, seen, wanted);
	assert_int_equal(seen, wanted);
	if (seen != SIGHT_HIDDEN)
		assert_true(rights & SIGHT_READ_FILE);
	if (seen == SIGHT_WRITE)
		assert_true(rights & SIGHT_WRITE_FILE);
}

static void test_mounts_are_what_the_policy_decides(void **state)
{
	uint32_t seed = 7;

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct world w;

		make_world(&w, &seed);
		if (round % 2)
			world_become_root(&w);
		if (world_compile(&w) < 0)
			fail_msg("round %u: %s", round, w.err.text);
		for (size_t i = 0; i < w.host.nodes.n; i++)
			if (path_within(w.host.nodes.at[i].path, "/w"))
				check_node(&w, w.host.nodes.at[i].path);
		world_done(&w);
	}
}

/* Could somebody inside make this name? Its directory is there, writable, and of the host. */
static bool can_be_made(const struct world *w, const char *path)
{
	const char *parent = path_parent(w->host.arena, path);
	const struct host_node *dir = host_find(&w->host, parent);

	return !host_find(&w->host, path) && dir && dir->kind == SURVEY_DIR && sight_of(&w->plan, parent) == SIGHT_WRITE;
}

/* What such rules open counts for what exists; a later name stays forbidden where something else forbids it. */
static bool has_globs(const struct policy *policy)
{
	const struct policy_filesystem *fs = &policy->filesystem;
	const struct rule_vec *lists[] = { &fs->deny_read, &fs->allow_read, &fs->allow_write, &fs->deny_write };

	for (size_t i = 0; i < 4; i++)
		for (size_t j = 0; j < lists[i]->n; j++)
			if (lists[i]->at[j].glob)
				return true;
	return false;
}

static void check_absent(const struct world *w, const char *path)
{
	const struct rules rules = { &w->plan, world_find(w, OP_INIT, NULL) };

	if (!can_be_made(w, path))
		return;
	if (!policy_allows(&w->policy, path, POLICY_WRITE))
		assert_true(rules_name(&rules, path, false) && rules_name(&rules, path, true));
	else if (!has_globs(&w->policy))
		assert_false(rules_name(&rules, path, false));
	if (!policy_allows(&w->policy, path, POLICY_READ))
		assert_true(rules_read(&rules, path));
}

static void test_patterns_keep_forbidden_names_from_appearing(void **state)
{
	uint32_t seed = 23;

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct world w;

		make_world(&w, &seed);
		assert_int_equal(world_compile(&w), 0);
		for (unsigned i = 0; i < 4 * NODES; i++)
			check_absent(&w, random_path(&w, &seed));
		world_done(&w);
	}
}

/* On rung two Landlock grants, but for what init guards, exactly what can be read and written. */
static void check_alone(const struct world *w, const struct host_node *node)
{
	const struct rules rules = { &w->plan, world_find(w, OP_INIT, NULL) };
	enum sight wanted = decided(w, node->path);
	uint64_t rights = sight_rights(&w->plan, node->path);
	bool reads = rights & SIGHT_READ_FILE && !rules_read(&rules, node->path);
	bool writes = rights & SIGHT_WRITE_FILE && !rules_name(&rules, node->path, node->kind == SURVEY_DIR) && reads;

	if (node->kind == SURVEY_DIR) {
		assert_true(wanted != SIGHT_HIDDEN || !(rights & SIGHT_READ_DIR) || rules_read(&rules, node->path));
		return;
	}
	if (reads != (wanted != SIGHT_HIDDEN) || writes != (wanted == SIGHT_WRITE))
		print_message("%s: reads %d, writes %d, decided %d\n", node->path, reads, writes, wanted);
	assert_int_equal(reads, wanted != SIGHT_HIDDEN);
	assert_int_equal(writes, wanted == SIGHT_WRITE);
}

static void test_landlock_alone_is_what_the_policy_decides(void **state)
{
	uint32_t seed = 99;

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct world w;

		make_world(&w, &seed);
		world_lose_namespaces(&w);
		assert_int_equal(world_compile(&w), 0);
		for (size_t i = 0; i < w.host.nodes.n; i++)
			if (path_within(w.host.nodes.at[i].path, "/w"))
				check_alone(&w, &w.host.nodes.at[i]);
		world_done(&w);
	}
}

static void test_paths_sort_with_what_is_in_them(void **state)
{
	static const char *const sorted[] = { "/", "/a", "/a/b", "/a/b/c", "/a b", "/a-b", "/b" };

	(void)state;
	for (size_t i = 0; i < 7; i++)
		for (size_t j = 0; j < 7; j++) {
			int order = region_compare_paths(sorted[i], sorted[j]);

			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths_sort_with_what_is_in_them),
		cmocka_unit_test(test_mounts_are_what_the_policy_decides),
		cmocka_unit_test(test_patterns_keep_forbidden_names_from_appearing),
		cmocka_unit_test(test_landlock_alone_is_what_the_policy_decides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

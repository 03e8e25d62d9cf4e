/* sample.h: policies for tests. The home is /home/u and the working directory /home/u/w unless a test says otherwise. */
#ifndef COFFER_TESTS_POLICY_SAMPLE_H
#define COFFER_TESTS_POLICY_SAMPLE_H

#include "policy/decide.h"
#include "policy/policy.h"
#include "policy/read.h"

#include "unit/unit.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct arena arena;

__attribute__((unused)) static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, 64 << 20);
	return 0;
}

__attribute__((unused)) static int tear_down(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

__attribute__((unused)) static struct policy sample_default(void)
{
	struct policy policy;

	assert_int_equal(policy_init(&policy, &arena), 0);
	return policy;
}

/* Everything readable, nothing built in: for tests of rules alone. */
__attribute__((unused)) static struct policy sample_plain(void)
{
	struct policy policy = sample_default();

	policy.filesystem.view = POLICY_VIEW_HOST;
	policy.filesystem.mandatory = policy.filesystem.hide_credentials = false;
	return policy;
}

__attribute__((unused)) static void sample_add(struct rule_vec *list, const char *text)
{
	assert_int_equal(policy_add_rule(&arena, list, text, false, "test"), 0);
}

__attribute__((unused)) static void sample_resolve_at(struct policy *policy, const char *cwd, const char *home)
{
	struct err err = { 0 };

	if (policy_resolve(policy, &arena, cwd, home, &err) < 0)
		fail_msg("%s: %s", err.where, err.text);
}

__attribute__((unused)) static void sample_resolve(struct policy *policy)
{
	sample_resolve_at(policy, "/home/u/w", "/home/u");
}

__attribute__((unused)) static void assert_access(const struct policy *policy, const char *path, bool read, bool write)
{
	if (policy_allows(policy, path, POLICY_READ) != read || policy_allows(policy, path, POLICY_WRITE) != write)
		fail_msg("%s: read %d write %d, wanted %d %d", path, policy_allows(policy, path, POLICY_READ),
		         policy_allows(policy, path, POLICY_WRITE), read, write);
}

/* Reads a document in a dialect. Faults go to *ret_faults. */
__attribute__((unused)) static int sample_read(struct policy *policy, const char *text, enum policy_dialect dialect,
                                               struct fault_vec *ret_faults)
{
	const struct policy_document document = { text, strlen(text), "settings.json", dialect };
	struct err err = { 0 };
	int r = policy_read(policy, &arena, &document, ret_faults, &err);

	assert_int_equal(r < 0, err.code != ERR_NONE);
	return r;
}

#endif

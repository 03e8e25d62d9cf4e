/* Settings documents, in both dialects: whatever is accepted prints as a document that reads as the same policy. */
#include "fuzz.h"

#include "base/path.h"
#include "policy/check.h"
#include "policy/decide.h"
#include "policy/print.h"
#include "policy/read.h"

#include <stdlib.h>
#include <string.h>

enum { ARENA_MAX = 32 << 20, PRINTED_MAX = 8 << 20 };

static void require(bool holds)
{
	if (!holds)
		abort();
}

static struct policy start(struct arena *arena, enum policy_dialect dialect)
{
	struct policy policy;

	require((dialect == POLICY_SRT ? policy_init_srt(&policy, arena) : policy_init(&policy, arena)) == 0);
	return policy;
}

static const char *print(struct arena *arena, const struct policy *policy)
{
	autostr struct str out;

	str_init(&out, PRINTED_MAX);
	policy_print_json(policy, &out);
	require(!out.failed);

	const char *text = arena_dup(arena, out.text);

	require(text);
	return text;
}

static void check_prints_again(struct arena *arena, const struct policy *policy, enum policy_dialect dialect)
{
	struct policy again = start(arena, dialect);
	const char *text = print(arena, policy);
	const struct policy_document document = { text, strlen(text), "printed", dialect };

	require(policy_read(&again, arena, &document, NULL, NULL) == 0);
	require(strcmp(print(arena, &again), text) == 0);
}

static void check_list(const struct policy *policy, const struct rule_vec *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct policy_rule *rule = &list->at[i];

		require(path_is_normal(rule->path));
		require(!rule->glob || rule->glob[0] == '/');
		require(!policy_allows(policy, rule->path, POLICY_WRITE) || policy_allows(policy, rule->path, POLICY_READ));
	}
}

static void check_resolved(struct arena *arena, struct policy *policy, enum policy_dialect dialect)
{
	const struct policy_filesystem *fs = &policy->filesystem;
	struct fault_vec faults = { 0 };
	size_t n;

	check_list(policy, &fs->deny_read);
	check_list(policy, &fs->allow_read);
	check_list(policy, &fs->allow_write);
	check_list(policy, &fs->deny_write);
	require(policy_check(policy, arena, &faults) == 0);
	check_prints_again(arena, policy, dialect);

	n = fs->deny_read.n + fs->allow_read.n + fs->allow_write.n + fs->deny_write.n;
	require(policy_resolve(policy, arena, "/home/u/w", "/home/u", NULL) == 0);
	require(n == fs->deny_read.n + fs->allow_read.n + fs->allow_write.n + fs->deny_write.n);
}

static void try_dialect(const uint8_t *data, size_t size, enum policy_dialect dialect)
{
	struct arena arena;
	struct fault_vec faults = { 0 };
	struct err err = { 0 };

	arena_init(&arena, ARENA_MAX);

	struct policy policy = start(&arena, dialect), before = policy;
	const struct policy_document document = { (const char *)data, size, "fuzz", dialect };

	if (policy_read(&policy, &arena, &document, &faults, &err) < 0) {
		require(err.code != ERR_NONE && faults.n > 0);
		require(memcmp(&policy, &before, sizeof(policy)) == 0);
	} else {
		if (!policy.tighten)
			check_prints_again(&arena, &policy, dialect);
		if (policy_resolve(&policy, &arena, "/home/u/w", "/home/u", &err) == 0)
			check_resolved(&arena, &policy, dialect);
		else
			require(err.code != ERR_NONE);
	}
	arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 1 << 14)
		return 0;
	try_dialect(data, size, POLICY_COFFER);
	try_dialect(data, size, POLICY_SRT);
	return 0;
}

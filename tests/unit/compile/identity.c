#include "unit/compile/world.h"

#include <linux/sched.h>

static void test_a_user_stays_itself(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	assert_int_equal(world_compile(&w), 0);
	assert_int_equal(plan_number(world_find(&w, OP_IDMAP, NULL), 0), 1000);
	assert_int_equal(plan_number(world_find(&w, OP_IDMAP, NULL), 1), 1000);
	assert_false(world_has(&w, OP_WARDEN_USER, NULL) || world_has(&w, OP_IDS, NULL) || world_has(&w, OP_HOST_TREE, NULL));
	world_done(&w);
}

static void test_root_is_nobody_of_the_host(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_become_root(&w);
	assert_int_equal(world_compile(&w), 0);
	assert_int_equal(plan_number(world_find(&w, OP_WARDEN_USER, NULL), 0), w.facts.sandbox_uid);
	assert_int_equal(plan_number(world_find(&w, OP_IDMAP, NULL), 0), 1000);
	assert_int_equal(plan_number(world_find(&w, OP_IDMAP, NULL), 1), w.facts.sandbox_uid);
	assert_int_equal(world_count(&w, OP_TREE), 0); /* the warden opens all sources */
	assert_true(world_has(&w, OP_HOST_TREE, "/usr"));
	world_done(&w);
}

/* What the policy names belongs to the sandbox; the distribution does not. */
static void test_root_shows_named_trees_as_the_sandboxs(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_become_root(&w);
	world_allow_write(&w, ".");
	assert_int_equal(world_compile(&w), 0);
	assert_int_equal(world_count(&w, OP_TREE_IDMAP), 1);

	const struct plan_op *map = world_find(&w, OP_TREE_IDMAP, NULL);

	assert_int_equal(plan_number(map, 0), plan_number(world_find(&w, OP_HOST_TREE, "/home/u/ws"), 0));
	assert_int_equal(plan_number(map, 1), 1000); /* its owner on the host */
	assert_int_equal(plan_number(map, 2), w.facts.sandbox_uid);
	world_done(&w);

	world_init(&w);
	world_become_root(&w);
	w.facts.idmapped_mounts = false;
	assert_int_equal(world_compile(&w), 0);
	assert_int_equal(world_count(&w, OP_TREE_IDMAP), 0);
	assert_true(world_notes(&w, "id-mapped"));
	world_done(&w);
}

/* What a try has shown: this tree's owners stay, another's change. */
static void test_a_file_system_may_keep_its_owners(void **state)
{
	for (int strict = 0; strict <= 1; strict++) {
		struct world w;

		(void)state;
		world_init(&w);
		world_become_root(&w);
		world_allow_write(&w, ".");
		world_allow_read(&w, "/usr/bin");
		assert_int_equal(world_compile(&w), 0);
		assert_int_equal(world_count(&w, OP_TREE_IDMAP), 2);
		assert_int_equal(w.plan.head->note_count, 0);

		for (size_t i = 0; i < w.survey.entries.n; i++)
			w.survey.entries.at[i].keeps_owners = strcmp(w.survey.entries.at[i].real, "/usr/bin") == 0;
		w.policy.strict = strict;
		assert_int_equal(compile(&w.policy, &w.inputs, &w.facts, &w.arena, &w.plan, &w.err) < 0, strict);
		if (strict) {
			assert_int_equal(w.err.code, ERR_UNSUPPORTED);
			assert_non_null(strstr(w.err.text, "/usr/bin: its file system"));
		} else {
			assert_int_equal(world_count(&w, OP_TREE_IDMAP), 1);
			assert_true(world_notes(&w, "/usr/bin: its file system cannot show files as another user's"));
		}
		world_done(&w);
	}
}

static void test_root_without_namespaces_changes_its_ids(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_become_root(&w);
	world_lose_namespaces(&w);
	assert_int_equal(world_compile(&w), 0);
	assert_int_equal(plan_number(world_find(&w, OP_IDS, NULL), 0), w.facts.sandbox_uid);
	assert_int_equal(plan_number(world_find(&w, OP_SCRATCH_MAKE, NULL), 2), w.facts.sandbox_uid);
	world_done(&w);
}

/* In a container it may not mount, but it may be somebody else. */
static void test_root_of_a_container_is_nobody_of_the_host_either(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_become_container_root(&w);
	world_allow_write(&w, ".");
	assert_int_equal(world_compile(&w), 0);
	assert_int_equal(plan_number(world_find(&w, OP_WARDEN_USER, NULL), 0), w.facts.sandbox_uid);
	assert_int_equal(plan_number(world_find(&w, OP_IDMAP, NULL), 0), 1000);
	assert_int_equal(plan_number(world_find(&w, OP_IDMAP, NULL), 1), w.facts.sandbox_uid);
	assert_false(world_has(&w, OP_HOST_TREE, NULL) || world_has(&w, OP_TREE_IDMAP, NULL));
	assert_true(world_has(&w, OP_TREE, "/home/u/ws"));
	assert_true(world_notes(&w, "files that only root may read"));
	world_done(&w);

	world_init(&w);
	world_become_container_root(&w);
	world_lose_namespaces(&w);
	assert_int_equal(world_compile(&w), 0);
	assert_int_equal(plan_number(world_find(&w, OP_IDS, NULL), 0), w.facts.sandbox_uid);
	assert_true(world_notes(&w, "files that only root may read"));
	world_done(&w);
}

/* Rather nothing than a command that is the host's root. Whether uid 0 of a user namespace is, is known as far as the one above. */
static void test_root_that_can_be_nobody_else(void **state)
{
	for (int rung = 1; rung <= 2; rung++) {
		struct world w;

		(void)state;
		world_init(&w);
		w.facts.uid = w.facts.gid = 0;
		w.facts.first_user_namespace = true;
		w.facts.user_namespaces = rung == 1;
		assert_true(world_compile(&w) < 0);
		assert_int_equal(w.err.code, ERR_UNSUPPORTED);
		assert_non_null(strstr(w.err.text, "CAP_SETUID"));
		world_done(&w);
	}
	for (unsigned above = 0; above <= 1000; above += 1000) {
		struct world w;

		world_init(&w);
		w.facts.uid = w.facts.gid = 0;
		w.facts.uid_above = above;
		assert_int_equal(world_compile(&w), 0);
		assert_int_equal(w.plan.head->note_count, above == 0);
		assert_int_equal(world_notes(&w, "root outside of this user namespace"), above == 0);
		world_done(&w);

		world_init(&w);
		w.facts.uid = w.facts.gid = 0;
		w.facts.uid_above = above;
		w.policy.strict = true;
		assert_int_equal(world_compile(&w) < 0, above == 0);
		world_done(&w);
	}
}

/* Nothing but a detached tree can be handed into the jail. */
static void test_root_without_the_mount_api_opens_nothing(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_become_root(&w);
	w.facts.mount_api = w.facts.idmapped_mounts = false;
	assert_int_equal(world_compile(&w), 0);
	assert_false(world_has(&w, OP_HOST_TREE, NULL));
	assert_true(world_has(&w, OP_TREE, "/home/u/ws") && world_has(&w, OP_WARDEN_USER, NULL));
	world_done(&w);
}

static void test_the_network_namespace_is_the_networks(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	assert_int_equal(world_compile(&w), 0);
	assert_true(plan_number(world_find(&w, OP_SPAWN, NULL), 0) & CLONE_NEWNET);
	assert_true(world_has(&w, OP_LOOPBACK, NULL));
	world_done(&w);

	world_init(&w);
	w.policy.network.mode = POLICY_NETWORK_HOST;
	assert_int_equal(world_compile(&w), 0);
	assert_false(plan_number(world_find(&w, OP_SPAWN, NULL), 0) & CLONE_NEWNET);
	assert_false(world_has(&w, OP_LOOPBACK, NULL) || world_has(&w, OP_COVER, "/etc/resolv.conf"));
	world_done(&w);
}

static void test_a_terminal_where_one_is_wanted(void **state)
{
	struct world w;

	(void)state;
	for (int allowed = 0; allowed < 2; allowed++) {
		world_init(&w);
		w.inputs.terminal = 3;
		w.policy.process.allow_terminal = allowed;
		assert_int_equal(world_compile(&w), 0);
		assert_int_equal(world_has(&w, OP_TERMINAL, NULL), allowed);
		assert_int_equal(world_has(&w, OP_FILE, "/dev/tty"), allowed);
		world_done(&w);
	}
}

static void test_the_workspace_must_be_one(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	w.inputs.cwd = "/no/where";
	assert_true(world_compile(&w) < 0);
	assert_int_equal(w.err.code, ERR_NOTFOUND);
	world_done(&w);

	world_init(&w);
	w.policy.filesystem.view = POLICY_VIEW_HOST;
	world_deny_read(&w, ".");
	assert_true(world_compile(&w) < 0);
	assert_int_equal(w.err.code, ERR_POLICY);
	world_done(&w);

	world_init(&w); /* hidden in a skeleton it is an empty directory */
	w.inputs.cwd = "/home/u";
	assert_int_equal(world_compile(&w), 0);
	assert_true(world_has(&w, OP_DIR, "/home/u") && world_has(&w, OP_CHDIR, "/home/u"));
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_user_stays_itself),
		cmocka_unit_test(test_root_is_nobody_of_the_host),
		cmocka_unit_test(test_root_shows_named_trees_as_the_sandboxs),
		cmocka_unit_test(test_a_file_system_may_keep_its_owners),
		cmocka_unit_test(test_root_without_namespaces_changes_its_ids),
		cmocka_unit_test(test_root_of_a_container_is_nobody_of_the_host_either),
		cmocka_unit_test(test_root_that_can_be_nobody_else),
		cmocka_unit_test(test_root_without_the_mount_api_opens_nothing),
		cmocka_unit_test(test_the_network_namespace_is_the_networks),
		cmocka_unit_test(test_a_terminal_where_one_is_wanted),
		cmocka_unit_test(test_the_workspace_must_be_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "compile/landlock.h"

#include "plan/rules.h"
#include "unit/compile/sight.h"
#include "unit/compile/world.h"

static uint64_t rights(const struct world *w, const char *path)
{
	return sight_rights(&w->plan, path);
}

static void start(struct world *w)
{
	world_init(w);
	world_lose_namespaces(w);
}

static void test_what_lies_beside_the_hidden_is_granted(void **state)
{
	struct world w;

	(void)state;
	start(&w);
	world_add(&w, "d 0755 1000 1000 /home/u/ws/h\nf 0600 1000 1000 /home/u/ws/h/key\n");
	world_deny_read(&w, "h");
	assert_int_equal(world_compile(&w), 0);
	assert_true(rights(&w, "/home/u/ws/sub/file") & SIGHT_READ_FILE);
	assert_int_equal(rights(&w, "/home/u/ws/h/key"), 0);
	assert_int_equal(rights(&w, "/home/u/ws") & SIGHT_READ_DIR, 0); /* or h could be listed */
	assert_false(world_has(&w, OP_LANDLOCK_PATH, "/home/u/ws/h"));
	world_done(&w);
}

static void test_a_directory_with_a_hidden_file_can_be_listed(void **state)
{
	struct world w;

	(void)state;
	start(&w);
	world_deny_read(&w, "sub/file");
	assert_int_equal(world_compile(&w), 0);
	assert_true(rights(&w, "/home/u/ws/sub") & SIGHT_READ_DIR);
	assert_false(rights(&w, "/home/u/ws/sub/file") & SIGHT_READ_FILE);
	world_done(&w);
}

/* A rule follows a link, so a link gets none. */
static void test_links_beside_the_hidden_open_nothing(void **state)
{
	struct world w;

	(void)state;
	start(&w);
	world_add(&w, "d 0755 1000 1000 /home/u/secret\nl 0777 1000 1000 /home/u/ws/link -> ../secret\n");
	world_deny_read(&w, "sub/file");
	assert_int_equal(world_compile(&w), 0);
	assert_false(world_has(&w, OP_LANDLOCK_PATH, "/home/u/ws/link"));
	assert_int_equal(rights(&w, "/home/u/secret"), 0);
	world_done(&w);
}

/* New names are made in a writable directory, so nothing can be left out of it: init sees every open. */
static void test_what_is_denied_in_a_writable_place_is_inits(void **state)
{
	struct world w;

	(void)state;
	start(&w);
	world_allow_write(&w, ".");
	world_deny_write(&w, "sub/file");
	world_deny_read(&w, "file");
	assert_int_equal(world_compile(&w), 0);

	const struct plan_op *init = world_find(&w, OP_INIT, NULL);
	const struct rules rules = { &w.plan, init };

	assert_true(rights(&w, "/home/u/ws/new") & SIGHT_MAKE_REG);
	assert_true(plan_number(init, 1) & PLAN_INIT_ACT_OPENS && plan_number(init, 1) & PLAN_INIT_RUNG2);
	assert_true(rules_name(&rules, "/home/u/ws/sub/file", false) && rules_name(&rules, "/home/u/ws/.git/config", false));
	assert_true(rules_read(&rules, "/home/u/ws/file") && !rules_read(&rules, "/home/u/ws/sub/file"));
	world_done(&w);
}

/* What a writable region grants cannot be left out again further down, whatever lies in between. */
static void test_hidden_in_read_only_in_writable_is_inits(void **state)
{
	struct world w;

	(void)state;
	for (int variant = 0; variant < 4; variant++) {
		start(&w);
		if (variant & 1)
			w.policy.filesystem.view = POLICY_VIEW_HOST;
		world_add(&w, "d 0755 1000 1000 /home/u/ws/a\nd 0755 1000 1000 /home/u/ws/a/b\nf 0600 1000 1000 /home/u/ws/a/b/key\n");
		world_allow_write(&w, ".");
		if (variant & 2) {
			world_deny_read(&w, "a");
			world_allow_read(&w, "a/b");
		}
		world_deny_write(&w, "a/b");
		world_deny_read(&w, "a/b/key");
		assert_int_equal(world_compile(&w), 0);

		const struct rules rules = { &w.plan, world_find(&w, OP_INIT, NULL) };

		assert_true(rules_read(&rules, "/home/u/ws/a/b/key"));
		assert_false(rules_read(&rules, "/home/u/ws/a/b/other"));
		world_done(&w);
	}
}

/* What Landlock lets pass init takes for allowed: nothing is told that was not refused. */
static void test_init_knows_what_is_granted_besides(void **state)
{
	for (int write = 0; write <= 1; write++) {
		struct world w;
		uint32_t rule;

		(void)state;
		start(&w);
		if (write)
			world_allow_write(&w, ".");
		assert_int_equal(world_compile(&w), 0);

		const struct plan_op *init = world_find(&w, OP_INIT, NULL);
		const struct rules rules = { &w.plan, init };
		const char *scratch = plan_text(&w.plan, world_find(&w, OP_SCRATCH_MAKE, NULL), 0);

		assert_int_equal(rules_region(&rules, arena_printf(&w.arena, "%s/made", scratch), &rule), 'w');
		assert_int_equal(rules_region(&rules, "/dev/null", &rule), 'w');
		assert_int_equal(rules_region(&rules, "/dev/sda", &rule), 'h');
		assert_int_equal(rules_region(&rules, "/proc/meminfo", &rule), 'r');
		assert_int_equal(rules_region(&rules, "/proc/1/environ", &rule), write ? 'r' : 'h');
		assert_int_equal(rules_region(&rules, "/home/u/ws/file", &rule), write ? 'w' : 'r');
		assert_int_equal(plan_list_count(&w.plan, init, 2) + plan_list_count(&w.plan, init, 3), plan_list_count(&w.plan, init, 4));
		world_done(&w);
	}
}

static void test_the_hosts_own_places_are_hidden(void **state)
{
	struct world w;

	(void)state;
	start(&w);
	w.policy.filesystem.view = POLICY_VIEW_HOST;
	world_add(&w, "f 0600 1000 1000 /run/token\nf 0600 1000 1000 /tmp/x\nd 0555 1000 1000 /proc/1\nf 0400 1000 1000 /proc/1/environ\n");
	assert_int_equal(world_compile(&w), 0);
	assert_int_equal(rights(&w, "/proc/1/environ") | rights(&w, "/run/token") | rights(&w, "/tmp/x"), 0);
	assert_true(rights(&w, "/usr/bin/tool") & SIGHT_READ_FILE);
	assert_true(rights(&w, "/var/tmp/coffer-1000/0123456789ab/x") & SIGHT_MAKE_REG);
	assert_false(rights(&w, "/var/tmp/x") & SIGHT_READ_FILE);
	world_done(&w);
}

static void test_old_landlock_is_said(void **state)
{
	struct world w;

	(void)state;
	start(&w);
	w.facts.landlock_abi = 1;
	assert_int_equal(world_compile(&w), 0);
	assert_true(world_notes(&w, "renamed or linked") && world_notes(&w, "can be emptied") && world_notes(&w, "signals"));
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_lies_beside_the_hidden_is_granted),
		cmocka_unit_test(test_a_directory_with_a_hidden_file_can_be_listed),
		cmocka_unit_test(test_links_beside_the_hidden_open_nothing),
		cmocka_unit_test(test_what_is_denied_in_a_writable_place_is_inits),
		cmocka_unit_test(test_hidden_in_read_only_in_writable_is_inits),
		cmocka_unit_test(test_init_knows_what_is_granted_besides),
		cmocka_unit_test(test_the_hosts_own_places_are_hidden),
		cmocka_unit_test(test_old_landlock_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "compile/rules.h"

#include "unit/compile/world.h"

static void test_absent_places(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_allow_read(&w, "nothing");
	assert_int_equal(world_compile(&w), 0);
	assert_true(world_notes(&w, "/home/u/ws/nothing: does not exist"));
	world_done(&w);

	world_init(&w);
	world_allow_write(&w, "nothing");
	assert_true(world_compile(&w) < 0);
	assert_int_equal(w.err.code, ERR_NOTFOUND);
	assert_string_equal(w.err.where, "--rule");
	world_done(&w);

	world_init(&w); /* the private /tmp can be written, so there is nothing to miss */
	world_allow_write(&w, "/tmp/claude");
	assert_int_equal(world_compile(&w), 0);
	assert_false(world_has(&w, OP_TREE, "/tmp/claude"));
	world_done(&w);
}

/* What cannot be searched is denied whole, for its owner could change the mode. */
static void test_unreadable_directories_are_denied_whole(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_add(&w,
	          "d 0000 1000 1000 /home/u/ws/locked\nd 0755 1000 1000 /home/u/ws/locked/a\nf 0644 1000 1000 /home/u/ws/locked/a/key\n");
	world_allow_write(&w, ".");
	world_deny_read(&w, "locked/a/key");
	assert_int_equal(world_compile(&w), 0);
	assert_true(world_has(&w, OP_MASK, "/home/u/ws/locked"));
	world_done(&w);

	world_init(&w);
	world_add(&w, "d 0000 1000 1000 /home/u/ws/locked\nd 0755 1000 1000 /home/u/ws/locked/a\n");
	world_allow_write(&w, ".");
	world_deny_write(&w, "locked/a");
	assert_int_equal(world_compile(&w), 0);
	assert_true(plan_number(world_find(&w, OP_REBIND, "/home/u/ws/locked"), 1) & PLAN_TREE_RO);
	world_done(&w);

	world_init(&w);
	world_add(&w, "d 0000 1000 1000 /home/u/ws/locked\nd 0755 1000 1000 /home/u/ws/locked/a\n");
	world_allow_write(&w, "locked/a");
	assert_true(world_compile(&w) < 0);
	assert_int_equal(w.err.code, ERR_DENIED);
	world_done(&w);
}

static void test_globs_land_on_what_they_match(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_add(&w, "f 0600 1000 1000 /home/u/ws/a.key\nf 0600 1000 1000 /home/u/ws/sub/b.key\nf 0600 1000 1000 /home/u/ws/keys\n");
	world_deny_read(&w, "**/*.key");
	assert_int_equal(world_compile(&w), 0);
	assert_true(world_has(&w, OP_MASK, "/home/u/ws/a.key") && world_has(&w, OP_MASK, "/home/u/ws/sub/b.key"));
	assert_false(world_has(&w, OP_MASK, "/home/u/ws/keys"));
	world_done(&w);
}

static void test_a_pattern_is_also_the_name_that_it_spells(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_add(&w, "f 0600 1000 1000 /home/u/ws/[ab]\nf 0600 1000 1000 /home/u/ws/a\n");
	world_deny_read(&w, "[ab]");
	assert_int_equal(world_compile(&w), 0);
	assert_true(world_has(&w, OP_MASK, "/home/u/ws/[ab]") && world_has(&w, OP_MASK, "/home/u/ws/a"));
	world_done(&w);
}

/* An earlier sandbox may have made the link: nobody asked for what it leads to. */
static void test_a_link_does_not_ask_for_what_is_guarded(void **state)
{
	static const struct {
		const char *to;
		bool write, refused;
	} links[] = {
		{ ".git", true, true },      { ".git/hooks", true, true },     { ".vscode", true, true },
		{ ".vscode", false, false }, { ".claude/x", true, false },     { "src", true, false },
		{ ".env", false, true },     { ".env.example", false, false }, { "/home/u/.ssh", true, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		struct world w;

		world_init(&w);
		world_add(
		    &w, "d 0755 1000 1000 /home/u/ws/.git\nd 0755 1000 1000 /home/u/ws/.git/hooks\nd 0755 1000 1000 /home/u/ws/.vscode\n");
		world_add(&w,
		          "d 0755 1000 1000 /home/u/ws/src\nf 0644 1000 1000 /home/u/ws/.env\nf 0644 1000 1000 /home/u/ws/.env.example\n");
		world_add(&w,
		          "d 0755 1000 1000 /home/u/ws/.claude\nd 0755 1000 1000 /home/u/ws/.claude/x\nd 0700 1000 1000 /home/u/.ssh\n");
		world_add(&w, arena_printf(&w.arena, "l 0777 1000 1000 /home/u/ws/out -> %s\n", links[i].to));
		if (links[i].write)
			world_allow_write(&w, "out");
		else
			world_allow_read(&w, "out");
		if ((world_compile(&w) < 0) != links[i].refused)
			fail_msg("%s: %s", links[i].to, w.err.text);
		assert_int_equal(w.err.code, links[i].refused ? ERR_POLICY : ERR_NONE);
		world_done(&w);
	}
}

/* The run goes on where a table of ours meets a link of theirs. */
static void test_a_link_named_like_a_secret_hides_no_library(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_add(&w, "l 0777 1000 1000 /home/u/ws/.env -> /usr/bin/tool\n"
	              "l 0777 1000 1000 /home/u/ws/.env.root -> /\nl 0777 1000 1000 /home/u/ws/.env.ws -> .\n");
	assert_int_equal(world_compile(&w), 0);
	assert_false(world_has(&w, OP_MASK, "/usr/bin/tool") || world_has(&w, OP_MASK, "/home/u/ws"));
	world_done(&w);

	world_init(&w); /* who writes the rule means it */
	world_add(&w, "l 0777 1000 1000 /home/u/ws/x -> /usr/bin/tool\n");
	world_deny_read(&w, "x");
	assert_int_equal(world_compile(&w), 0);
	assert_true(world_has(&w, OP_MASK, "/usr/bin/tool"));
	world_done(&w);
}

static void test_an_unfinished_search_is_an_error_for_rules_by_hand(void **state)
{
	struct world w;

	(void)state;
	for (int by_hand = 0; by_hand < 2; by_hand++) {
		world_init(&w);
		world_allow_write(&w, ".");
		if (by_hand)
			world_deny_read(&w, "**/*.key");
		w.survey.incomplete = true;
		w.survey.incomplete_at = "/home/u/ws/sub";
		if (by_hand) {
			assert_true(world_compile(&w) < 0);
			assert_int_equal(w.err.code, ERR_LIMIT);
		} else {
			assert_int_equal(world_compile(&w), 0);
			assert_true(world_notes(&w, "/home/u/ws/sub"));
		}
		world_done(&w);
	}
}

static void test_a_survey_that_did_not_look_is_a_defect(void **state)
{
	struct world w;
	struct survey empty = { 0 };

	(void)state;
	world_init(&w);
	assert_int_equal(world_compile(&w), 0);
	w.inputs.survey = &empty;
	assert_true(compile(&w.policy, &w.inputs, &w.facts, &w.arena, &w.plan, &w.err) < 0);
	assert_int_equal(w.err.code, ERR_INTERNAL);
	world_done(&w);
}

static void test_devices_are_not_passed_on(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_add(&w, "c 0660 0 36 /dev/kvm\n");
	world_allow_write(&w, "/dev/kvm");
	world_allow_write(&w, "/dev/null");
	assert_int_equal(world_compile(&w), 0);
	assert_true(world_notes(&w, "/dev/kvm"));
	assert_int_equal(w.plan.head->note_count, 1);
	assert_false(world_has(&w, OP_TREE, "/dev/kvm"));
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_absent_places),
		cmocka_unit_test(test_unreadable_directories_are_denied_whole),
		cmocka_unit_test(test_globs_land_on_what_they_match),
		cmocka_unit_test(test_a_pattern_is_also_the_name_that_it_spells),
		cmocka_unit_test(test_a_link_does_not_ask_for_what_is_guarded),
		cmocka_unit_test(test_a_link_named_like_a_secret_hides_no_library),
		cmocka_unit_test(test_an_unfinished_search_is_an_error_for_rules_by_hand),
		cmocka_unit_test(test_a_survey_that_did_not_look_is_a_defect),
		cmocka_unit_test(test_devices_are_not_passed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

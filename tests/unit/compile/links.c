#include "compile/links.h"

#include "unit/compile/world.h"

static void refuse(struct world *w)
{
	assert_true(world_compile(w) < 0);
	assert_int_equal(w->err.code, ERR_POLICY);
	assert_string_equal(w->err.where, "--rule");
	world_done(w);
}

/* A repository that holds out -> /home/u/secret chooses nothing. */
static void test_a_link_that_leads_out_opens_nothing(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_add(&w, "d 0700 1000 1000 /home/u/secret\nl 0777 1000 1000 /home/u/ws/out -> ../secret\n");
	world_allow_write(&w, "out");
	refuse(&w);

	world_init(&w);
	world_add(&w, "d 0700 1000 1000 /home/u/secret\nl 0777 1000 1000 /home/u/ws/out -> ../secret\n");
	world_allow_read(&w, "out/deeper/..");
	refuse(&w);

	world_init(&w); /* by way of a link that nobody inside can change */
	world_add(&w, "d 0700 1000 1000 /home/u/secret\nl 0777 1000 1000 /home/u/ws/out -> ../secret\nl 0777 0 0 /way -> /home/u/ws/out\n");
	world_allow_read(&w, "/way");
	refuse(&w);

	world_init(&w); /* in a directory that somebody opened for writing, elsewhere */
	world_add(&w, "d 0755 0 0 /srv\nl 0777 1000 1000 /srv/link -> /home/u\n");
	world_allow_write(&w, "/srv");
	world_allow_write(&w, "/srv/link");
	refuse(&w);
}

static void test_a_glob_does_not_follow_links_out(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_add(&w, "d 0700 1000 1000 /home/u/secret\nl 0777 1000 1000 /home/u/ws/out -> ../secret\n");
	world_allow_write(&w, "o*");
	assert_int_equal(world_compile(&w), 0);
	assert_false(world_has(&w, OP_TREE, "/home/u/secret"));
	assert_true(world_notes(&w, "leads out"));
	world_done(&w);
}

static void test_links_of_the_users_own_are_followed(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_add(
	    &w,
	    "d 0755 1000 1000 /data\nd 0755 1000 1000 /data/x\nl 0777 1000 1000 /home/u/x -> ../../data/x\nl 0777 0 0 /homes -> home\n");
	world_allow_write(&w, "/homes/u/x");
	assert_int_equal(world_compile(&w), 0);
	assert_true(world_has(&w, OP_PLACE, NULL) && world_has(&w, OP_TREE, "/data/x"));
	assert_string_equal(plan_text(&w.plan, world_find(&w, OP_LINK, "/homes"), 1), "home");
	assert_string_equal(plan_text(&w.plan, world_find(&w, OP_LINK, "/home/u/x"), 1), "../../data/x");
	world_done(&w);
}

/* The middle of a chain may not be there inside. */
static void test_a_chain_becomes_one_link(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_add(&w, "d 0755 0 0 /data\nl 0777 0 0 /one -> two\nl 0777 0 0 /two -> data\n");
	world_allow_read(&w, "/one");
	assert_int_equal(world_compile(&w), 0);
	assert_string_equal(plan_text(&w.plan, world_find(&w, OP_LINK, "/one"), 1), "/data");
	assert_false(world_has(&w, OP_LINK, "/two"));
	world_done(&w);
}

static void test_a_denied_link_is_guarded_as_a_name(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	w.policy.filesystem.mandatory = false;
	world_add(&w, "l 0777 1000 1000 /home/u/ws/rc -> sub/one\nl 0777 1000 1000 /home/u/ws/sub/one -> file\n");
	world_allow_write(&w, ".");
	world_deny_write(&w, "rc");
	assert_int_equal(world_compile(&w), 0);
	assert_true(world_has(&w, OP_REBIND, "/home/u/ws/sub/file"));
	assert_true(world_has(&w, OP_REBIND, "/home/u/ws/sub")); /* pinned */
	assert_true(world_guards(&w, "w/home/u/ws/rc") && world_guards(&w, "w/home/u/ws/sub/one") &&
	            world_guards(&w, "w/home/u/ws/sub/file"));
	world_done(&w);
}

static void test_loops_and_dangling_links_break_nothing(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_add(&w, "l 0777 1000 1000 /home/u/ws/loop -> loop\nl 0777 1000 1000 /home/u/ws/gone -> no/where\n");
	world_allow_write(&w, ".");
	world_deny_read(&w, "loop");
	world_deny_write(&w, "loop/below");
	world_deny_write(&w, "gone");
	assert_int_equal(world_compile(&w), 0);
	assert_true(world_guards(&w, "w/home/u/ws/loop") && world_guards(&w, "w/home/u/ws/gone") &&
	            world_guards(&w, "w/home/u/ws/no/where"));
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_link_that_leads_out_opens_nothing), cmocka_unit_test(test_a_glob_does_not_follow_links_out),
		cmocka_unit_test(test_links_of_the_users_own_are_followed), cmocka_unit_test(test_a_chain_becomes_one_link),
		cmocka_unit_test(test_a_denied_link_is_guarded_as_a_name),  cmocka_unit_test(test_loops_and_dangling_links_break_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

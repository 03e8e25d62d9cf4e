#include "compile/mounts.h"

#include "unit/compile/world.h"

/* Sources are compared with what the survey saw, and so is what is bound or masked by its path. */
static void check_identity(const struct world *w, const struct plan_op *op, unsigned identity)
{
	const char *path = plan_text(&w->plan, op, (unsigned)world_path_operand(op));
	const struct host_node *node = host_find(&w->host, path);
	uint64_t dev = plan_number(op, identity), ino = plan_number(op, identity + 1);

	if (!dev && !ino && (op->code == OP_REBIND || path_within(path, "/proc")))
		return; /* a pin that nobody looked at, a file of a procfs that is not there yet */
	assert_non_null(node);
	assert_int_equal(dev, HOST_DEVICE);
	assert_int_equal(ino, node->ino);
}

static void check_identities(const struct world *w)
{
	for (uint32_t i = 0; i < w->plan.head->op_count; i++) {
		const struct plan_op *op = &w->plan.op[i];

		if (op->code == OP_TREE || op->code == OP_HOST_TREE)
			check_identity(w, op, 3);
		else if (op->code == OP_REBIND || op->code == OP_MASK)
			check_identity(w, op, 2);
	}
}

static void test_every_source_has_its_identity(void **state)
{
	struct world w;

	(void)state;
	for (int view = 0; view < 2; view++) {
		world_init(&w);
		w.policy.filesystem.view = view ? POLICY_VIEW_HOST : POLICY_VIEW_TOOLCHAIN;
		world_allow_write(&w, ".");
		world_deny_write(&w, "sub/file");
		assert_int_equal(world_compile(&w), 0);
		check_identities(&w);
		world_done(&w);
	}
}

static void test_a_skeleton_shows_only_the_way(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	assert_int_equal(world_compile(&w), 0);
	assert_true(world_has(&w, OP_ROOT_NEW, NULL) && world_has(&w, OP_REMOUNT, "/"));
	assert_true(world_has(&w, OP_DIR, "/home/u/ws") && world_has(&w, OP_TREE, "/home/u/ws"));
	assert_string_equal(plan_text(&w.plan, world_find(&w, OP_LINK, "/bin"), 1), "usr/bin");
	assert_false(world_has(&w, OP_TREE, "/home") || world_has(&w, OP_TREE, "/home/u") || world_has(&w, OP_TREE, "/var"));
	world_done(&w);
}

static void test_the_default_needs_few_mounts(void **state)
{
	static const enum plan_opcode mounts[] = { OP_ROOT_NEW, OP_ROOT_TREE, OP_PLACE, OP_TMPFS, OP_PROC,
		                                   OP_DEVPTS,   OP_MQUEUE,    OP_MASK,  OP_COVER, OP_REBIND };
	struct world w;
	size_t n = 0;

	(void)state;
	world_init(&w);
	world_add(&w, "c 0666 0 0 /dev/zero\nc 0666 0 0 /dev/full\nc 0666 0 0 /dev/random\nc 0666 0 0 /dev/urandom\n");
	assert_int_equal(world_compile(&w), 0);
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++)
		n += world_count(&w, mounts[i]);
	assert_true(n < 25);
	world_done(&w);
}

static void test_protected_in_writable_is_bound_and_pinned(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_allow_write(&w, ".");
	world_deny_write(&w, "sub/file");
	assert_int_equal(world_compile(&w), 0);
	assert_true(plan_number(world_find(&w, OP_REBIND, "/home/u/ws/sub/file"), 1) & PLAN_TREE_RO);
	assert_false(plan_number(world_find(&w, OP_REBIND, "/home/u/ws/sub"), 1) & PLAN_TREE_RO);
	assert_true(world_has(&w, OP_REBIND, "/home/u/ws/.git")); /* above .git/config */
	assert_false(world_has(&w, OP_REBIND, "/home/u/ws"));     /* it is a mount already */
	world_done(&w);
}

/* Hidden, but for something inside: an empty directory that holds the way to it. */
static void test_hidden_around_shown(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_add(&w, "d 0755 1000 1000 /home/u/ws/h\nd 0755 1000 1000 /home/u/ws/h/in\nf 0644 1000 1000 /home/u/ws/h/in/file\n");
	world_deny_read(&w, "h");
	world_allow_read(&w, "h/in/file");
	assert_int_equal(world_compile(&w), 0);
	assert_true(world_has(&w, OP_TMPFS, "/home/u/ws/h") && world_has(&w, OP_REMOUNT, "/home/u/ws/h"));
	assert_true(world_has(&w, OP_DIR, "/home/u/ws/h/in") && world_has(&w, OP_FILE, "/home/u/ws/h/in/file"));
	assert_false(world_has(&w, OP_MASK, "/home/u/ws/h"));
	world_done(&w);
}

/* A file whose mode keeps this user out needs no mask where its directory cannot be changed. */
static void test_out_of_reach(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_become_root(&w);
	assert_int_equal(world_compile(&w), 0);
	assert_false(world_has(&w, OP_MASK, "/etc/shadow"));
	world_done(&w);

	world_init(&w); /* an ordinary user may be in the group */
	assert_int_equal(world_compile(&w), 0);
	assert_true(world_has(&w, OP_MASK, "/etc/shadow"));
	world_done(&w);

	world_init(&w);
	world_add(&w, "f 0600 0 0 /home/u/ws/roots\n");
	world_allow_write(&w, ".");
	world_deny_read(&w, "roots");
	assert_int_equal(world_compile(&w), 0);
	assert_true(world_has(&w, OP_MASK, "/home/u/ws/roots"));
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_source_has_its_identity), cmocka_unit_test(test_a_skeleton_shows_only_the_way),
		cmocka_unit_test(test_the_default_needs_few_mounts),  cmocka_unit_test(test_protected_in_writable_is_bound_and_pinned),
		cmocka_unit_test(test_hidden_around_shown),           cmocka_unit_test(test_out_of_reach),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

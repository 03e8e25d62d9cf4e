#include "unit/compile/world.h"

static const char *cover(const struct world *w, const char *path)
{
	const struct plan_op *op = world_find(w, OP_COVER, path);
	size_t n;

	return op ? arena_dup_n(w->host.arena, plan_blob(&w->plan, op, 2, &n), (plan_blob(&w->plan, op, 2, &n), n)) : NULL;
}

static void test_users(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	assert_int_equal(world_compile(&w), 0);
	assert_string_equal(cover(&w, "/etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nu:x:1000:1000:u:/home/u:/bin/sh\n"
	                                              "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n");
	assert_string_equal(cover(&w, "/etc/group"), "root:x:0:\nu:x:1000:\nnogroup:x:65534:\n");
	world_done(&w);

	world_init(&w);
	world_become_root(&w);
	assert_int_equal(world_compile(&w), 0);
	assert_non_null(strstr(cover(&w, "/etc/passwd"), "\nsandbox:x:1000:1000:sandbox:/home/u:/bin/sh\n"));
	world_done(&w);
}

/* Whoever starts coffer chooses these words; a line of passwd is not to be had with them. */
static void test_names_with_colons(void **state)
{
	static const char *const users[] = { "a:0:0", "x\nroot::0:0:::", "", "9", "-x", "ü", NULL };
	struct world w;

	(void)state;
	for (size_t i = 0; i < 7; i++) {
		world_init(&w);
		w.inputs.user = users[i];
		w.inputs.home = "/home/u:x";
		assert_int_equal(world_compile(&w), 0);
		assert_non_null(strstr(cover(&w, "/etc/passwd"), "\nsandbox:x:1000:1000:sandbox:/:/bin/sh\n"));
		world_done(&w);
	}
}

static void test_the_network_files(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	w.policy.process.hostname = "builder";
	assert_int_equal(world_compile(&w), 0);
	assert_string_equal(cover(&w, "/etc/hostname"), "builder\n");
	assert_non_null(strstr(cover(&w, "/etc/hosts"), "localhost builder"));
	assert_string_equal(cover(&w, "/etc/resolv.conf"), "");
	assert_string_equal(plan_text(&w.plan, world_find(&w, OP_HOSTNAME, NULL), 0), "builder");
	world_done(&w);
}

/* A resolver's file often is a link into /run, which is the sandbox's own. */
static void test_a_resolver_elsewhere(void **state)
{
	static const char table[] = "l 0777 0 0 /etc/resolv.conf -> ../run/stub\nf 0644 0 0 /run/stub\n";
	struct world w;

	(void)state;
	for (int host = 0; host < 2; host++) {
		world_init(&w);
		host_read(&w.host, "d 0755 0 0 /\nd 0755 0 0 /etc\n");
		host_read(&w.host, table);
		world_add(&w, WORLD_HOST);
		w.policy.network.mode = host ? POLICY_NETWORK_HOST : POLICY_NETWORK_OFF;
		assert_int_equal(world_compile(&w), 0);
		assert_int_equal(world_has(&w, OP_TREE, "/run/stub"), host);
		assert_null(cover(&w, "/run/stub"));
		world_done(&w);
	}
}

static void test_the_size_is_the_limits(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	w.policy.limit[POLICY_LIMIT_MEMORY] = (struct policy_limit){ 256 << 20, "--memory" };
	w.policy.limit[POLICY_LIMIT_CPUS] = (struct policy_limit){ 150, "--cpus" };
	assert_int_equal(world_compile(&w), 0);
	assert_non_null(strstr(cover(&w, "/proc/meminfo"), "MemTotal:         262144 kB\n"));
	assert_non_null(strstr(cover(&w, "/proc/cpuinfo"), "processor\t: 1\n"));
	assert_null(strstr(cover(&w, "/proc/cpuinfo"), "processor\t: 2\n"));

	size_t n;
	const char *online = plan_blob(&w.plan, world_find(&w, OP_FILE, "/sys/devices/system/cpu/online"), 2, &n);

	assert_int_equal(n, 4);
	assert_memory_equal(online, "0-1\n", 4);
	world_done(&w);

	world_init(&w);
	w.policy.limit[POLICY_LIMIT_MEMORY].value = NUM_UNLIMITED;
	assert_int_equal(world_compile(&w), 0);
	assert_false(world_has(&w, OP_COVER, "/proc/meminfo") || world_has(&w, OP_COVER, "/proc/cpuinfo"));
	world_done(&w);
}

static void test_what_is_hidden_needs_no_cover(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_deny_read(&w, "/etc/passwd");
	assert_int_equal(world_compile(&w), 0);
	assert_null(cover(&w, "/etc/passwd"));
	assert_true(world_has(&w, OP_MASK, "/etc/passwd"));
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_names_with_colons),
		cmocka_unit_test(test_the_network_files),
		cmocka_unit_test(test_a_resolver_elsewhere),
		cmocka_unit_test(test_the_size_is_the_limits),
		cmocka_unit_test(test_what_is_hidden_needs_no_cover),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Which Unix sockets of the host init lets programs inside connect to. */
#include "unit/compile/world.h"

#define SOCKETS                                                                                                         \
	"c 0777 0 0 /run/listed\nc 0777 0 0 /run/other\nd 0755 0 0 /srv\nd 0755 0 0 /srv/dir\nc 0777 0 0 /srv/dir/in\n" \
	"l 0777 0 0 /srv/link -> dir/in\nc 0777 1000 1000 /home/u/ws/mine\n"

static void start(struct world *w, const char *listed)
{
	world_init(w);
	world_add(w, SOCKETS);
	if (listed)
		world_rule(w, &w->policy.network.unix_sockets, listed);
}

static uint64_t flags_of(const struct world *w)
{
	return plan_number(world_find(w, OP_INIT, NULL), 1);
}

static bool has_line(const struct world *w, unsigned operand, const char *line)
{
	const struct plan_op *init = world_find(w, OP_INIT, NULL);

	for (const char *s = NULL; (s = plan_list_next(&w->plan, init, operand, s));)
		if (strcmp(s, line) == 0)
			return true;
	return false;
}

static void test_by_name_where_nothing_can_be_moved(void **state)
{
	static const struct {
		const char *listed, *line, *shown;
	} cases[] = {
		{ "/run/listed", "s/run/listed", "/run/listed" },
		{ "/srv/dir", "s/srv/dir", "/srv/dir" },
		{ "/srv/link", "s/srv/dir/in", "/srv/dir/in" },
		{ "/srv/d*/in", "s/srv/d*/in", "/srv/dir/in" },
		{ "/srv/none", "s/srv/none", NULL },
		{ "~/ws/mine", "s/home/u/ws/mine", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world w;

		start(&w, cases[i].listed);
		assert_int_equal(world_compile(&w), 0);
		if (!has_line(&w, 3, cases[i].line))
			fail_msg("%s: no line %s", cases[i].listed, cases[i].line);
		if (cases[i].shown && !world_has(&w, OP_LANDLOCK_PATH, cases[i].shown))
			fail_msg("%s is not shown", cases[i].shown);
		assert_true(flags_of(&w) & PLAN_INIT_SOCKETS);
		world_done(&w);
	}
}

static void test_by_identity_where_it_may_be_written(void **state)
{
	struct world w;

	(void)state;
	start(&w, "mine");
	world_allow_write(&w, ".");
	assert_int_equal(world_compile(&w), 0);
	assert_true(has_line(&w, 3, "i/home/u/ws/mine"));
	assert_false(has_line(&w, 3, "s/home/u/ws/mine"));
	world_done(&w);

	start(&w, "."); /* the top of what may be written: nothing comes in from elsewhere */
	world_allow_write(&w, ".");
	assert_int_equal(world_compile(&w), 0);
	assert_true(has_line(&w, 3, "s/home/u/ws"));
	world_done(&w);
}

static void test_wide_lists_in_what_may_be_written_are_refused(void **state)
{
	static const char *const wide[] = { "sub", "*.sock", "~/**/x" };

	(void)state;
	for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++) {
		struct world w;

		start(&w, wide[i]);
		world_allow_write(&w, ".");
		assert_int_equal(world_compile(&w), -EXDEV);
		assert_string_equal(w.err.where, "--rule");
		assert_non_null(strstr(w.err.text, "name the socket itself"));
		world_done(&w);
	}
}

static void test_places_of_its_own_are_private(void **state)
{
	struct world w;

	(void)state;
	start(&w, NULL);
	assert_int_equal(world_compile(&w), 0);
	assert_true(has_line(&w, 2, "p/tmp") && has_line(&w, 2, "p/dev/shm"));
	world_done(&w);

	start(&w, NULL);
	world_allow_write(&w, "/tmp"); /* the host's */
	assert_int_equal(world_compile(&w), 0);
	assert_true(has_line(&w, 2, "w/tmp"));
	world_done(&w);
}

static void test_names_in_no_directory(void **state)
{
	struct world w;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		bool host = i & 1, scopes = i & 2;

		start(&w, NULL);
		w.facts.landlock_abi = scopes ? 6 : 5;
		w.policy.network.mode = host ? POLICY_NETWORK_HOST : POLICY_NETWORK_OFF;
		w.policy.network.mode_why = "--network";
		assert_int_equal(world_compile(&w), 0);
		assert_int_equal(!!(flags_of(&w) & PLAN_INIT_ABSTRACT), !host || scopes);
		world_done(&w);
	}
}

/* Rung two gives /proc away for it, so somebody must want it. */
static void test_on_rung_two_where_it_is_asked_for(void **state)
{
	struct world w;

	(void)state;
	start(&w, NULL);
	world_lose_namespaces(&w);
	assert_int_equal(world_compile(&w), 0);
	assert_false(flags_of(&w) & PLAN_INIT_SOCKETS);
	assert_false(world_has(&w, OP_LANDLOCK_PATH, "/proc"));
	world_done(&w);

	start(&w, "/srv/dir");
	world_lose_namespaces(&w);
	assert_int_equal(world_compile(&w), 0);
	assert_true(flags_of(&w) & PLAN_INIT_SOCKETS);
	assert_true(world_has(&w, OP_LANDLOCK_PATH, "/proc"));
	world_done(&w);
}

static void test_where_init_cannot(void **state)
{
	struct world w;

	(void)state;
	for (unsigned strict = 0; strict < 2; strict++) {
		start(&w, "/srv/dir");
		w.facts.seccomp_notify = false;
		w.policy.strict = strict;
		assert_int_equal(world_compile(&w), strict ? -EOPNOTSUPP : 0);
		if (strict)
			assert_string_equal(w.err.where, "--rule");
		else
			assert_false(flags_of(&w) & PLAN_INIT_SOCKETS);
		world_done(&w);
	}
	start(&w, "/srv/dir");
	w.policy.network.allow_all_unix_sockets = true;
	assert_int_equal(world_compile(&w), 0);
	assert_false(flags_of(&w) & PLAN_INIT_SOCKETS);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_name_where_nothing_can_be_moved),
		cmocka_unit_test(test_by_identity_where_it_may_be_written),
		cmocka_unit_test(test_wide_lists_in_what_may_be_written_are_refused),
		cmocka_unit_test(test_places_of_its_own_are_private),
		cmocka_unit_test(test_names_in_no_directory),
		cmocka_unit_test(test_on_rung_two_where_it_is_asked_for),
		cmocka_unit_test(test_where_init_cannot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

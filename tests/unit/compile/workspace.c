#include "compile/workspace.h"

#include "unit/compile/world.h"

#define DATA "/home/u/data/w"
#define DIRS                                                                                                                \
	"d 0700 1000 1000 /home/u/data\nd 0700 1000 1000 " DATA "\nd 0755 1000 1000 " DATA "/upper\nd 0755 1000 1000 " DATA \
	"/work\nd 0755 1000 1000 " DATA "/stage\nf 0600 1000 1000 /home/u/ws/.env\nf 0600 1000 1000 /home/u/ws/sub/.env\n"

static void begin(struct world *w, enum input_workspace_how how)
{
	world_init(w);
	world_add(w, DIRS);
	w->facts.overlay = true;
	w->inputs.workspace = (struct input_workspace){
		.how = how,
		.path = "/home/u/ws",
		.base = "/home/u/ws",
		.upper = DATA "/upper",
		.work = DATA "/work",
		.stage = DATA "/stage",
	};
}

static void wants(struct world *w, enum err_code code, const char *text)
{
	assert_true(world_compile(w) < 0);
	assert_int_equal(w->err.code, code);
	assert_string_equal(w->err.where, w->inputs.workspace.how == INPUT_WORKSPACE_OVERLAY ? COMPILE_WHY_OVERLAY : COMPILE_WHY_STAGE);
	assert_non_null(strstr(w->err.text, text));
	world_done(w);
}

/* The letter of init's region at this path; 0: none begins there. */
static char letter_at(const struct world *w, const char *path)
{
	const struct plan_op *init = world_find(w, OP_INIT, NULL);

	for (const char *s = NULL; (s = plan_list_next(&w->plan, init, 2, s));)
		if (strcmp(s + 1, path) == 0)
			return s[0];
	return 0;
}

static void test_shared_is_as_ever(void **state)
{
	struct world w;

	(void)state;
	begin(&w, INPUT_WORKSPACE_SHARED);
	assert_int_equal(world_compile(&w), 0);
	assert_false(world_has(&w, OP_OVERLAY, NULL) || world_has(&w, OP_TREE, DATA));
	assert_int_equal(plan_number(world_find(&w, OP_MASK, "/home/u/ws/.env"), 1), PLAN_MASK_FILE);
	world_done(&w);
}

static void test_an_overlay_is_the_sandboxs_own(void **state)
{
	const struct plan_op *mask;
	struct world w;

	(void)state;
	begin(&w, INPUT_WORKSPACE_OVERLAY);
	world_allow_write(&w, ".");
	world_allow_write(&w, "./not/there");
	world_deny_write(&w, "sub/file");
	assert_int_equal(world_compile(&w), 0);
	assert_int_equal(world_count(&w, OP_OVERLAY), 1);
	assert_string_equal(plan_text(&w.plan, world_find(&w, OP_OVERLAY, NULL), 3), "/upper");
	assert_int_equal(plan_number(world_find(&w, OP_TREE, "/home/u/ws"), 2), PLAN_TREE_NOSUID | PLAN_TREE_NODEV | PLAN_TREE_RECURSIVE);
	assert_true(world_has(&w, OP_TREE, DATA));
	mask = world_find(&w, OP_MASK, "/home/u/ws/.env");
	assert_int_equal(plan_number(mask, 1), PLAN_MASK_FILE | PLAN_MASK_OPTIONAL);
	assert_true(plan_number(mask, 2) == 0 && plan_number(mask, 3) == 0);
	assert_false(world_has(&w, OP_REBIND, NULL)); /* neither protected nor pinned */
	assert_int_equal(letter_at(&w, "/home/u/ws"), 'p');
	assert_int_equal(letter_at(&w, "/home/u/ws/.env"), 'h');
	assert_false(plan_number(world_find(&w, OP_INIT, NULL), 1) & (PLAN_INIT_ACT | PLAN_INIT_ACT_OPENS));
	world_done(&w);
}

/* A pattern that hides has its eyes on every open, and on every name that could lead away from it. */
static void test_what_a_pattern_hides(void **state)
{
	struct world w;

	(void)state;
	begin(&w, INPUT_WORKSPACE_OVERLAY);
	world_deny_read(&w, "**/f*");
	assert_int_equal(world_compile(&w), 0);
	assert_true(world_has(&w, OP_MASK, "/home/u/ws/file") && world_has(&w, OP_MASK, "/home/u/ws/sub/file"));
	assert_true(world_guards(&w, "r/home/u/ws/**/f*"));
	assert_int_equal(plan_number(world_find(&w, OP_INIT, NULL), 1) & (PLAN_INIT_ACT | PLAN_INIT_ACT_OPENS),
	                 PLAN_INIT_ACT | PLAN_INIT_ACT_OPENS);
	world_done(&w);
}

/* What is shown again inside of what is hidden is the host's, and not for writing. */
static void test_shown_in_hidden(void **state)
{
	struct world w;

	(void)state;
	begin(&w, INPUT_WORKSPACE_OVERLAY);
	world_deny_read(&w, "sub");
	world_allow_write(&w, "sub/file");
	assert_int_equal(world_compile(&w), 0);
	assert_true(plan_number(world_find(&w, OP_TREE, "/home/u/ws/sub/file"), 2) & PLAN_TREE_RO);
	assert_int_equal(letter_at(&w, "/home/u/ws/sub/file"), 'r');
	world_done(&w);
}

static void test_a_protected_place_around_it(void **state)
{
	struct world w;

	(void)state;
	begin(&w, INPUT_WORKSPACE_OVERLAY);
	world_add(&w, "d 0755 1000 1000 /srv\n");
	w.inputs.workspace.path = w.inputs.workspace.base = "/home/u/ws/sub";
	world_allow_write(&w, "/home/u/ws");
	assert_int_equal(world_compile(&w), 0);
	assert_true(world_guards(&w, "w/home/u/ws/**/.git/hooks/*") && world_guards(&w, "+/home/u/ws/sub"));
	assert_int_equal(letter_at(&w, "/home/u/ws"), 'w');
	assert_int_equal(letter_at(&w, "/home/u/ws/sub"), 'p');
	world_done(&w);
}

static void test_a_copy_is_pinned(void **state)
{
	struct world w;

	(void)state;
	begin(&w, INPUT_WORKSPACE_STAGE);
	assert_int_equal(world_compile(&w), 0);
	assert_true(world_has(&w, OP_TREE, DATA "/stage") && world_has(&w, OP_PLACE, "/home/u/ws"));
	assert_false(world_has(&w, OP_TREE, "/home/u/ws"));
	assert_true(plan_number(world_find(&w, OP_REBIND, "/home/u/ws/sub"), 1) & PLAN_TREE_OPTIONAL);
	assert_int_equal(letter_at(&w, "/home/u/ws"), 'p');
	world_done(&w);
}

static void test_a_copy_without_mounts(void **state)
{
	struct world w;

	(void)state;
	begin(&w, INPUT_WORKSPACE_STAGE);
	world_lose_namespaces(&w);
	world_allow_write(&w, "/home/u/ws");
	assert_int_equal(world_compile(&w), 0);
	assert_true(world_has(&w, OP_CHDIR, DATA "/stage") && world_notes(&w, "works on its copy"));
	assert_int_equal(letter_at(&w, DATA "/stage"), 'w');
	assert_int_equal(letter_at(&w, DATA "/stage/sub/.env"), 'h');
	assert_true(world_guards(&w, "r" DATA "/stage/sub/.env"));
	assert_int_equal(letter_at(&w, "/home/u/ws"), 'r');
	world_done(&w);
}

static void test_root_shows_both_as_the_sandboxs(void **state)
{
	struct world w;

	(void)state;
	begin(&w, INPUT_WORKSPACE_OVERLAY);
	world_become_root(&w);
	w.facts.first_user_namespace = true;
	assert_int_equal(world_compile(&w), 0);
	assert_true(world_has(&w, OP_HOST_TREE, "/home/u/ws") && world_has(&w, OP_HOST_TREE, DATA));
	assert_int_equal(world_count(&w, OP_TREE_IDMAP), 2);
	for (size_t i = 0; i < w.survey.entries.n; i++)
		w.survey.entries.at[i].keeps_owners = strcmp(w.survey.entries.at[i].path, DATA) == 0;
	assert_true(compile(&w.policy, &w.inputs, &w.facts, &w.arena, &w.plan, &w.err) < 0);
	assert_int_equal(w.err.code, ERR_UNSUPPORTED);
	assert_string_equal(w.err.where, COMPILE_WHY_OVERLAY);
	world_done(&w);
}

static void test_nothing_below(void **state)
{
	struct world w;

	(void)state;
	begin(&w, INPUT_WORKSPACE_OVERLAY);
	w.inputs.workspace.base = NULL;
	w.inputs.workspace.path = w.inputs.cwd = "/workspace";
	assert_int_equal(world_compile(&w), 0);
	assert_true(world_has(&w, OP_EMPTY, NULL) && world_has(&w, OP_DIR, "/workspace") && world_has(&w, OP_CHDIR, "/workspace"));
	world_done(&w);

	begin(&w, INPUT_WORKSPACE_OVERLAY);
	w.inputs.workspace.base = NULL;
	w.inputs.workspace.path = w.inputs.cwd = "/workspace";
	w.policy.filesystem.view = POLICY_VIEW_HOST;
	wants(&w, ERR_POLICY, "no such directory on the host");
}

static void test_where_there_is_no_overlay(void **state)
{
	struct world w;

	(void)state;
	begin(&w, INPUT_WORKSPACE_OVERLAY);
	w.facts.overlay = false;
	wants(&w, ERR_UNSUPPORTED, "kernel");
	begin(&w, INPUT_WORKSPACE_OVERLAY);
	world_lose_namespaces(&w);
	wants(&w, ERR_UNSUPPORTED, "user namespaces");
	begin(&w, INPUT_WORKSPACE_OVERLAY);
	w.facts.gid = 100;
	wants(&w, ERR_UNSUPPORTED, "another user or group");
	begin(&w, INPUT_WORKSPACE_OVERLAY);
	for (size_t i = 0; i <= PLAN_LAYERS_MAX; i++)
		*text_vec_add(&w.inputs.workspace.layers, &w.arena) = DATA "/work";
	wants(&w, ERR_UNSUPPORTED, "layers");
}

static void test_bad_places(void **state)
{
	static const enum input_workspace_how hows[] = { INPUT_WORKSPACE_OVERLAY, INPUT_WORKSPACE_STAGE };
	struct world w;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		begin(&w, hows[i]);
		w.inputs.workspace.path = "/";
		wants(&w, ERR_POLICY, "no place");
		begin(&w, hows[i]);
		w.inputs.workspace.path = w.inputs.workspace.base = "/home/u";
		wants(&w, ERR_POLICY, "XDG_DATA_HOME");
		begin(&w, hows[i]);
		w.inputs.workspace.base = w.inputs.workspace.path = "/home/u/ws/no";
		wants(&w, ERR_NOTFOUND, "no such directory");
		begin(&w, hows[i]);
		w.inputs.workspace.base = "/home/u/ws/sub";
		wants(&w, ERR_INTERNAL, "another directory");
		begin(&w, hows[i]);
		w.inputs.workspace.base = w.inputs.workspace.path = "/home";
		w.inputs.workspace.upper = w.inputs.workspace.stage = "/var/tmp";
		w.inputs.workspace.work = "/var/tmp";
		wants(&w, ERR_POLICY, "let it be read");
		begin(&w, hows[i]);
		world_deny_read(&w, "/home/u/ws");
		wants(&w, ERR_POLICY, "let it be read");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shared_is_as_ever),
		cmocka_unit_test(test_an_overlay_is_the_sandboxs_own),
		cmocka_unit_test(test_what_a_pattern_hides),
		cmocka_unit_test(test_shown_in_hidden),
		cmocka_unit_test(test_a_protected_place_around_it),
		cmocka_unit_test(test_a_copy_is_pinned),
		cmocka_unit_test(test_a_copy_without_mounts),
		cmocka_unit_test(test_root_shows_both_as_the_sandboxs),
		cmocka_unit_test(test_nothing_below),
		cmocka_unit_test(test_where_there_is_no_overlay),
		cmocka_unit_test(test_bad_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

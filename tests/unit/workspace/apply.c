#include "unit/workspace/apply_case.h"

#include "base/own.h"
#include "workspace/seal.h"

static void everything(void **state)
{
	(void)state;
	make_base();
	autoworkspace struct workspace *workspace = top_workspace(WORKSPACE_OVERLAY);

	make_changes(workspace);
	apply_well(workspace, &plain);
	check_applied();
	assert_int_equal(count_changes(workspace), 0);
	apply_well(workspace, &plain);
	check_applied();
}

static void expect_refusal(struct workspace *workspace, const struct apply_options *options, enum err_code code, const char *path)
{
	autoresult struct apply_result result;
	struct err err;
	char before[65], after[65];
	bool found = false;

	top_digest("base", before);
	assert_true(try_apply(workspace, options, &result, &err) < 0);
	assert_int_equal(err.code, code);
	for (size_t i = 0; i < result.findings.n; i++)
		found = found || (strcmp(result.findings.at[i].path, path) == 0 && result.findings.at[i].kind >= APPLY_REFUSED);
	if (!found)
		fail_msg("no finding about %s: %s", path, err.text);
	top_digest("base", after);
	assert_string_equal(before, after);
}

static void conflicts(void **state)
{
	(void)state;
	make_base();
	autoworkspace struct workspace *workspace = top_workspace(WORKSPACE_OVERLAY);
	struct err err = { 0 };

	make_changes(workspace);
	assert_int_equal(workspace_seal(workspace, &err), 0);
	top_put("base/changed", "theirs\n");
	expect_refusal(workspace, &plain, ERR_BUSY, "changed");
	/* What is there already is no conflict. */
	top_put("base/changed", "new\n");
	apply_well(workspace, &plain);
	check_applied();
}

static void conflict_without_seal(void **state)
{
	(void)state;
	make_base();
	autoworkspace struct workspace *workspace = top_workspace(WORKSPACE_OVERLAY);

	make_changes(workspace);
	top_put("base/gone", "theirs\n"); /* before anything was sealed */
	expect_refusal(workspace, &plain, ERR_BUSY, "gone");
}

static void conflict_removed(void **state)
{
	(void)state;
	make_base();
	autoworkspace struct workspace *workspace = top_workspace(WORKSPACE_OVERLAY);
	struct err err = { 0 };

	make_changes(workspace);
	assert_int_equal(workspace_seal(workspace, &err), 0);
	top_remove("base/changed");
	expect_refusal(workspace, &plain, ERR_BUSY, "changed");
	top_put("base/dir/added", "also added\n");
	expect_refusal(workspace, &plain, ERR_BUSY, "dir/added");
}

static void touched_only(void **state)
{
	(void)state;
	make_base();
	autoworkspace struct workspace *workspace = top_workspace(WORKSPACE_OVERLAY);
	struct err err = { 0 };

	make_changes(workspace);
	assert_int_equal(workspace_seal(workspace, &err), 0);
	top_put("base/changed", "old\n"); /* written again, the same: a newer ctime and no conflict */
	apply_well(workspace, &plain);
	check_applied();
}

static const char *judge(void *data, const char *path)
{
	(void)data;
	return strncmp(path, ".git/hooks/", 11) == 0 ? "git runs it" : NULL;
}

static void gates(void **state)
{
	(void)state;
	make_base();
	autoworkspace struct workspace *workspace = top_workspace(WORKSPACE_OVERLAY);
	const char *allow[] = { ".git/hooks/pre-commit", "out", "up/out" };
	struct apply_options options = { .no_sync = true, .judge = judge };
	struct stat st;

	top_put(top_upper(workspace, ".git/hooks/pre-commit"), "#!/bin/sh\n");
	expect_refusal(workspace, &options, ERR_DENIED, ".git/hooks/pre-commit");
	options.allow = allow;
	options.allow_n = 1;
	apply_well(workspace, &options);
	assert_true(top_has("base/.git/hooks/pre-commit"));
	top_link(top_upper(workspace, "out"), "/etc/passwd");
	top_link(top_upper(workspace, "up/out"), "../../x");
	expect_refusal(workspace, &options, ERR_DENIED, "out");
	expect_refusal(workspace, &options, ERR_DENIED, "up/out");
	options.allow_n = 3;
	apply_well(workspace, &options);
	top_put(top_upper(workspace, "set-id"), "x");
	top_chmod(top_upper(workspace, "set-id"), 06755);
	apply_well(workspace, &options);
	assert_int_equal(fstatat(top_fd, "base/set-id", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	options.max_file_bytes = 4;
	top_put(top_upper(workspace, "large"), "12345");
	expect_refusal(workspace, &options, ERR_DENIED, "large");
}

static void special_files_stay(void **state)
{
	(void)state;
	autoworkspace struct workspace *workspace = top_workspace(WORKSPACE_OVERLAY);
	autoresult struct apply_result result;
	struct err err;

	assert_int_equal(mkfifoat(top_fd, top_upper(workspace, "fifo"), 0600), 0);
	top_put(top_upper(workspace, "file"), "x");
	assert_int_equal(try_apply(workspace, &plain, &result, &err), 0);
	assert_false(top_has("base/fifo"));
	assert_true(top_has("base/file"));
	assert_int_equal(result.findings.n, 1);
	assert_int_equal(result.findings.at[0].kind, APPLY_LEFT);
}

static void chosen_paths(void **state)
{
	(void)state;
	make_base();
	autoworkspace struct workspace *workspace = top_workspace(WORKSPACE_OVERLAY);
	const char *paths[] = { "fresh/deep/file", "gone" }, *none[] = { "nothing" };
	struct apply_options options = { .no_sync = true, .paths = paths, .paths_n = 2 };
	autoresult struct apply_result result;
	struct err err;

	make_changes(workspace);
	apply_well(workspace, &options);
	top_expect("base/fresh/deep/file", "deep\n");
	top_expect("base/changed", "old\n");
	assert_false(top_has("base/gone"));
	assert_true(top_has("base/full/x/y"));
	options.paths = none;
	options.paths_n = 1;
	assert_true(try_apply(workspace, &options, &result, &err) < 0);
	assert_int_equal(err.code, ERR_NOTFOUND);
}

static void chosen_hunks(void **state)
{
	(void)state;
	top_put("base/f", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n17\n18\n19\n20\n");
	autoworkspace struct workspace *workspace = top_workspace(WORKSPACE_OVERLAY);
	const unsigned second[] = { 2 }, ninth[] = { 9 };
	struct apply_hunks hunks = { .path = "f", .numbers = second, .n = 1 };
	struct apply_options options = { .no_sync = true, .hunks = &hunks, .hunks_n = 1 };
	autoresult struct apply_result result;
	struct err err;

	top_put(top_upper(workspace, "f"), "one\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n17\n18\n19\ntwenty\n");
	apply_well(workspace, &options);
	top_expect("base/f", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n17\n18\n19\ntwenty\n");
	assert_int_equal(count_changes(workspace), 1);
	hunks.numbers = ninth;
	assert_true(try_apply(workspace, &options, &result, &err) < 0);
	assert_int_equal(err.code, ERR_USAGE);
	apply_well(workspace, &plain);
	assert_int_equal(count_changes(workspace), 0);
}

/* The host writes at the last moment: between the look and the exchange. */
static void write_meanwhile(void *data, const char *what)
{
	bool *written = data;

	if (strcmp(what, "exchange") != 0 || *written)
		return;
	*written = true;
	top_put("base/new-one", "theirs\n");
	assert_int_equal(renameat(top_fd, "base/new-one", top_fd, "base/changed"), 0);
}

static void edited_meanwhile(void **state)
{
	(void)state;
	make_base();
	autoworkspace struct workspace *workspace = top_workspace(WORKSPACE_OVERLAY);
	bool written = false;
	struct apply_options options = { .no_sync = true, .step = write_meanwhile, .step_data = &written };
	autoresult struct apply_result result;
	struct err err;

	make_changes(workspace);
	assert_true(try_apply(workspace, &options, &result, &err) < 0);
	assert_true(written);
	assert_int_equal(err.code, ERR_BUSY);
	top_expect("base/changed", "theirs\n");
	top_expect("base/dir/added", "added\n");
	assert_false(top_has("data/workspaces/w/journal"));
}

static void look_only(void **state)
{
	(void)state;
	make_base();
	autoworkspace struct workspace *workspace = top_workspace(WORKSPACE_OVERLAY);
	struct apply_options options = { .look_only = true };
	char before[65], after[65];

	make_changes(workspace);
	top_digest("base", before);
	apply_well(workspace, &options);
	top_digest("base", after);
	assert_string_equal(before, after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TOP_TEST(everything),         TOP_TEST(conflicts),    TOP_TEST(conflict_without_seal),
		TOP_TEST(conflict_removed),   TOP_TEST(touched_only), TOP_TEST(gates),
		TOP_TEST(special_files_stay), TOP_TEST(chosen_paths), TOP_TEST(chosen_hunks),
		TOP_TEST(edited_meanwhile),   TOP_TEST(look_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

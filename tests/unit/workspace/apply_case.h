/* apply_case.h: one of everything that an apply can meet, and what must have come of it. */
#ifndef COFFER_TESTS_WORKSPACE_APPLY_CASE_H
#define COFFER_TESTS_WORKSPACE_APPLY_CASE_H

#include "unit/workspace/top.h"

#include "workspace/apply.h"

static int try_apply(struct workspace *workspace, const struct apply_options *options, struct apply_result *result, struct err *err)
{
	err_clear(err);
	return workspace_apply(workspace, options, result, err);
}

static void apply_well(struct workspace *workspace, const struct apply_options *options)
{
	autoresult struct apply_result result;
	struct err err;

	if (try_apply(workspace, options, &result, &err) < 0)
		fail_msg("%s", err.text);
}

static size_t count_changes(struct workspace *workspace)
{
	autochanges struct changes changes;
	struct err err = { 0 };
	size_t n = 0;

	if (workspace_changes(workspace, &changes, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < changes.list.n; i++)
		n += change_shows(&changes.list.at[i]);
	return n;
}

static const struct apply_options plain = { .no_sync = true };

/* One of everything, in the upper directory's own form. */
static void make_changes(const struct workspace *workspace)
{
	top_put(top_upper(workspace, "changed"), "new\n");
	top_put(top_upper(workspace, "dir/added"), "added\n");
	top_whiteout(top_upper(workspace, "gone"));
	top_whiteout(top_upper(workspace, "dir/old"));
	top_put(top_upper(workspace, "fresh/deep/file"), "deep\n");
	top_link(top_upper(workspace, "link"), "dir/added");
	top_put(top_upper(workspace, "was-dir"), "a file now\n");
	top_put(top_upper(workspace, "was-file/inside"), "inside\n");
	top_whiteout(top_upper(workspace, "full"));
	top_chmod(top_upper(workspace, "changed"), 0750);
	top_time(top_upper(workspace, "changed"), 1000000);
}

static void make_base(void)
{
	top_put("base/changed", "old\n");
	top_put("base/same", "same\n");
	top_put("base/gone", "gone\n");
	top_put("base/dir/old", "old\n");
	top_put("base/dir/stays", "stays\n");
	top_put("base/was-dir/a/b", "b\n");
	top_put("base/was-dir/c", "c\n");
	top_put("base/was-file", "f\n");
	top_put("base/full/x/y", "y\n");
}

static void check_applied(void)
{
	struct stat st;

	top_expect("base/changed", "new\n");
	top_expect("base/same", "same\n");
	top_expect("base/dir/added", "added\n");
	top_expect("base/dir/stays", "stays\n");
	top_expect("base/fresh/deep/file", "deep\n");
	top_expect("base/was-dir", "a file now\n");
	top_expect("base/was-file/inside", "inside\n");
	assert_false(top_has("base/gone") || top_has("base/dir/old") || top_has("base/full"));
	assert_int_equal(fstatat(top_fd, "base/changed", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_int_equal(st.st_mtime, 1000000);
	assert_int_equal(fstatat(top_fd, "base/link", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISLNK(st.st_mode));
}

#endif

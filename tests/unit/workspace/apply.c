#include "workspace/apply.h"

#include "unit/workspace/top.h"

#include "base/own.h"
#include "workspace/seal.h"

#include <sys/wait.h>

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

/* Ends the process at the n-th step. */
static void die_at(void *data, const char *what)
{
	int *left = data;

	(void)what;
	if ((*left)-- == 0)
		_exit(77);
}

static bool apply_until(int n)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		autoworkspace struct workspace *workspace = NULL;
		struct apply_options options = { .no_sync = true, .step = die_at, .step_data = &n };
		struct apply_result result;
		struct err err = { 0 };

		if (workspace_open(top_data, "w", &workspace, &err) < 0 || workspace_lock(workspace, &err) < 0)
			_exit(1);
		if (workspace_apply(workspace, &options, &result, &err) < 0)
			_exit(2);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) != 77)
		assert_int_equal(WEXITSTATUS(status), 0);
	return WEXITSTATUS(status) == 0;
}

/* Whatever is there of a file is the old one or the new one. */
static void check_whole(const char *path, const char *old, const char *new)
{
	char found[64] = "";
	int fd = openat(top_fd, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	assert_true(read(fd, found, sizeof(found) - 1) >= 0);
	close(fd);
	if (strcmp(found, new) != 0)
		assert_string_equal(found, old);
}

/* Nothing hidden is left in the base. */
static void check_no_traces(void)
{
	struct text_vec names = { 0 };
	struct arena arena;
	int base = openat(top_fd, "base", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	arena_init(&arena, 1 << 20);
	assert_int_equal(entry_names(base, "", &arena, &names), 0);
	for (size_t i = 0; i < names.n; i++)
		assert_null(strstr(names.at[i], ".coffer-apply-"));
	arena_done(&arena);
	close(base);
}

static void killed_at_every_step(void **state)
{
	bool ended = false;

	for (int n = 0; !ended; n++) {
		struct workspace_options options = { .id = "w", .base = top_base };
		struct err err = { 0 };

		make_base();
		top_tick();
		{
			autoworkspace struct workspace *workspace = NULL;

			if (workspace_create(top_data, &options, &workspace, &err) < 0)
				fail_msg("%s", err.text);
			make_changes(workspace);
		}
		ended = apply_until(n);
		check_whole("base/changed", "old\n", "new\n");
		check_whole("base/dir/added", "", "added\n");
		check_whole("base/fresh/deep/file", "", "deep\n");
		autoworkspace struct workspace *workspace = NULL;

		assert_int_equal(workspace_open(top_data, "w", &workspace, &err), 0);
		assert_int_equal(workspace_lock(workspace, &err), 0);
		apply_well(workspace, &plain);
		check_applied();
		assert_int_equal(count_changes(workspace), 0);
		check_no_traces();
		assert_false(top_has("data/workspaces/w/journal"));
		assert_true(n < 500);
		top_drop(state);
		assert_int_equal(top_make(state), 0);
	}
}

static void killed_then_discarded(void **state)
{
	(void)state;
	for (int n = 0; n < 6; n++) {
		struct workspace_options options = { .id = "w", .base = top_base };
		struct err err = { 0 };
		char before[65], after[65];

		make_base();
		top_tick();
		{
			autoworkspace struct workspace *workspace = NULL;

			assert_int_equal(workspace_create(top_data, &options, &workspace, &err), 0);
			make_changes(workspace);
		}
		top_digest("base", before);
		apply_until(n);
		assert_int_equal(workspace_remove(top_data, "w", &err), 0);
		top_digest("base", after);
		assert_string_equal(before, after);
		top_drop(state);
		assert_int_equal(top_make(state), 0);
	}
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

/* The hidden directory's name in the base, or "". */
static void find_hidden(char ret_name[64])
{
	struct text_vec names = { 0 };
	struct arena arena;
	int base = openat(top_fd, "base", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*ret_name = '\0';
	arena_init(&arena, 1 << 20);
	assert_int_equal(entry_names(base, "", &arena, &names), 0);
	for (size_t i = 0; i < names.n; i++)
		if (strncmp(names.at[i], ".coffer-apply-", 14) == 0)
			snprintf(ret_name, 64, "%s", names.at[i]);
	arena_done(&arena);
	close(base);
}

static void note_hidden(void *data, const char *what)
{
	if (strcmp(what, "commit") == 0)
		find_hidden(data);
}

static void hidden_is_unforeseen(void **state)
{
	(void)state;
	make_base();
	autoworkspace struct workspace *workspace = top_workspace(WORKSPACE_OVERLAY);
	char name[2][64];
	struct apply_options options = { .no_sync = true, .step = note_hidden };

	for (int i = 0; i < 2; i++) {
		top_put(top_upper(workspace, "changed"), i ? "one\n" : "two\n");
		options.step_data = name[i];
		apply_well(workspace, &options);
		assert_int_equal(strlen(name[i]), 30);
		assert_null(strstr(name[i], workspace->record.id));
	}
	assert_string_not_equal(name[0], name[1]);
}

/* Somebody who may write in the base puts a directory of value in the place of the hidden one: it is not cleared away. */
static void swap_hidden(void *data, const char *what)
{
	char name[64], path[128];

	if (strcmp(what, data) != 0)
		return;
	find_hidden(name);
	if (!*name || top_has("base/elsewhere"))
		return;
	snprintf(path, sizeof(path), "base/%s", name);
	assert_int_equal(renameat(top_fd, path, top_fd, "base/elsewhere"), 0);
	snprintf(path, sizeof(path), "base/%s/precious", name);
	top_put(path, "precious\n");
	snprintf(path, sizeof(path), "base/%s/1", name);
	top_put(path, "precious\n");
}

static void hidden_is_swapped(void **state)
{
	static const char *const when[] = { "ready", "commit", "exchange", "clear" };

	for (size_t i = 0; i < ARRAY_LEN(when); i++) {
		char name[64], path[128];

		make_base();
		{
			autoworkspace struct workspace *workspace = top_workspace(WORKSPACE_OVERLAY);
			struct apply_options options = { .no_sync = true, .step = swap_hidden, .step_data = (void *)(uintptr_t)when[i] };

			make_changes(workspace);
			apply_well(workspace, &options);
		}
		check_applied();
		find_hidden(name);
		snprintf(path, sizeof(path), "base/%s/precious", name);
		top_expect(path, "precious\n");
		snprintf(path, sizeof(path), "base/%s/1", name);
		top_expect(path, "precious\n");
		top_drop(state);
		assert_int_equal(top_make(state), 0);
	}
}

/* The same between an apply that was killed and the one that goes on with it, by another user. */
static void hidden_is_forged(void **state)
{
	struct workspace_options options = { .id = "w", .base = top_base };
	autoresult struct apply_result result;
	struct err err = { 0 };
	char name[64], path[128];
	int n = 0;

	(void)state;
	if (geteuid() != 0)
		SKIP_BECAUSE("only root can make another user's directory");
	make_base();
	top_tick();
	{
		autoworkspace struct workspace *workspace = NULL;

		assert_int_equal(workspace_create(top_data, &options, &workspace, &err), 0);
		make_changes(workspace);
	}
	do { /* until something has been exchanged */
		assert_false(apply_until(n++));
	} while (top_has("base/was-dir/c"));
	find_hidden(name);
	snprintf(path, sizeof(path), "base/%s", name);
	assert_int_equal(renameat(top_fd, path, top_fd, "base/elsewhere"), 0);
	top_mkdir(path, 0777);
	assert_int_equal(fchownat(top_fd, path, 65534, 65534, 0), 0);
	autoworkspace struct workspace *workspace = NULL;

	assert_int_equal(workspace_open(top_data, "w", &workspace, &err), 0);
	assert_int_equal(workspace_lock(workspace, &err), 0);
	assert_true(try_apply(workspace, &plain, &result, &err) < 0);
	assert_int_equal(err.code, ERR_DENIED);
	assert_non_null(strstr(err.text, name));
}

static void forged_journal(void **state)
{
	(void)state;
	make_base();
	autoworkspace struct workspace *workspace = top_workspace(WORKSPACE_OVERLAY);
	autoresult struct apply_result result;
	struct err err;
	char path[128];

	make_changes(workspace);
	snprintf(path, sizeof(path), "data/workspaces/%s/journal", workspace->record.id);
	top_put(path, "coffer journal 1\n1 .coffer-apply-0123456789abcdef\nend 2 00\n");
	assert_true(try_apply(workspace, &plain, &result, &err) < 0);
	assert_int_equal(err.code, ERR_POLICY);
	assert_non_null(strstr(err.text, "broken"));
	top_expect("base/changed", "old\n");
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
		TOP_TEST(everything),
		TOP_TEST(conflicts),
		TOP_TEST(conflict_without_seal),
		TOP_TEST(conflict_removed),
		TOP_TEST(touched_only),
		TOP_TEST(gates),
		TOP_TEST(special_files_stay),
		TOP_TEST(chosen_paths),
		TOP_TEST(chosen_hunks),
		TOP_TEST(edited_meanwhile),
		TOP_TEST(killed_at_every_step),
		TOP_TEST(killed_then_discarded),
		TOP_TEST(hidden_is_unforeseen),
		TOP_TEST(hidden_is_swapped),
		TOP_TEST(hidden_is_forged),
		TOP_TEST(forged_journal),
		TOP_TEST(look_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

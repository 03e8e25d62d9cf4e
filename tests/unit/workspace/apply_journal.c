#include "unit/workspace/apply_case.h"

#include "base/own.h"

#include <sys/wait.h>

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

/* A power cut leaves any beginning of what was written, or its length and zeros: neither is taken for a journal, and the whole one is gone on with. */
static void torn_journal(void **state)
{
	struct workspace_options options = { .id = "w", .base = top_base };
	static char whole[16 << 10], torn[16 << 10];
	struct err err = { 0 };
	char before[65], after[65];
	int n = 0;

	(void)state;
	make_base();
	top_tick();
	{
		autoworkspace struct workspace *workspace = NULL;

		assert_int_equal(workspace_create(top_data, &options, &workspace, &err), 0);
		make_changes(workspace);
	}
	do {
		assert_false(apply_until(n++));
	} while (top_has("base/was-dir/c"));
	ssize_t size = file_read_at(top_fd, "data/workspaces/w/journal", whole, sizeof(whole));

	int home = openat(top_fd, "data/workspaces/w", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_in_range(size, 100, sizeof(whole) - 2);
	top_digest("base", before);
	for (ssize_t cut = 0; cut < size; cut += cut < 40 || cut > size - 80 ? 1 : 37) {
		autoworkspace struct workspace *workspace = NULL;
		autoresult struct apply_result result;
		bool zeros = cut % 2;

		memset(torn, 0, sizeof(torn));
		memcpy(torn, whole, (size_t)cut);
		assert_int_equal(file_replace_at(home, "journal", torn, (size_t)(zeros ? size : cut), false), 0);
		assert_int_equal(workspace_open(top_data, "w", &workspace, &err), 0);
		assert_int_equal(workspace_lock(workspace, &err), 0);
		assert_true(try_apply(workspace, &plain, &result, &err) < 0);
		assert_int_equal(err.code, ERR_POLICY);
		top_digest("base", after);
		assert_string_equal(before, after);
	}
	assert_int_equal(file_replace_at(home, "journal", whole, (size_t)size, false), 0);
	close(home);
	autoworkspace struct workspace *workspace = NULL;

	assert_int_equal(workspace_open(top_data, "w", &workspace, &err), 0);
	assert_int_equal(workspace_lock(workspace, &err), 0);
	apply_well(workspace, &plain);
	check_applied();
	check_no_traces();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TOP_TEST(killed_at_every_step), TOP_TEST(killed_then_discarded), TOP_TEST(hidden_is_unforeseen),
		TOP_TEST(hidden_is_swapped),    TOP_TEST(hidden_is_forged),      TOP_TEST(forged_journal),
		TOP_TEST(torn_journal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

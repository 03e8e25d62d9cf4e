/* The reader against overlayfs itself: what a mounted overlay shows is what the stack shows, and what apply makes of the base. */
#include "workspace/stack.h"

#include "unit/workspace/top.h"

#include "base/own.h"
#include "sys/ns.h"
#include "workspace/apply.h"
#include "workspace/tree.h"

#include <linux/mount.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static struct stack stack_of(const char *const *paths, size_t n)
{
	struct stack stack = { .n = n };

	for (size_t i = 0; i < n; i++) {
		stack.fd[i] = openat(top_fd, paths[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(stack.fd[i] >= 0);
	}
	return stack;
}

static void drop_stack(struct stack *stack)
{
	for (size_t i = 0; i < stack->n; i++)
		close(stack->fd[i]);
}

static void expect_place(const struct stack *stack, const char *path, enum entry_kind kind, size_t layer)
{
	struct stack_place place;

	assert_int_equal(stack_find(stack, path, &place), 0);
	if (place.entry.kind != kind)
		fail_msg("%s is %s", path, entry_kind_name(place.entry.kind));
	if (kind != ENTRY_NONE)
		assert_int_equal(place.layer, layer);
}

static void by_hand(void **state)
{
	const char *const paths[] = { "l0", "l1", "l2" };
	struct text_vec names;
	struct arena arena;

	(void)state;
	top_put("l0/a", "0");
	top_put("l0/dir/x", "0");
	top_put("l0/dir/y", "0");
	top_put("l0/opaque/hidden", "0");
	top_put("l0/file", "0");
	top_put("l0/marked", "0");
	top_whiteout("l1/a");
	top_put("l1/dir/x", "1");
	top_put("l1/opaque/shown", "1");
	top_opaque("l1/opaque");
	top_put("l1/file/inside", "1");
	top_put("l2/a", "2");
	top_whiteout("l2/dir/y");
	struct stack stack = stack_of(paths, 3);

	expect_place(&stack, "a", ENTRY_FILE, 2);
	expect_place(&stack, "dir", ENTRY_DIR, 2);
	expect_place(&stack, "dir/x", ENTRY_FILE, 1);
	expect_place(&stack, "dir/y", ENTRY_NONE, 0);
	expect_place(&stack, "opaque/hidden", ENTRY_NONE, 0);
	expect_place(&stack, "opaque/shown", ENTRY_FILE, 1);
	expect_place(&stack, "file/inside", ENTRY_FILE, 1);
	expect_place(&stack, "a/below-a-file", ENTRY_NONE, 0);
	arena_init(&arena, 1 << 20);
	assert_int_equal(stack_list(&stack, "dir", &arena, &names), 0);
	assert_int_equal(names.n, 1);
	assert_string_equal(names.at[0], "x");
	assert_int_equal(stack_list(&stack, "none", &arena, &names), -ENOENT);
	assert_int_equal(stack_list(&stack, "a", &arena, &names), -ENOTDIR);
	arena_done(&arena);
	drop_stack(&stack);
}

static void links_lead_nowhere(void **state)
{
	const char *const paths[] = { "l0" };

	(void)state;
	top_put("secret/file", "s");
	top_link("l0/link", "../secret");
	top_link("l0/file-link", "../secret/file");
	struct stack stack = stack_of(paths, 1);

	expect_place(&stack, "link", ENTRY_LINK, 0);
	expect_place(&stack, "link/file", ENTRY_NONE, 0);
	assert_true(entry_open_file(stack.fd[0], "link/file") < 0);
	assert_true(entry_open_file(stack.fd[0], "file-link") < 0);
	assert_true(entry_open_file(stack.fd[0], "../secret/file") < 0);
	drop_stack(&stack);
}

/* ---- random work, done twice ---- */

static unsigned random_state;

static unsigned pick(unsigned n)
{
	random_state = random_state * 1103515245 + 12345;
	return (random_state >> 8) % n;
}

/* Few names, so that they meet; depth up to three. */
static void pick_path(char ret_path[32])
{
	static const char *const name[] = { "a", "b", "c", "d\n", "\xff" };
	unsigned depth = 1 + pick(3);

	ret_path[0] = '\0';
	for (unsigned i = 0; i < depth; i++)
		snprintf(ret_path + strlen(ret_path), 32 - strlen(ret_path), "%s%s", i ? "/" : "", name[pick(5)]);
}

struct deed {
	unsigned kind, number;
	char path[32], other[32];
};

static struct deed pick_deed(void)
{
	struct deed deed = { .kind = pick(9), .number = pick(1000) };

	pick_path(deed.path);
	pick_path(deed.other);
	return deed;
}

static void write_file(int root, const char *path, unsigned number, int flags)
{
	char text[64];
	int fd = openat(root, path, O_WRONLY | O_CREAT | O_NOFOLLOW | flags, 0644);

	if (fd < 0)
		return;
	if (write(fd, text, (size_t)snprintf(text, sizeof(text), "line %u\n", number)) < 0)
		_exit(9);
	close(fd);
}

/* What fails, fails in both trees. */
static void perform(int root, const struct deed *deed)
{
	switch (deed->kind) {
	case 0:
	case 1:
		write_file(root, deed->path, deed->number, O_TRUNC);
		break;
	case 2:
		write_file(root, deed->path, deed->number, O_APPEND);
		break;
	case 3:
		(void)mkdirat(root, deed->path, 0755);
		break;
	case 4:
		(void)unlinkat(root, deed->path, 0);
		break;
	case 5:
		(void)file_remove_tree(root, deed->path);
		break;
	case 6: {
		struct stat st;

		/* A directory of the lower layer cannot be renamed in an overlay (EXDEV): files only. */
		if (fstatat(root, deed->path, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(st.st_mode))
			(void)renameat(root, deed->path, root, deed->other);
		break;
	}
	case 7:
		(void)symlinkat(deed->other, root, deed->path);
		break;
	default: {
		struct stat st;

		if (fstatat(root, deed->path, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISLNK(st.st_mode))
			(void)fchmodat(root, deed->path, S_ISDIR(st.st_mode) ? 0700 | deed->number % 0100 : 0400 | deed->number % 01000, 0);
	}
	}
}

/* Times that depend on the path alone, for all that is in a tree. */
static void level_times(int root, const char *path, struct arena *arena)
{
	struct text_vec names = { 0 };
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = 1000000 } };

	if (entry_names(root, path, arena, &names) < 0)
		_exit(8);
	for (size_t i = 0; i < names.n; i++)
		level_times(root, *path ? arena_printf(arena, "%s/%s", path, names.at[i]) : names.at[i], arena);
	for (const char *p = path; *p; p++)
		times[1].tv_sec += (unsigned char)*p * 7;
	times[1].tv_nsec = 123456789;
	if (*path && utimensat(root, path, times, AT_SYMLINK_NOFOLLOW) < 0)
		_exit(7);
}

static void perform_all(int root, unsigned seed, unsigned n)
{
	struct arena arena;

	random_state = seed;
	for (unsigned i = 0; i < n; i++) {
		struct deed deed = pick_deed();

		perform(root, &deed);
	}
	arena_init(&arena, 64 << 20);
	level_times(root, "", &arena);
	arena_done(&arena);
}

static void copy_tree(const char *from, const char *to)
{
	struct stack stack = stack_of(&from, 1);
	struct tree_copy copy = { .from = &stack, .twins = -1 };
	struct arena arena;
	const char *path;

	top_mkdir(to, 0755);
	copy.to = openat(top_fd, to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	arena_init(&arena, 64 << 20);
	assert_int_equal(tree_copy(&copy, &arena, &path), 0);
	arena_done(&arena);
	close(copy.to);
	drop_stack(&stack);
}

/* The work of one seed in a mounted overlay. 5: this kernel, or this user, has none. */
static int work_in_overlay(const struct workspace *workspace, unsigned seed)
{
	char options[1024], mnt[128];
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		snprintf(mnt, sizeof(mnt), "%s/mnt", top_path);
		snprintf(options, sizeof(options),
		         "userxattr,lowerdir=%s,upperdir=%s/data/workspaces/%s/upper,workdir=%s/data/workspaces/%s/work", top_base,
		         top_path, workspace->record.id, top_path, workspace->record.id);
		bool root = geteuid() == 0;
		struct ns_map map = { .uid_outside = geteuid(), .gid_outside = getegid() };

		if (unshare(CLONE_NEWNS | (root ? 0 : CLONE_NEWUSER)) < 0 || (!root && ns_map_self(&map) < 0) ||
		    syscall(SYS_mount, "none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || (mkdir(mnt, 0755) < 0 && errno != EEXIST) ||
		    syscall(SYS_mount, "overlay", mnt, "overlay", 0, options) < 0)
			_exit(5);
		perform_all(open(mnt, O_RDONLY | O_DIRECTORY | O_CLOEXEC), seed, 60);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void check_view(struct workspace *workspace, const char *model)
{
	struct tree_copy copy = { .twins = -1 };
	struct stack now;
	struct arena arena;
	const char *path;
	struct err err = { 0 };
	char x[65], y[65];

	assert_int_equal(workspace_stack(workspace, WORKSPACE_NOW, &now, &err), 0);
	top_mkdir("view", 0755);
	copy.from = &now;
	copy.to = openat(top_fd, "view", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	arena_init(&arena, 64 << 20);
	assert_int_equal(tree_copy(&copy, &arena, &path), 0);
	arena_done(&arena);
	close(copy.to);
	top_digest("view", x);
	top_digest("base", y);
	top_digest(model, y);
	assert_string_equal(x, y);
	top_remove("view");
}

/* Begins with a random base and its copy; the same work in the workspace and in the copy; then they are the same, and so is the base once applied. */
static void one_seed(enum workspace_mode mode, unsigned seed)
{
	int base = open(top_base, O_RDONLY | O_DIRECTORY | O_CLOEXEC), model;
	struct apply_options options = { .no_sync = true };
	const char *all[] = { "" };
	struct apply_result result;
	struct err err = { 0 };
	char x[65], y[65];

	perform_all(base, seed * 77 + 1, 40);
	close(base);
	copy_tree("base", "model");
	top_digest("base", x);
	autoworkspace struct workspace *workspace = top_workspace(mode);

	if (mode == WORKSPACE_STAGE)
		perform_all(workspace->top, seed, 60);
	else if (work_in_overlay(workspace, seed) != 0)
		SKIP_BECAUSE("no overlay can be mounted here");
	model = openat(top_fd, "model", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	perform_all(model, seed, 60);
	close(model);
	check_view(workspace, "model");
	top_digest("base", y);
	assert_string_equal(x, y); /* nothing has happened to the base */
	options.allow = all;
	options.allow_n = 1;
	if (workspace_apply(workspace, &options, &result, &err) < 0)
		fail_msg("seed %u: %s", seed, err.text);
	apply_result_done(&result);
	top_digest("base", x);
	top_digest("model", y);
	if (strcmp(x, y) != 0)
		fail_msg("seed %u: the base is not what was made", seed);
	assert_int_equal(workspace_discard(workspace, &err), 0);
	top_digest("base", y);
	assert_string_equal(x, y);
}

static void many_seeds(void **state, enum workspace_mode mode)
{
	for (unsigned seed = 1; seed <= 40; seed++) {
		one_seed(mode, seed);
		assert_int_equal(top_drop(state), 0);
		assert_int_equal(top_make(state), 0);
	}
}

static void overlays(void **state)
{
	many_seeds(state, WORKSPACE_OVERLAY);
}

static void stages(void **state)
{
	many_seeds(state, WORKSPACE_STAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = { TOP_TEST(by_hand), TOP_TEST(links_lead_nowhere), TOP_TEST(overlays), TOP_TEST(stages) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

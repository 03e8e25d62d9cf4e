#include "workspace/layers.h"

#include "unit/workspace/top.h"

#include "base/own.h"
#include "workspace/apply.h"
#include "workspace/seal.h"
#include "workspace/tree.h"

static void must(int r, const struct err *err)
{
	if (r < 0)
		fail_msg("%s", err->text);
}

/* What a state has at a path; NULL: nothing. */
static void expect_at(struct workspace *workspace, uint64_t number, const char *path, const char *text)
{
	struct stack stack;
	struct stack_place place;
	struct err err = { 0 };

	must(workspace_stack(workspace, number, &stack, &err), &err);
	assert_int_equal(stack_find(&stack, path, &place), 0);
	if (!text) {
		assert_int_equal(place.entry.kind, ENTRY_NONE);
		return;
	}
	assert_int_equal(place.entry.kind, ENTRY_FILE);
	autofd int fd = entry_open_file(stack.fd[place.layer], path);
	autocontent struct content content = { 0 };

	assert_int_equal(content_load(fd, 1000, &content), 0);
	content.bytes[content.n] = '\0';
	assert_string_equal(content.bytes, text);
}

static uint64_t checkpoint(struct workspace *workspace, enum checkpoint_way way)
{
	struct err err = { 0 };
	uint64_t number = 0;

	must(workspace_checkpoint(workspace, way, "test", &number, &err), &err);
	return number;
}

static void there_and_back(enum workspace_mode mode, enum checkpoint_way way)
{
	top_put("base/file", "0");
	top_put("base/gone", "g");
	top_put("base/dir/x", "x");
	autoworkspace struct workspace *workspace = top_workspace(mode);
	bool staged = mode == WORKSPACE_STAGE;
	struct err err = { 0 };
	uint64_t first, second;

	top_put(top_upper(workspace, "file"), "1");
	if (staged)
		top_remove(top_upper(workspace, "gone"));
	else
		top_whiteout(top_upper(workspace, "gone"));
	first = checkpoint(workspace, way);
	top_put(top_upper(workspace, "file"), "22");
	top_put(top_upper(workspace, "new"), "n");
	second = checkpoint(workspace, way);
	top_put(top_upper(workspace, "file"), "333");
	expect_at(workspace, 0, "file", "0");
	expect_at(workspace, first, "file", "1");
	expect_at(workspace, first, "gone", NULL);
	expect_at(workspace, first, "new", NULL);
	expect_at(workspace, second, "file", "22");
	expect_at(workspace, second, "new", "n");
	expect_at(workspace, second, "gone", NULL);
	expect_at(workspace, WORKSPACE_NOW, "file", "333");
	expect_at(workspace, second, "dir/x", "x");
	{
		autochanges struct changes changes;

		must(workspace_compare(workspace, first, second, &changes, &err), &err);
		assert_non_null(changes_find(&changes, "new"));
		assert_non_null(changes_find(&changes, "file"));
		assert_null(changes_find(&changes, "gone"));
		assert_null(changes_find(&changes, "dir/x"));
	}
	must(workspace_checkout(workspace, first, &err), &err);
	expect_at(workspace, WORKSPACE_NOW, "file", "1");
	expect_at(workspace, WORKSPACE_NOW, "new", NULL);
	expect_at(workspace, WORKSPACE_NOW, "gone", NULL);
	struct apply_options options = { .no_sync = true };
	autoresult struct apply_result result;

	must(workspace_apply(workspace, &options, &result, &err), &err);
	top_expect("base/file", "1");
	assert_false(top_has("base/gone") || top_has("base/new"));
	assert_int_equal(workspace_checkout(workspace, 99, &err), -ENOENT);
}

static void renamed(void **state)
{
	(void)state;
	there_and_back(WORKSPACE_OVERLAY, CHECKPOINT_RENAME);
}

static void copied(void **state)
{
	(void)state;
	there_and_back(WORKSPACE_OVERLAY, CHECKPOINT_COPY);
}

static void staged(void **state)
{
	(void)state;
	there_and_back(WORKSPACE_STAGE, CHECKPOINT_COPY);
}

/* Copies share what has not changed. */
static void sharing(void **state)
{
	struct stat a, b;
	char path[128];

	(void)state;
	autoworkspace struct workspace *workspace = top_workspace(WORKSPACE_OVERLAY);

	top_put(top_upper(workspace, "d/same"), "same");
	top_put(top_upper(workspace, "d/other"), "1");
	checkpoint(workspace, CHECKPOINT_COPY);
	top_put(top_upper(workspace, "d/other"), "2");
	checkpoint(workspace, CHECKPOINT_COPY);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "data/workspaces/%s/layers/%d/d/same", workspace->record.id, i + 1);
		assert_int_equal(fstatat(top_fd, path, i ? &b : &a, 0), 0);
	}
	assert_int_equal(a.st_ino, b.st_ino);
	expect_at(workspace, 1, "d/other", "1");
	expect_at(workspace, 2, "d/other", "2");
}

/* Killed between the record and the renaming: the next one to open it ends that. */
static void cut_short(void **state)
{
	char id[WORKSPACE_ID_MAX], layer[128], upper[128];
	struct err err = { 0 };

	(void)state;
	{
		autoworkspace struct workspace *workspace = top_workspace(WORKSPACE_OVERLAY);

		top_put(top_upper(workspace, "file"), "1");
		checkpoint(workspace, CHECKPOINT_RENAME);
		snprintf(id, sizeof(id), "%s", workspace->record.id);
	}
	snprintf(layer, sizeof(layer), "data/workspaces/%s/layers/1", id);
	snprintf(upper, sizeof(upper), "data/workspaces/%s/upper", id);
	for (int again = 0; again < 2; again++) {
		autoworkspace struct workspace *workspace = NULL;

		top_remove(upper);
		if (again == 0) /* else: between the renaming and the new upper */
			assert_int_equal(renameat(top_fd, layer, top_fd, upper), 0);
		must(workspace_open(top_data, id, &workspace, &err), &err);
		expect_at(workspace, WORKSPACE_NOW, "file", "1");
		expect_at(workspace, 1, "file", "1");
		assert_true(top_has(upper));
	}
}

static void many(void **state)
{
	char text[16], path[16];

	(void)state;
	top_put("base/opaque/old", "old");
	top_put("base/gone", "g");
	autoworkspace struct workspace *workspace = top_workspace(WORKSPACE_OVERLAY);

	for (int i = 1; i <= LAYERS_DEEP + 3; i++) {
		if (i == 2) {
			top_put(top_upper(workspace, "opaque/new"), "new");
			top_opaque(top_upper(workspace, "opaque"));
			top_whiteout(top_upper(workspace, "gone"));
		}
		snprintf(text, sizeof(text), "%d", i);
		snprintf(path, sizeof(path), "f%d", i);
		top_put(top_upper(workspace, "last"), text);
		top_put(top_upper(workspace, path), text);
		checkpoint(workspace, CHECKPOINT_RENAME);
	}
	assert_true(workspace_depth(workspace) <= 4);
	expect_at(workspace, WORKSPACE_NOW, "last", "67");
	expect_at(workspace, WORKSPACE_NOW, "f1", "1");
	expect_at(workspace, WORKSPACE_NOW, "f67", "67");
	expect_at(workspace, WORKSPACE_NOW, "gone", NULL);
	expect_at(workspace, WORKSPACE_NOW, "opaque/new", "new");
	expect_at(workspace, WORKSPACE_NOW, "opaque/old", NULL);
	expect_at(workspace, 5, "last", "5");
	expect_at(workspace, 5, "f6", NULL);
}

static void forks(enum workspace_mode mode)
{
	struct workspace *child[3];
	struct err err = { 0 };
	char id[WORKSPACE_ID_MAX];

	top_put("base/file", "0");
	autoworkspace struct workspace *workspace = top_workspace(mode);

	top_put(top_upper(workspace, "file"), "parent");
	must(workspace_seal(workspace, &err), &err);
	for (int i = 0; i < 3; i++)
		must(workspace_fork(workspace, CHECKPOINT_RENAME, NULL, &child[i], &err), &err);
	top_put(top_upper(child[0], "file"), "first");
	top_put(top_upper(child[1], "other"), "second");
	expect_at(workspace, WORKSPACE_NOW, "file", "parent");
	expect_at(child[0], WORKSPACE_NOW, "file", "first");
	expect_at(child[1], WORKSPACE_NOW, "file", "parent");
	expect_at(child[2], WORKSPACE_NOW, "other", NULL);
	/* The parent goes; the children stay what they are. */
	snprintf(id, sizeof(id), "%s", workspace->record.id);
	workspace_unlock(workspace);
	must(workspace_remove(top_data, id, &err), &err);
	expect_at(child[1], WORKSPACE_NOW, "file", "parent");
	struct apply_options options = { .no_sync = true };
	struct apply_result result;

	must(workspace_apply(child[1], &options, &result, &err), &err);
	apply_result_done(&result);
	top_expect("base/file", "parent");
	top_expect("base/other", "second");
	/* The second one to be applied finds the base changed. */
	assert_true(workspace_apply(child[0], &options, &result, &err) < 0);
	assert_int_equal(err.code, ERR_BUSY);
	apply_result_done(&result);
	for (int i = 0; i < 3; i++) {
		char name[WORKSPACE_ID_MAX];

		snprintf(name, sizeof(name), "%s", child[i]->record.id);
		workspace_close(child[i]);
		must(workspace_remove(top_data, name, &err), &err);
	}
	char path[128];

	snprintf(path, sizeof(path), "data/workspaces/%s", id);
	assert_false(top_has(path)); /* the last heir has gone, and so have the layers */
}

static void overlay_forks(void **state)
{
	(void)state;
	forks(WORKSPACE_OVERLAY);
}

static void stage_forks(void **state)
{
	(void)state;
	forks(WORKSPACE_STAGE);
}

static void expect_child(struct workspace *workspace, uint64_t number, const char *text)
{
	struct workspace *child = NULL;
	struct err err = { 0 };
	char id[WORKSPACE_ID_MAX];

	must(workspace_fork_at(workspace, number, NULL, &child, &err), &err);
	expect_at(child, WORKSPACE_NOW, "file", text);
	expect_at(child, WORKSPACE_NOW, "later", NULL);
	snprintf(id, sizeof(id), "%s", child->record.id);
	workspace_close(child);
	must(workspace_remove(top_data, id, &err), &err);
}

static void forks_at(enum workspace_mode mode)
{
	struct workspace *child = NULL;
	struct err err = { 0 };
	uint64_t number;

	top_put("base/file", "0");
	autoworkspace struct workspace *workspace = top_workspace(mode);

	assert_true(workspace_is_recorded(workspace, &number));
	for (int i = 1; i <= 3; i++) {
		char text[8];

		snprintf(text, sizeof(text), "%d", i);
		top_put(top_upper(workspace, "file"), text);
		assert_false(workspace_is_recorded(workspace, &number));
		must(workspace_checkpoint(workspace, CHECKPOINT_COPY, text, &number, &err), &err);
		assert_true(workspace_is_recorded(workspace, &number));
		assert_int_equal(number, i);
	}
	top_put(top_upper(workspace, "later"), "x");
	expect_child(workspace, 0, "0");
	expect_child(workspace, 2, "2");
	expect_child(workspace, 3, "3");
	expect_at(workspace, WORKSPACE_NOW, "file", "3");
	assert_int_equal(workspace_fork_at(workspace, 4, NULL, &child, &err), -ENOENT);
	assert_int_equal(err.code, ERR_NOTFOUND);
	/* Of what is recorded no second layer is made. */
	for (int i = 0; i < 2; i++) {
		must(workspace_fork(workspace, CHECKPOINT_COPY, NULL, &child, &err), &err);
		expect_at(child, WORKSPACE_NOW, "later", "x");
		workspace_close(child);
	}
	assert_int_equal(workspace->record.layers_n, 4);
}

static void overlay_forks_at(void **state)
{
	(void)state;
	forks_at(WORKSPACE_OVERLAY);
}

static void stage_forks_at(void **state)
{
	(void)state;
	forks_at(WORKSPACE_STAGE);
}

static int fill_from(void *data, int layer, struct err *err)
{
	struct workspace *from = data;

	return workspace_flatten(from, layer, err);
}

static int fill_not(void *data, int layer, struct err *err)
{
	(void)data;
	assert_int_equal(mkdirat(layer, "half", 0700), 0);
	return err_set(err, ERR_LIMIT, ENOSPC, "full");
}

/* What one has above the base, flattened, is what another begins with; a layer that could not be filled is not there. */
static void adopted(enum workspace_mode mode)
{
	top_put("base/file", "0");
	top_put("base/gone", "g");
	top_put("base/dir/x", "x");
	autoworkspace struct workspace *from = top_workspace(mode), *to = NULL;
	const struct workspace_options options = { .id = "to", .base = top_base, .mode = mode };
	struct err err = { 0 };

	top_put(top_upper(from, "file"), "1");
	if (mode == WORKSPACE_STAGE)
		top_remove(top_upper(from, "gone"));
	else
		top_whiteout(top_upper(from, "gone"));
	(void)checkpoint(from, CHECKPOINT_COPY);
	top_put(top_upper(from, "new"), "n");
	must(workspace_create(top_data, &options, &to, &err), &err);
	assert_int_equal(workspace_adopt(to, fill_not, NULL, "s", &err), -ENOSPC);
	assert_int_equal(to->record.layers_n, 0);
	expect_at(to, WORKSPACE_NOW, "half", NULL);
	must(workspace_adopt(to, fill_from, from, "s", &err), &err);
	expect_at(to, WORKSPACE_NOW, "file", "1");
	expect_at(to, WORKSPACE_NOW, "gone", NULL);
	expect_at(to, WORKSPACE_NOW, "new", "n");
	expect_at(to, WORKSPACE_NOW, "dir/x", "x");
	expect_at(to, 0, "gone", "g");
	expect_at(from, WORKSPACE_NOW, "file", "1");
}

static void overlay_adopts(void **state)
{
	(void)state;
	adopted(WORKSPACE_OVERLAY);
}

static void stage_adopts(void **state)
{
	(void)state;
	adopted(WORKSPACE_STAGE);
}

static void labels(void **state)
{
	struct workspace *again = NULL;
	struct err err = { 0 };
	uint64_t number;
	char bytes[600];

	(void)state;
	top_put("base/file", "0");
	autoworkspace struct workspace *workspace = top_workspace(WORKSPACE_OVERLAY);

	memset(bytes, 0xff, sizeof(bytes));
	bytes[sizeof(bytes) - 1] = '\0';
	must(workspace_checkpoint(workspace, CHECKPOINT_COPY, bytes, &number, &err), &err);
	for (size_t i = 0; i + 2 < sizeof(bytes); i += 2)
		memcpy(bytes + i, "ä", 2);
	bytes[sizeof(bytes) - 2] = '\0';
	must(workspace_checkpoint(workspace, CHECKPOINT_COPY, bytes, &number, &err), &err);
	must(workspace_open(top_data, workspace->record.id, &again, &err), &err);
	assert_int_equal(strspn(again->record.layers[0].label, "?"), WORKSPACE_LABEL_MAX - 1);
	assert_int_equal(strlen(again->record.layers[1].label), WORKSPACE_LABEL_MAX - 2);
	workspace_close(again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TOP_TEST(renamed), TOP_TEST(copied),         TOP_TEST(staged),       TOP_TEST(sharing),          TOP_TEST(cut_short),
		TOP_TEST(many),    TOP_TEST(overlay_forks),  TOP_TEST(stage_forks),  TOP_TEST(overlay_forks_at), TOP_TEST(stage_forks_at),
		TOP_TEST(labels),  TOP_TEST(overlay_adopts), TOP_TEST(stage_adopts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

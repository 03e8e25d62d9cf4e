#include "workspace/workspace.h"

#include "unit/workspace/top.h"

#include "base/own.h"

#include <sys/socket.h>
#include <sys/un.h>

static const struct workspace_options overlay = { .id = "w", .base = top_base };

static void must(int r, const struct err *err)
{
	if (r < 0)
		fail_msg("%s", err->text);
}

static void make(void)
{
	struct workspace *workspace;
	struct err err = { 0 };

	must(workspace_create(top_data, &overlay, &workspace, &err), &err);
	workspace_close(workspace);
}

static void expect_open(enum err_code code, const char *word)
{
	struct workspace *workspace = NULL;
	struct err err = { 0 };

	assert_true(workspace_open(top_data, "w", &workspace, &err) < 0);
	if (err.code != code || !strstr(err.text, word))
		fail_msg("%s", err.text);
}

static void lives_on(void **state)
{
	struct err err = { 0 };

	(void)state;
	make();
	autoworkspace struct workspace *workspace = NULL;

	must(workspace_open(top_data, "w", &workspace, &err), &err);
	assert_string_equal(workspace->record.base, top_base);
	assert_int_equal(workspace->record.mode, WORKSPACE_OVERLAY);
	struct workspace *other = NULL;

	assert_true(workspace_create(top_data, &overlay, &other, &err) < 0);
	assert_int_equal(err.code, ERR_BUSY);
	assert_true(workspace_open(top_data, "../w", &other, &err) < 0);
	assert_int_equal(err.code, ERR_USAGE);
	assert_true(workspace_open(top_data, "none", &other, &err) < 0);
	assert_int_equal(err.code, ERR_NOTFOUND);
}

static void odd_bases(void **state)
{
	static const char odd[] = "odd \"%41\\ \xff\n";
	struct workspace_options options = { .id = "o" };
	char path[128];
	struct err err = { 0 };

	(void)state;
	top_mkdir(odd, 0755);
	snprintf(path, sizeof(path), "%s/%s", top_path, odd);
	options.base = path;
	struct workspace *workspace;

	must(workspace_create(top_data, &options, &workspace, &err), &err);
	workspace_close(workspace);
	must(workspace_open(top_data, "o", &workspace, &err), &err);
	assert_string_equal(workspace->record.base, path);
	workspace_close(workspace);
	options.base = "relative";
	options.id = "p";
	assert_true(workspace_create(top_data, &options, &workspace, &err) < 0);
	options.base = "/nonexistent/x";
	assert_true(workspace_create(top_data, &options, &workspace, &err) < 0);
	assert_false(top_has("data/workspaces/p"));
}

static void another_base(void **state)
{
	(void)state;
	make();
	assert_int_equal(renameat(top_fd, "base", top_fd, "elsewhere"), 0);
	expect_open(ERR_NOTFOUND, "cannot be opened");
	top_mkdir("base", 0755);
	expect_open(ERR_DENIED, "another directory");
}

static void one_holder(void **state)
{
	struct err err = { 0 };

	(void)state;
	make();
	autoworkspace struct workspace *a = NULL, *b = NULL;
	struct workspace_info_vec list;
	struct arena arena;

	must(workspace_open(top_data, "w", &a, &err), &err);
	must(workspace_open(top_data, "w", &b, &err), &err);
	must(workspace_lock(a, &err), &err);
	assert_true(workspace_lock(b, &err) < 0);
	assert_int_equal(err.code, ERR_BUSY);
	assert_int_equal(workspace_remove(top_data, "w", &err), -EBUSY);
	arena_init(&arena, 1 << 20);
	must(workspace_list(top_data, &arena, &list, &err), &err);
	assert_int_equal(list.n, 1);
	assert_true(list.at[0].locked);
	workspace_unlock(a);
	must(workspace_list(top_data, &arena, &list, &err), &err);
	assert_false(list.at[0].locked);
	arena_done(&arena);
	must(workspace_lock(b, &err), &err);
}

/* A record that was cut off anywhere, or says what cannot be. */
static void broken_records(void **state)
{
	static const char record[] = "data/workspaces/w/record";
	char text[2048];
	ssize_t n;
	int fd;
	struct err err = { 0 };

	(void)state;
	make();
	fd = openat(top_fd, record, O_RDONLY | O_CLOEXEC);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	assert_true(n > 0);
	text[n] = '\0';
	for (ssize_t cut = 0; cut < n - 1; cut++) { /* the newline at the end is nobody's loss */
		char saved = text[cut];

		text[cut] = '\0';
		top_put(record, text);
		text[cut] = saved;
		expect_open(ERR_POLICY, "broken");
	}
	static const char *const edits[][2] = {
		{ "\"below\":0", "\"below\":7" },
		{ "\"id\":\"w\"", "\"id\":\"v\"" },
		{ "\"id\":\"w\"", "\"id\":\"../w\"" },
		{ "\"version\":1", "\"version\":2" },
		{ "\"mode\":\"overlay\"", "\"mode\":\"x\"" },
		{ "\"layers\":[]", "\"layers\":{}" },
		{ "\"base\":\"/", "\"base\":\"/../" },
		{ "\"layers\":[]", "\"layers\":[{\"number\":1,\"parent\":1,\"home\":\"w\",\"label\":\"\",\"createdNs\":0}]" },
		{ "\"layers\":[]", "\"layers\":[{\"number\":1,\"parent\":0,\"home\":\"../x\",\"label\":\"\",\"createdNs\":0}]" },
	};
	for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
		char forged[4096];
		char *at = strstr(text, edits[i][0]);

		assert_non_null(at);
		snprintf(forged, sizeof(forged), "%.*s%s%s", (int)(at - text), text, edits[i][1], at + strlen(edits[i][0]));
		top_put(record, forged);
		expect_open(ERR_POLICY, "broken");
	}
	struct workspace_info_vec list;
	struct arena arena;

	arena_init(&arena, 1 << 20);
	must(workspace_list(top_data, &arena, &list, &err), &err);
	assert_int_equal(list.n, 1);
	assert_non_null(list.at[0].fault);
	arena_done(&arena);
	must(workspace_remove(top_data, "w", &err), &err);
	assert_false(top_has("data/workspaces/w"));
}

static void planted_links(void **state)
{
	struct err err = { 0 };
	char before[65], after[65];

	(void)state;
	top_put("victim/file", "v");
	top_digest("victim", before);
	make();
	assert_int_equal(unlinkat(top_fd, "data/workspaces/w/record", 0), 0);
	top_link("data/workspaces/w/record", "../../../victim/file");
	expect_open(ERR_POLICY, "broken");
	top_link("data/workspaces/x", "../../victim");
	struct workspace *workspace;

	assert_true(workspace_open(top_data, "x", &workspace, &err) < 0);
	top_link("data/workspaces/w/upper/link", "../../../../victim");
	top_link("data/workspaces/w/work/link", "../../../../victim");
	must(workspace_remove(top_data, "w", &err), &err);
	top_digest("victim", after);
	assert_string_equal(before, after);
}

/* Everything that a sandbox can leave behind. */
static void hostile_upper(void **state)
{
	char name[256], path[512];
	struct err err = { 0 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	autoworkspace struct workspace *workspace = NULL;

	must(workspace_create(top_data, &overlay, &workspace, &err), &err);
	memset(name, 'n', 255);
	name[255] = '\0';
	snprintf(path, sizeof(path), "data/workspaces/w/upper/%s", name);
	top_put(path, "x");
	top_put("data/workspaces/w/upper/line\nbreak\x1b[2J\xff", "x");
	assert_int_equal(mkfifoat(top_fd, "data/workspaces/w/upper/fifo", 0600), 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/sock", top_path);
	assert_int_equal(bind(sock, (struct sockaddr *)&address, sizeof(address)), 0);
	close(sock);
	assert_int_equal(renameat(top_fd, "sock", top_fd, "data/workspaces/w/upper/sock"), 0);
	top_put("data/workspaces/w/upper/closed/file", "x");
	top_chmod("data/workspaces/w/upper/closed", 0);
	/* 10,000 directories in one another, made from the inside, as a path cannot be that long. */
	fd = openat(top_fd, "data/workspaces/w/upper", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 10000; i++) {
		assert_int_equal(mkdirat(fd, "d", 0755), 0);
		int next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		close(fd);
		fd = next;
	}
	close(fd);
	{
		autochanges struct changes changes;

		must(workspace_changes(workspace, &changes, &err), &err);
		assert_non_null(changes_find(&changes, name));
		assert_non_null(changes_find(&changes, "fifo"));
		assert_non_null(changes_find(&changes, "sock"));
		assert_non_null(changes_find(&changes, "line\nbreak\x1b[2J\xff"));
		assert_int_equal(changes.too_deep, 1);
	}
	workspace_unlock(workspace);
	must(workspace_remove(top_data, "w", &err), &err);
	assert_false(top_has("data/workspaces/w"));
}

static void discarding(void **state)
{
	struct err err = { 0 };
	char before[65], after[65];

	(void)state;
	top_put("base/file", "x");
	for (int mode = WORKSPACE_OVERLAY; mode <= WORKSPACE_STAGE; mode++) {
		autoworkspace struct workspace *workspace = top_workspace((enum workspace_mode)mode);
		autochanges struct changes changes;

		top_digest("base", before);
		top_put(top_upper(workspace, "file"), "changed");
		top_put(top_upper(workspace, "other"), "new");
		must(workspace_discard(workspace, &err), &err);
		must(workspace_changes(workspace, &changes, &err), &err);
		assert_int_equal(changes.list.n, 0);
		assert_false(top_has(top_upper(workspace, "other")));
		top_digest("base", after);
		assert_string_equal(before, after);
	}
}

static void somebody_elses(void **state)
{
	struct workspace *workspace;
	struct err err = { 0 };

	(void)state;
	make();
	top_chmod("data", 0777);
	assert_true(workspace_open(top_data, "w", &workspace, &err) < 0);
	assert_int_equal(err.code, ERR_DENIED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TOP_TEST(lives_on),      TOP_TEST(odd_bases),      TOP_TEST(another_base),
		TOP_TEST(one_holder),    TOP_TEST(broken_records), TOP_TEST(planted_links),
		TOP_TEST(hostile_upper), TOP_TEST(discarding),     TOP_TEST(somebody_elses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "workspace/print.h"

#include "unit/workspace/top.h"

#include "base/json.h"
#include "base/own.h"

#include <sys/wait.h>

static int put(void *data, const char *bytes, size_t n)
{
	str_add_n(data, bytes, n);
	return 0;
}

typedef int print_all(const struct changes *changes, const struct printer *printer, struct err *err);

static void print(struct workspace *workspace, print_all *how, struct str *out)
{
	autochanges struct changes changes;
	struct printer printer = { .put = put, .data = out };
	struct err err = { 0 };

	str_init(out, 64 << 20);
	if (workspace_changes(workspace, &changes, &err) < 0 || how(&changes, &printer, &err) < 0)
		fail_msg("%s", err.text);
}

static void fill(char *text, size_t n, unsigned seed)
{
	for (size_t i = 0; i < n; i++)
		text[i] = (char)(seed = seed * 1103515245 + 12345, seed >> 16);
}

static void put_bytes(const char *path, const char *bytes, size_t n)
{
	int fd;

	top_put(path, "");
	fd = openat(top_fd, path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(write(fd, bytes, n), n);
	close(fd);
}

static struct workspace *make_all(void)
{
	static char bytes[200000];
	struct workspace *workspace;

	top_put("base/text", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n");
	top_put("base/no-newline", "a\nb");
	top_put("base/gone", "gone\n");
	top_put("base/moved-from", "this content is moved\nas it is\n");
	top_put("base/script", "#!/bin/sh\n");
	top_put("base/to-empty", "x\n");
	top_put("base/link-to-be", "file\n");
	top_put("base/dir/a", "a\n");
	top_put("base/odd \"name\"\t\303\244\n\377", "odd\n");
	top_link("base/link", "text");
	fill(bytes, 3000, 1);
	put_bytes("base/binary", bytes, 3000);
	workspace = top_workspace(WORKSPACE_OVERLAY);
	top_put(top_upper(workspace, "text"), "1\n2\n3\nfour\n5\n6\n7\n8\n9\n10\nmore\n");
	top_put(top_upper(workspace, "no-newline"), "a\nc");
	top_whiteout(top_upper(workspace, "gone"));
	top_whiteout(top_upper(workspace, "moved-from"));
	top_put(top_upper(workspace, "sub dir/moved to"), "this content is moved\nas it is\n");
	top_put(top_upper(workspace, "script"), "#!/bin/sh\n");
	top_chmod(top_upper(workspace, "script"), 0755);
	top_put(top_upper(workspace, "to-empty"), "");
	top_put(top_upper(workspace, "empty"), "");
	top_link(top_upper(workspace, "link-to-be"), "text");
	top_put(top_upper(workspace, "dir-to-be/x"), "x\n");
	top_put(top_upper(workspace, "dir"), "a file now\n");
	top_put(top_upper(workspace, "odd \"name\"\t\303\244\n\377"), "very odd\n");
	top_whiteout(top_upper(workspace, "link"));
	fill(bytes, sizeof(bytes), 7);
	put_bytes(top_upper(workspace, "binary"), bytes, sizeof(bytes)); /* more than one stored block */
	put_bytes(top_upper(workspace, "new binary"), bytes, 53);
	return workspace;
}

static int git(const char *verb, const char *option)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (chdir(top_base) == 0)
			execlp("git", "git", verb, option, "../patch", NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void levelled(const char *path, char ret_hex[65])
{
	/* git keeps no times: all of them the same before comparing. */
	char command[256];

	snprintf(command, sizeof(command), "find %s/%s -exec touch -h -d @1 {} +", top_path, path);
	assert_int_equal(system(command), 0);
	top_digest(path, ret_hex);
}

static void git_applies_it(void **state)
{
	(void)state;
	autoworkspace struct workspace *workspace = make_all();
	autostr struct str patch;
	char x[65], y[65], command[256];
	int fd;

	print(workspace, changes_print_patch, &patch);
	fd = openat(top_fd, "patch", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, patch.text, patch.len), patch.len);
	close(fd);
	snprintf(command, sizeof(command), "cp -a %s %s/original", top_base, top_path);
	assert_int_equal(system(command), 0);
	if (git("apply", "--check") == 127)
		SKIP_BECAUSE("git is not installed");
	assert_int_equal(git("apply", "-v"), 0);
	top_expect("base/text", "1\n2\n3\nfour\n5\n6\n7\n8\n9\n10\nmore\n");
	top_expect("base/sub dir/moved to", "this content is moved\nas it is\n");
	top_expect("base/dir", "a file now\n");
	top_expect("base/odd \"name\"\t\303\244\n\377", "very odd\n");
	assert_false(top_has("base/moved-from") || top_has("base/gone") || top_has("base/link"));
	assert_true(top_has("base/empty"));
	/* The binaries are checked by git, by their names. And all of it is what the workspace has. */
	autochanges struct changes changes;
	struct err err = { 0 };

	assert_int_equal(workspace_changes(workspace, &changes, &err), 0);
	for (size_t i = 0; i < changes.list.n; i++)
		assert_int_equal(changes.list.at[i].what & ~(unsigned)CHANGE_TIME, 0);
	assert_int_equal(git("apply", "-R"), 0);
	levelled("base", x);
	levelled("original", y);
	assert_string_equal(x, y);
}

static void names(void **state)
{
	(void)state;
	autoworkspace struct workspace *workspace = make_all();
	autostr struct str out;

	print(workspace, changes_print_names, &out);
	assert_non_null(strstr(out.text, "M text\n"));
	assert_non_null(strstr(out.text, "D gone\n"));
	assert_non_null(strstr(out.text, "R moved-from -> sub dir/moved to\n"));
	assert_non_null(strstr(out.text, "A dir-to-be/\nA dir-to-be/x\n"));
	assert_non_null(strstr(out.text, "T dir\n"));
	assert_non_null(strstr(out.text, "M odd \"name\"\\x09\303\244\\n\\xff\n"));
	assert_null(strchr(out.text, '\t'));
}

static void stat_lines(void **state)
{
	(void)state;
	autoworkspace struct workspace *workspace = make_all();
	autostr struct str out;

	print(workspace, changes_print_stat, &out);
	assert_non_null(strstr(out.text, "M text | +2 -1\n"));
	assert_non_null(strstr(out.text, "M script | mode 0644 -> 0755\n"));
	assert_non_null(strstr(out.text, "M binary | 3000 -> 200000 bytes\n"));
	assert_non_null(strstr(out.text, " changed: "));
}

static void json(void **state)
{
	(void)state;
	autoworkspace struct workspace *workspace = make_all();
	autostr struct str out;
	autojson json_t *doc = NULL;
	struct err err = { 0 };
	bool renamed = false, hex = false;
	const json_t *change;
	size_t i;

	print(workspace, changes_print_json, &out);
	if (json_read(out.text, out.len, "changes", &doc, &err) < 0)
		fail_msg("%s", err.text);
	json_array_foreach (json_object_get(doc, "changes"), i, change) {
		const char *kind = json_string_value(json_object_get(change, "change"));

		renamed = renamed || strcmp(kind, "renamed") == 0;
		hex = hex || json_object_get(change, "pathHex");
	}
	assert_true(i > 10 && renamed && hex);
}

static int refuse(void *data, const char *bytes, size_t n)
{
	(void)data;
	(void)bytes;
	(void)n;
	return -EPIPE;
}

static void writers_that_fail(void **state)
{
	(void)state;
	autoworkspace struct workspace *workspace = make_all();
	autochanges struct changes changes;
	struct printer printer = { .put = refuse };
	struct err err = { 0 };

	assert_int_equal(workspace_changes(workspace, &changes, &err), 0);
	assert_int_equal(changes_print_patch(&changes, &printer, &err), -EPIPE);
	assert_int_equal(changes_print_json(&changes, &printer, &err), -EPIPE);
	assert_int_equal(changes_print_stat(&changes, &printer, &err), -EPIPE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TOP_TEST(git_applies_it), TOP_TEST(names), TOP_TEST(stat_lines), TOP_TEST(json), TOP_TEST(writers_that_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

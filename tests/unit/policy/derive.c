#include "policy/places.h"

#include "unit/policy/sample.h"

static void test_the_default(void **state)
{
	struct policy policy = sample_default();

	(void)state;
	sample_resolve(&policy);
	assert_access(&policy, "/", false, false);
	assert_access(&policy, "/usr/bin/env", true, false);
	assert_access(&policy, "/etc/passwd", true, false);
	assert_access(&policy, "/etc/shadow", false, false);
	assert_access(&policy, "/etc/ssh/ssh_host_rsa_key", false, false);
	assert_access(&policy, "/etc/ssh/ssh_host_rsa_key.pub", true, false);
	assert_access(&policy, "/etc/ssl/private/x", false, false);
	assert_access(&policy, "/etc/ssl/certs/x", true, false);
	assert_access(&policy, "/var/log/x", false, false);
	assert_access(&policy, "/root", false, false);
	assert_access(&policy, "/home", false, false);
	assert_access(&policy, "/home/u", false, false);
	assert_access(&policy, "/home/u/notes", false, false);
	assert_access(&policy, "/home/u/.ssh/id", false, false);
	assert_access(&policy, "/home/u/.cargo/bin/cargo", true, false);
	assert_access(&policy, "/home/u/.cargo/credentials.toml", false, false);
	assert_access(&policy, "/home/v/x", false, false);
	assert_access(&policy, "/home/u/w", true, false);
	assert_access(&policy, "/home/u/w/.env", false, false);
	assert_access(&policy, "/home/u/w/a/b/.env.local", false, false);
	assert_access(&policy, "/home/u/w/.env.example", true, false);
	assert_access(&policy, "/home/u/w/.environment", true, false);
	assert_int_equal(policy.filesystem.deny_write.n, 0); /* nothing can be written: nothing to protect */
}

static void test_what_coffer_keeps_is_nobodys(void **state)
{
	struct policy policy = sample_default();
	const char *own[] = { "/data/coffer" };

	(void)state;
	policy.own = (struct text_vec){ .at = own, .n = 1 };
	sample_resolve(&policy);
	assert_int_equal(policy.filesystem.hidden.n, 0); /* nothing that shows it is open */
	policy.filesystem.view = POLICY_VIEW_HOST;
	policy.filesystem.hide_credentials = policy.filesystem.mandatory = false;
	sample_add(&policy.filesystem.allow_write, "/");
	sample_add(&policy.filesystem.allow_read, "/data/coffer/sessions");
	sample_resolve(&policy);
	assert_access(&policy, "/data/x", true, true);
	assert_access(&policy, "/data/coffer", false, false);
	assert_access(&policy, "/data/coffer/sessions/one/record", false, false);
	assert_access(&policy, "/home/u/.local/share/coffer/x", false, false);
	assert_access(&policy, "/var/lib/coffer", false, false);
	policy.filesystem.disabled = true;
	sample_resolve(&policy);
	assert_access(&policy, "/data/x", true, true);
	assert_access(&policy, "/data/coffer/x", false, false);
	assert_int_equal(policy.filesystem.hidden.n, 5);
}

static void test_without_a_home(void **state)
{
	struct policy policy = sample_default();

	(void)state;
	sample_resolve_at(&policy, "/srv/x", NULL);
	assert_access(&policy, "/usr/bin/env", true, false);
	assert_access(&policy, "/srv/x/y", true, false);
	assert_access(&policy, "/home/u/.cargo/bin/cargo", false, false);
}

static void check_not_opened(const char *cwd, const char *home)
{
	struct policy policy = sample_default();

	sample_resolve_at(&policy, cwd, home);
	assert_access(&policy, cwd, false, false);
}

/* Nobody opens everything by standing in the wrong place. */
static void test_wide_workspaces_are_not_opened_unasked(void **state)
{
	struct policy policy = sample_default();

	(void)state;
	check_not_opened("/", "/home/u");
	check_not_opened("/", NULL);
	check_not_opened("/home", "/home/u");
	check_not_opened("/home/u", "/home/u");
	check_not_opened("/root", "/root");
	check_not_opened("/home/u/.ssh", "/home/u");
	check_not_opened("/home/u/.config/gh/x", "/home/u");
	check_not_opened("/root/x", "/home/u");

	sample_add(&policy.filesystem.allow_read, ".");
	sample_resolve_at(&policy, "/home/u/.ssh", "/home/u");
	assert_access(&policy, "/home/u/.ssh/config", true, false);
}

static void test_root_works_in_its_own_home(void **state)
{
	struct policy policy = sample_default();

	(void)state;
	sample_add(&policy.filesystem.allow_write, ".");
	sample_resolve_at(&policy, "/root/w", "/root");
	assert_access(&policy, "/root/w/x", true, true);
	assert_access(&policy, "/root/x", false, false);
	policy.filesystem.view = POLICY_VIEW_HOST;
	sample_resolve_at(&policy, "/root/w", "/root");
	assert_access(&policy, "/root/x", true, false);
	assert_access(&policy, "/root/.ssh/id", false, false);
}

/* ~/.cargo is a place of its own, but who hides home means it too. */
static void test_toolchain_gives_way_to_denials(void **state)
{
	struct policy policy = sample_default();

	(void)state;
	sample_add(&policy.filesystem.deny_read, "~");
	sample_add(&policy.filesystem.deny_read, "/opt");
	sample_resolve(&policy);
	assert_access(&policy, "/home/u/.cargo/bin/cargo", false, false);
	assert_access(&policy, "/opt/x", false, false);
	assert_access(&policy, "/usr/x", true, false);
	assert_access(&policy, "/home/u/w/x", true, false); /* the workspace is meant to be read */
}

static void test_credentials_can_be_asked_for(void **state)
{
	struct policy policy = sample_default();

	(void)state;
	sample_add(&policy.filesystem.allow_read, "~/.ssh/known_hosts");
	sample_add(&policy.filesystem.allow_read, "~/.aws");
	sample_add(&policy.filesystem.allow_read, ".env");
	sample_resolve(&policy);
	assert_access(&policy, "/home/u/.ssh/known_hosts", true, false);
	assert_access(&policy, "/home/u/.ssh/id", false, false);
	assert_access(&policy, "/home/u/.aws/credentials", true, false);
	assert_access(&policy, "/home/u/w/.env", true, false);
	assert_access(&policy, "/home/u/w/sub/.env", false, false);
}

static void test_all_of_home_is_without_its_credentials(void **state)
{
	struct policy policy = sample_default();

	(void)state;
	sample_add(&policy.filesystem.allow_read, "~");
	sample_resolve(&policy);
	assert_access(&policy, "/home/u/notes", true, false);
	assert_access(&policy, "/home/u/.ssh/id", false, false);
	assert_access(&policy, "/home/u/.bash_history", false, false);
	assert_access(&policy, "/home/u/.config/google-chrome-beta/x", false, false);
	assert_access(&policy, "/home/u/Passwords.kdbx", false, false);
	policy.filesystem.hide_credentials = false;
	sample_resolve(&policy);
	assert_access(&policy, "/home/u/.ssh/id", true, false);
}

static struct policy writable(const char *text, bool srt)
{
	struct policy policy = sample_default();

	if (srt)
		assert_int_equal(policy_init_srt(&policy, &arena), 0);
	sample_add(&policy.filesystem.allow_write, text);
	sample_resolve(&policy);
	return policy;
}

/* Of the working tree, when that can be written. */
static const char *const closed[] = { ".git/hooks/pre-commit",
	                              ".git/hooks/x/y",
	                              "sub/.git/hooks/post-merge",
	                              ".git/config",
	                              "a/b/c/d/e/.git/config",
	                              ".git/commondir",
	                              ".git/config.worktree",
	                              ".git/modules/m/hooks/x",
	                              ".git/modules/a/b/config",
	                              ".git",
	                              "sub/.git",
	                              ".gitmodules",
	                              "sub/.gitmodules",
	                              ".bashrc",
	                              "x/.zshrc",
	                              ".vscode/tasks.json",
	                              "p/.idea/x",
	                              ".claude/commands/x.md",
	                              ".mcp.json",
	                              ".envrc",
	                              ".husky/pre-commit",
	                              ".cargo/config.toml",
	                              ".emacs.d/init.el",
	                              ".claude/settings.local.json",
	                              "AGENTS.md",
	                              ".github/copilot-instructions.md",
	                              ".aider.conf.yml",
	                              "lefthook.yaml",
	                              "coffer.json" };
static const char *const open[] = { "x",
	                            ".git/index",
	                            ".git/hooks/pre-commit.sample",
	                            ".git/HEAD",
	                            ".git/hooks",
	                            "src/AGENTS.md",
	                            ".git/modules/m/hooks/x.sample",
	                            ".git/refs/heads/x",
	                            ".gitignore",
	                            ".github/workflows/ci.yml",
	                            ".claude/notes",
	                            "a/.npmrc",
	                            "node_modules/x/.vscode/y",
	                            ".vscodes",
	                            "docs/.bashrc.md" };

static void test_protected_places_of_the_working_tree(void **state)
{
	const bool dialects[] = { false, true };

	(void)state;
	for (size_t d = 0; d < COUNT(dialects); d++) {
		struct policy policy = writable(".", dialects[d]);

		for (size_t i = 0; i < COUNT(closed); i++) {
			const char *path = arena_printf(&arena, "/home/u/w/%s", closed[i]);

			assert_access(&policy, path, true, false);
		}
		for (size_t i = 0; i < COUNT(open); i++)
			assert_access(&policy, arena_printf(&arena, "/home/u/w/%s", open[i]), true, true);
	}
}

static void test_settings_are_not_written_under_themselves(void **state)
{
	struct policy policy = writable(".", false);

	(void)state;
	*text_vec_add(&policy.settings, &arena) = "/etc/policy.json";
	*text_vec_add(&policy.settings, &arena) = "/home/u/w/sub/policy.json";
	assert_int_equal(policy_resolve(&policy, &arena, "/home/u/w", "/home/u", NULL), 0);
	assert_access(&policy, "/home/u/w/sub/policy.json", true, false);
	assert_access(&policy, "/home/u/w/sub/other.json", true, true);
}

static void test_a_protected_place_is_known_from_inside_as_well(void **state)
{
	struct policy policy = writable(".git", false);

	(void)state;
	assert_access(&policy, "/home/u/w/.git/hooks/x", true, false);
	assert_access(&policy, "/home/u/w/.git/hooks/x.sample", true, true);
	assert_access(&policy, "/home/u/w/.git/config", true, false);
	assert_access(&policy, "/home/u/w/.git/modules/a/hooks/x", true, false);
	assert_access(&policy, "/home/u/w/.git/index", true, true);
	policy = writable(".git/modules/a", false);
	assert_access(&policy, "/home/u/w/.git/modules/a/hooks/x", true, false);
	assert_access(&policy, "/home/u/w/.git/modules/a/b/config", true, false);
	assert_access(&policy, "/home/u/w/.git/modules/a/index", true, true);
	policy = writable(".claude", false);
	assert_access(&policy, "/home/u/w/.claude/commands/x", true, false);
	assert_access(&policy, "/home/u/w/.claude/todo", true, true);
	policy = writable("~/.config", false);
	assert_access(&policy, "/home/u/.config/fish/config.fish", true, false);
	assert_access(&policy, "/home/u/.config/systemd/user/x", true, false);
	assert_access(&policy, "/home/u/.config/other", true, true);
}

/* srt anchors its list at the working directory alone, so that --write ~ from below opens ~/.bashrc. */
static void test_home_and_other_roots_are_anchors(void **state)
{
	struct policy policy = writable("~", false);

	(void)state;
	assert_access(&policy, "/home/u/.bashrc", true, false);
	assert_access(&policy, "/home/u/.zshenv", true, false);
	assert_access(&policy, "/home/u/w/.envrc", true, false);
	assert_access(&policy, "/home/u/.local/bin/git", true, false);
	assert_access(&policy, "/home/u/.ssh/authorized_keys", false, false);
	assert_access(&policy, "/home/u/x/y/.git/hooks/z", true, false);
	policy = writable("/srv/site", false);
	assert_access(&policy, "/srv/site/.husky/x", true, false);
	assert_access(&policy, "/srv/site/a/.git/config", true, false);
	assert_access(&policy, "/srv/site/a", true, true);
}

static void test_asked_for_by_name(void **state)
{
	struct policy policy = sample_default();

	(void)state;
	sample_add(&policy.filesystem.allow_write, ".");
	sample_add(&policy.filesystem.allow_write, ".vscode");
	sample_add(&policy.filesystem.allow_write, ".git/hooks/pre-commit");
	sample_add(&policy.filesystem.allow_write, ".claude/commands/mine");
	sample_add(&policy.filesystem.allow_write, "AGENTS.md");
	sample_resolve(&policy);
	assert_access(&policy, "/home/u/w/.vscode/tasks.json", true, true);
	assert_access(&policy, "/home/u/w/.git/hooks/pre-commit", true, true);
	assert_access(&policy, "/home/u/w/.git/hooks/post-merge", true, false);
	assert_access(&policy, "/home/u/w/.claude/commands/mine/x", true, true);
	assert_access(&policy, "/home/u/w/.claude/commands/other", true, false);
	assert_access(&policy, "/home/u/w/AGENTS.md", true, true);
	assert_access(&policy, "/home/u/w/.idea/x", true, false);
}

static void test_nothing_reopens_a_place_in_srt(void **state)
{
	static const char *const asked[] = { ".vscode",    ".git/hooks/pre-commit", ".claude/commands/mine", ".bashrc", ".git/hooks",
		                             ".git/config" };

	(void)state;
	for (size_t i = 0; i < COUNT(asked); i++) {
		struct policy policy = writable(asked[i], true);
		const char *path = arena_printf(&arena, "/home/u/w/%s", asked[i]);

		assert_access(&policy, arena_printf(&arena, "%s%s", path, i == 4 ? "/x" : ""), true, false);
	}
}

static void test_switches(void **state)
{
	struct policy policy = sample_default();

	(void)state;
	sample_add(&policy.filesystem.allow_write, ".");
	policy.filesystem.allow_git_config = true;
	sample_resolve(&policy);
	assert_access(&policy, "/home/u/w/.git/config", true, true);
	assert_access(&policy, "/home/u/w/.git/hooks/x", true, false);
	policy.filesystem.allow_agent_instructions = true;
	sample_resolve(&policy);
	assert_access(&policy, "/home/u/w/CLAUDE.md", true, true);
	policy.filesystem.mandatory = false;
	sample_resolve(&policy);
	assert_access(&policy, "/home/u/w/.git/hooks/x", true, true);
	assert_int_equal(policy.filesystem.deny_write.n, 0);
}

static void test_roots_with_glob_characters(void **state)
{
	struct policy policy = sample_default();

	(void)state;
	assert_int_equal(policy_add_rule(&arena, &policy.filesystem.allow_write, "/srv/[id]", true, "test"), 0);
	sample_resolve(&policy);
	assert_access(&policy, "/srv/[id]/.vscode/x", true, false);
	assert_access(&policy, "/srv/[id]/a/.git/hooks/x", true, false);
	assert_access(&policy, "/srv/[id]/a", true, true);
}

static void test_marks_of_derived_rules(void **state)
{
	struct policy policy = writable(".", false);
	const struct policy_filesystem *fs = &policy.filesystem;
	bool seen_pointer = false;

	(void)state;
	for (size_t i = 0; i < fs->deny_write.n; i++) {
		const struct policy_rule *rule = &fs->deny_write.at[i];

		assert_true(rule->derived && rule->optional && rule->place && rule->why);
		seen_pointer = seen_pointer || rule->not_directory;
		assert_true(!rule->not_directory || strstr(rule->glob, "/.git"));
		assert_true(!rule->existing || rule->glob);
	}
	assert_true(seen_pointer);
	for (size_t i = 0; i < fs->deny_read.n; i++)
		assert_true(fs->deny_read.at[i].existing || fs->deny_read.at[i].except || strcmp(fs->deny_read.at[i].path, "/") == 0);
	assert_false(fs->allow_write.at[0].optional); /* who wants to write there wants to know */
}

static void test_srt_start(void **state)
{
	struct policy policy;

	(void)state;
	assert_int_equal(policy_init_srt(&policy, &arena), 0);
	sample_resolve(&policy);
	assert_access(&policy, "/etc/shadow", true, false);
	assert_access(&policy, "/home/u/.ssh/id", true, false);
	assert_access(&policy, "/home/u/w/x", true, false);
	assert_access(&policy, "/tmp/claude/x", true, true);
	assert_access(&policy, "/home/u/.npm/_logs/x", true, true);
	assert_access(&policy, "/tmp/claude/repo/.git/config", true, true);
	sample_add(&policy.filesystem.deny_read, "~/.npm");
	sample_resolve(&policy);
	assert_access(&policy, "/home/u/.npm/_logs/x", false, false);
	sample_add(&policy.filesystem.allow_write, "/not/there");
	sample_resolve(&policy);
	assert_true(policy.filesystem.allow_write.at[0].optional);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_default),
		cmocka_unit_test(test_what_coffer_keeps_is_nobodys),
		cmocka_unit_test(test_without_a_home),
		cmocka_unit_test(test_wide_workspaces_are_not_opened_unasked),
		cmocka_unit_test(test_root_works_in_its_own_home),
		cmocka_unit_test(test_toolchain_gives_way_to_denials),
		cmocka_unit_test(test_credentials_can_be_asked_for),
		cmocka_unit_test(test_all_of_home_is_without_its_credentials),
		cmocka_unit_test(test_protected_places_of_the_working_tree),
		cmocka_unit_test(test_a_protected_place_is_known_from_inside_as_well),
		cmocka_unit_test(test_home_and_other_roots_are_anchors),
		cmocka_unit_test(test_asked_for_by_name),
		cmocka_unit_test(test_nothing_reopens_a_place_in_srt),
		cmocka_unit_test(test_switches),
		cmocka_unit_test(test_roots_with_glob_characters),
		cmocka_unit_test(test_marks_of_derived_rules),
		cmocka_unit_test(test_settings_are_not_written_under_themselves),
		cmocka_unit_test(test_srt_start),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

#include "engine/engine.h"

#include "sys/file.h"
#include "unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char top[64];
static struct arena arena;

static int make_top(void **state)
{
	(void)state;
	snprintf(top, sizeof(top), "/var/tmp/coffer-unit-XXXXXX");
	arena_init(&arena, 64 << 20);
	return mkdtemp(top) ? 0 : -1;
}

static int drop_top(void **state)
{
	(void)state;
	arena_done(&arena);
	return file_remove_tree(AT_FDCWD, top);
}

static const char *in(const char *name)
{
	return arena_printf(&arena, "%s/%s", top, name);
}

static void dir(const char *name)
{
	assert_int_equal(mkdir(in(name), 0755), 0);
}

static void file(const char *name)
{
	int fd = open(in(name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	close(fd);
}

static void link_to(const char *target, const char *name)
{
	assert_int_equal(symlink(target, in(name)), 0);
}

static struct survey ask(const struct survey_question *questions, size_t n)
{
	const struct question_vec vec = { .at = (struct survey_question *)(uintptr_t)questions, .n = n, .room = n };
	struct survey survey;
	struct err err = { 0 };

	assert_int_equal(engine_survey(&vec, &arena, &survey, &err), 0);
	return survey;
}

static const struct survey_entry *look(const char *path)
{
	struct survey survey = ask(&(struct survey_question){ .path = path }, 1);
	const struct survey_entry *entry = survey_find(&survey, path);

	assert_non_null(entry);
	assert_string_equal(entry->path, path);
	return entry;
}

static void what_is_there(void **state)
{
	struct stat st;

	(void)state;
	dir("d");
	file("d/f");
	link_to("d", "l");
	assert_int_equal(mkfifo(in("fifo"), 0600), 0);
	assert_int_equal(look(in("d"))->kind, SURVEY_DIR);
	assert_int_equal(look(in("fifo"))->kind, SURVEY_OTHER);
	assert_string_equal(look("/")->real, "/");

	const struct survey_entry *f = look(in("d/f"));

	assert_int_equal(stat(in("d/f"), &st), 0);
	assert_int_equal(f->kind, SURVEY_FILE);
	assert_int_equal(f->dev, st.st_dev);
	assert_int_equal(f->ino, st.st_ino);
	assert_int_equal(f->mode, st.st_mode);
	assert_int_equal(f->uid, st.st_uid);
	assert_string_equal(f->real, in("d/f"));
	assert_null(f->link);
}

static void links_are_followed(void **state)
{
	(void)state;
	assert_string_equal(look(in("l/f"))->real, in("d/f"));
	assert_null(look(in("l/f"))->link);
	assert_string_equal(look(in("l"))->real, in("d"));
	assert_string_equal(look(in("l"))->link, "d");
	assert_int_equal(look(in("l"))->kind, SURVEY_DIR);
}

static void what_is_not_there(void **state)
{
	(void)state;
	assert_int_equal(look(in("none"))->kind, SURVEY_ABSENT);
	assert_string_equal(look(in("none"))->real, in("none"));
	assert_string_equal(look(in("none/deep/er"))->real, in("none/deep/er"));
	assert_string_equal(look(in("l/none/x"))->real, in("d/none/x"));
	assert_int_equal(look(in("d/f/below"))->kind, SURVEY_ABSENT);
	assert_string_equal(look("/none-at-the-top")->real, "/none-at-the-top");
	assert_string_equal(look("/none-at-the-top/x")->real, "/none-at-the-top/x");
}

static void links_that_lead_nowhere(void **state)
{
	(void)state;
	link_to("d/missing", "dangling");
	link_to("../d/other/../missing", "d/up");
	link_to("dangling", "chain");
	link_to("~tilde", "tilde");
	assert_int_equal(look(in("dangling"))->kind, SURVEY_ABSENT);
	assert_string_equal(look(in("dangling"))->real, in("d/missing"));
	assert_string_equal(look(in("dangling"))->link, "d/missing");
	assert_string_equal(look(in("dangling/x/y"))->real, in("d/missing/x/y"));
	assert_string_equal(look(in("chain"))->real, in("d/missing"));
	assert_string_equal(look(in("tilde"))->real, in("~tilde"));
	assert_string_equal(look(in("l/up"))->real, in("d/missing"));
}

static void odd_ones_break_nothing(void **state)
{
	char name[300];

	(void)state;
	link_to("loop2", "loop1");
	link_to("loop1", "loop2");
	assert_int_equal(look(in("loop1"))->kind, SURVEY_UNREADABLE);
	assert_string_equal(look(in("loop1"))->real, in("loop1"));
	assert_int_equal(look(in("loop1/x"))->kind, SURVEY_UNREADABLE);
	assert_int_equal(look("/proc/self/exe")->kind, SURVEY_UNREADABLE);
	dir("a\nb \xff\x1b");
	assert_int_equal(look(in("a\nb \xff\x1b"))->kind, SURVEY_DIR);
	assert_string_equal(look(in("a\nb \xff\x1b/x"))->real, in("a\nb \xff\x1b/x"));
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(look(in(name))->kind, SURVEY_UNREADABLE);
	if (geteuid() != 0) {
		dir("shut");
		assert_int_equal(chmod(in("shut"), 0), 0);
		assert_int_equal(look(in("shut"))->kind, SURVEY_DIR);
		assert_int_equal(look(in("shut/x"))->kind, SURVEY_UNREADABLE);
	}
}

static bool has_match(const struct match_vec *matches, const char *glob, const char *path)
{
	for (size_t i = 0; i < matches->n; i++)
		if (strcmp(matches->at[i].glob, glob) == 0 && strcmp(matches->at[i].path, path) == 0)
			return true;
	return false;
}

static void globs_are_walked(void **state)
{
	(void)state;
	dir("w");
	dir("w/.git");
	dir("w/.git/hooks");
	dir("w/sub");
	dir("w/sub/.git");
	dir("w/sub/deep");
	dir("w/sub/deep/.git");
	file("w/.env");
	file("w/sub/.env");
	link_to("../d", "w/sub/out");
	link_to(".", "w/self");
	file("w/new\nline.env");

	const char *git = in("w/**/.git"), *env = in("w/*.env"), *all_env = in("w/**/.env");
	const struct survey_question questions[] = {
		{ .path = in("w"), .glob = git, .depth_max = 2 },
		{ .path = in("w"), .glob = env },
		{ .path = in("w"), .glob = all_env },
		{ .path = in("gone"), .glob = in("gone/**/x") },
	};
	struct survey survey = ask(questions, 4);

	assert_false(survey.incomplete);
	assert_true(has_match(&survey.matches, git, in("w/.git")));
	assert_true(has_match(&survey.matches, git, in("w/sub/.git")));
	assert_false(has_match(&survey.matches, git, in("w/sub/deep/.git"))); /* depth 3 */
	assert_true(has_match(&survey.matches, env, in("w/new\nline.env")));
	assert_true(has_match(&survey.matches, env, in("w/.env")));
	assert_false(has_match(&survey.matches, env, in("w/sub/.env")));
	assert_true(has_match(&survey.matches, all_env, in("w/sub/.env")));
	assert_false(has_match(&survey.matches, all_env, in("w/self/.env")));
	assert_int_equal(survey.matches.n, 6);
	for (size_t i = 0; i < survey.matches.n; i++)
		assert_non_null(survey_find(&survey, survey.matches.at[i].path));
}

static void a_top_that_is_a_link(void **state)
{
	(void)state;
	link_to("w", "wl");

	const char *glob = in("wl/**/.env");
	struct survey survey = ask(&(struct survey_question){ .path = in("wl"), .glob = glob }, 1);

	assert_int_equal(survey.matches.n, 2);
	assert_true(has_match(&survey.matches, glob, in("wl/sub/.env")));
	assert_string_equal(survey_find(&survey, in("wl/sub/.env"))->real, in("w/sub/.env"));
}

static void listings(void **state)
{
	const char *path = in("w/sub");
	struct survey survey = ask((struct survey_question[]){ { .path = path, .list = true }, { .path = in("d/f"), .list = true } }, 2);

	(void)state;
	assert_int_equal(survey.listings.n, 4);
	assert_true(has_match(&survey.listings, path, in("w/sub/out")));
	assert_string_equal(survey_find(&survey, in("w/sub/out"))->link, "../d");
}

static void walks_have_a_ceiling(void **state)
{
	enum { DIRS = 20, FILES = 11000 };

	(void)state;
	dir("big");
	for (int i = 0; i < DIRS; i++) {
		const char *name = arena_printf(&arena, "big/%d", i);

		dir(name);

		int fd = open(in(name), O_PATH | O_DIRECTORY | O_CLOEXEC);

		for (int j = 0; j < FILES; j++) {
			char path[32];

			snprintf(path, sizeof(path), "%d", j);
			close(openat(fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
		}
		close(fd);
	}

	struct survey survey = ask(&(struct survey_question){ .path = in("big"), .glob = in("big/**/none") }, 1);

	assert_true(survey.incomplete);
	assert_non_null(strstr(survey.incomplete_at, "/big/"));
	/* Not read at all: nothing below can match. */
	survey = ask(&(struct survey_question){ .path = in("big"), .glob = in("big/x*/none") }, 1);
	assert_false(survey.incomplete);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_there),          cmocka_unit_test(links_are_followed),
		cmocka_unit_test(what_is_not_there),      cmocka_unit_test(links_that_lead_nowhere),
		cmocka_unit_test(odd_ones_break_nothing), cmocka_unit_test(globs_are_walked),
		cmocka_unit_test(a_top_that_is_a_link),   cmocka_unit_test(listings),
		cmocka_unit_test(walks_have_a_ceiling),
	};

	return cmocka_run_group_tests(tests, make_top, drop_top);
}

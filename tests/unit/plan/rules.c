#include "plan/rules.h"

#include "unit/unit.h"

#include "plan/build.h"

/* A plan is only where the lists live. */
static struct plan_op op;
static struct plan plan;
static char bytes[4096];

static struct rules with(const char *const *regions, const char *const *patterns)
{
	const char *const *lists[] = { regions, patterns };
	size_t at = 0;

	for (unsigned i = 0; i < 2; i++) {
		size_t start = at;

		for (const char *const *s = lists[i]; *s; s++) {
			memcpy(bytes + at, *s, strlen(*s) + 1);
			at += strlen(*s) + 1;
		}
		op.arg[2 + i] = (uint64_t)start << 32 | (at - start);
	}
	plan = (struct plan){ .op = &op, .bytes = bytes };
	return (struct rules){ &plan, &op };
}

static void the_longest_region_decides(void **state)
{
	const char *const regions[] = { "r/", "w/home/u/ws", "r/home/u/ws/.git", "h/root", NULL }, *const none[] = { NULL };
	struct rules rules = with(regions, none);
	uint32_t rule;

	(void)state;
	assert_int_equal(rules_region(&rules, "/etc/passwd", &rule), 'r');
	assert_int_equal(rule, 1);
	assert_int_equal(rules_region(&rules, "/home/u/ws", &rule), 'w');
	assert_int_equal(rules_region(&rules, "/home/u/ws/.gitx", &rule), 'w');
	assert_int_equal(rule, 2);
	assert_int_equal(rules_region(&rules, "/home/u/ws/.git/config", &rule), 'r');
	assert_int_equal(rule, 3);
	assert_int_equal(rules_region(&rules, "/root/x", &rule), 'h');
	assert_int_equal(rule, 4);
	rules = with(none, none);
	assert_int_equal(rules_region(&rules, "/x", &rule), 'w');
	assert_int_equal(rule, 0);
}

static void names_by_the_last_that_fits(void **state)
{
	const char *const regions[] = { "w/", NULL }, *const patterns[] = { "w/ws/**/.env", "+/ws/free",  "w/ws/free/no",
		                                                            "d/ws/.git",    "r/ws/*.pem", NULL };
	struct rules rules = with(regions, patterns);

	(void)state;
	assert_int_equal(rules_name(&rules, "/ws/.env", false), 2);
	assert_int_equal(rules_name(&rules, "/ws/a/b/.env/below", true), 2);
	assert_int_equal(rules_name(&rules, "/ws/free/.env", false), 0);
	assert_int_equal(rules_name(&rules, "/ws/free/no/x", false), 4);
	assert_int_equal(rules_name(&rules, "/ws/.git", false), 5);
	assert_int_equal(rules_name(&rules, "/ws/.git", true), 0);
	assert_int_equal(rules_name(&rules, "/ws/.git/x", false), 0);
	assert_int_equal(rules_name(&rules, "/ws/a.pem", false), 0);
	assert_int_equal(rules_read(&rules, "/ws/a.pem"), 6);
	assert_int_equal(rules_read(&rules, "/ws/a.pem/x"), 6);
	assert_int_equal(rules_read(&rules, "/ws/a.pem (deleted)"), 6);
	assert_int_equal(rules_read(&rules, "/ws/a.pem (deleted)x"), 0);
	assert_int_equal(rules_read(&rules, " (deleted)"), 0);
	assert_int_equal(rules_read(&rules, "/ws/.env"), 0);
}

static void moves_by_what_they_carry(void **state)
{
	static const struct {
		const char *from, *to;
		uint32_t rule;
	} moves[] = {
		{ "/ws/d", "/ws/.git", 1 }, /* d/hooks would be .git/hooks */
		{ "/ws/d", "/ws/sub/.git", 1 },
		{ "/ws/.git", "/ws/sub/.git", 0 }, /* nothing new can match below */
		{ "/ws/a", "/ws/b", 0 },
		{ "/ws/a/b", "/ws/a/c", 0 },
		{ "/out/a", "/ws/a", 1 }, /* what has .git/hooks in it comes below /ws */
		{ "/ws/a", "/out/a", 0 },
		{ "/home/u/x", "/home/u/.config", 2 },
		{ "/home/u/x", "/home/u/.config/autostart", 2 },
		{ "/home/u/.config", "/home/u/x", 0 },
		{ "/home/u/x", "/home/u/y", 0 },
		{ "/ws/free/d", "/ws/free/.git", 0 }, /* excepted */
		{ "/keys/a", "/keys/b", 0 },
		{ "/keys", "/elsewhere", 4 }, /* keys/x/y.pem would have another name */
		{ "/elsewhere", "/keys", 0 },
		{ NULL, "/ws/.git", 1 },
		{ NULL, "/ws/b", 0 },
		{ NULL, "/home/u/.config", 2 },
		{ NULL, "/home", 2 },
		{ NULL, "/ws/free/.git", 0 },
	};
	const char *const none[] = { NULL };
	const char *const patterns[] = { "w/ws/**/.git/hooks", "w/home/u/.config/autostart/*.desktop", "+/ws/free", "r/keys/*/*.pem",
		                         NULL };
	struct rules rules = with(none, patterns);

	(void)state;
	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++)
		if (rules_carry(&rules, moves[i].from, moves[i].to) != moves[i].rule)
			fail_msg("%s to %s: %u", moves[i].from ? moves[i].from : "(link)", moves[i].to,
			         rules_carry(&rules, moves[i].from, moves[i].to));
}

/* git may have its HEAD in .git, and nowhere else; a submodule's directory may not be another one under a new name. */
static void nothing_leaves_an_exception(void **state)
{
	static const struct {
		const char *from, *to;
		uint32_t rule;
	} moves[] = {
		{ "/ws/a/.git", "/ws/b", 2 },          { "/ws/a/.git/worktrees/x", "/ws/b", 2 },
		{ "/ws/a/.git/x", "/ws/a/.git/y", 0 }, { "/ws/a", "/ws/b", 0 },
		{ "/ws/a", "/ws/.git/a", 0 },          { NULL, "/ws/a", 0 },
		{ NULL, "/ws/.git/modules", 3 },       { NULL, "/ws/.git/modules/a", 3 },
		{ NULL, "/ws/.git/modules/a/b", 3 },   { NULL, "/ws/.git/a", 0 },
	};
	const char *const none[] = { NULL };
	const char *const patterns[] = { "w/ws/**/HEAD", "+/ws/**/.git/**/HEAD", "w/ws/**/.git/modules/**/hooks/*", NULL };
	struct rules rules = with(none, patterns);

	(void)state;
	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++)
		if (rules_carry(&rules, moves[i].from, moves[i].to) != moves[i].rule)
			fail_msg("%s to %s: %u", moves[i].from ? moves[i].from : "(link)", moves[i].to,
			         rules_carry(&rules, moves[i].from, moves[i].to));
	assert_int_equal(rules_name(&rules, "/ws/src/HEAD", false), 1);
	assert_int_equal(rules_name(&rules, "/ws/src/.git/HEAD", false), 0);
	assert_int_equal(rules_name(&rules, "/ws/.git/modules/a/HEAD", false), 0);
}

static void sockets_are_listed_apart(void **state)
{
	const char *const regions[] = { "r/", "p/tmp", "r/tmp/shared", "w/ws", NULL };
	const char *const patterns[] = { "w/ws/**/.git/hooks", "s/run/docker.sock", "s/run/user/*/bus", "i/ws/dev.sock", NULL };
	struct rules rules = with(regions, patterns);
	uint32_t rule;

	(void)state;
	assert_true(rules_socket(&rules, "/run/docker.sock") && rules_socket(&rules, "/run/user/7/bus"));
	assert_false(rules_socket(&rules, "/run/docker.sock2") || rules_socket(&rules, "/run") || rules_socket(&rules, "/ws/dev.sock"));
	assert_true(rules_private(&rules, "/tmp/a"));
	assert_false(rules_private(&rules, "/tmp/shared/a") || rules_private(&rules, "/ws/a") || rules_private(&rules, ""));
	assert_int_equal(rules_region(&rules, "/tmp/a", &rule), 'w');
	assert_int_equal(rules_name(&rules, "/run/docker.sock", false), 0);
	assert_int_equal(rules_carry(&rules, "/a", "/run"), 0);
	assert_int_equal(rules_carry(&rules, NULL, "/ws/dev.sock"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_region_decides), cmocka_unit_test(names_by_the_last_that_fits),
		cmocka_unit_test(moves_by_what_they_carry),   cmocka_unit_test(nothing_leaves_an_exception),
		cmocka_unit_test(sockets_are_listed_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

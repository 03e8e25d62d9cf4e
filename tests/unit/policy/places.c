#include "policy/places.h"

#include "unit/policy/sample.h"

static bool has(enum place_class class, const char *path)
{
	for (const struct place *place = place_next(NULL); place; place = place_next(place))
		if (place->class == class && strcmp(place->path, path) == 0)
			return true;
	return false;
}

static void test_every_line_is_well_formed(void **state)
{
	(void)state;
	for (const struct place *place = place_next(NULL); place; place = place_next(place)) {
		assert_true(place->anchor == PLACE_COFFER ? !place->path[0] : place->path[0] != '\0'); /* the anchor is the place */
		assert_true(place->path[0] != '/' && (!place->path[0] || place->path[strlen(place->path) - 1] != '/'));
		assert_null(strstr(place->path, "//"));
		assert_null(strstr(place->path, ".."));
		assert_true(place->reason[0]);
		/* what place_next's users rely on: the other reaches are made for these anchors */
		assert_true(place->reach == PLACE_AT || place->anchor == PLACE_EVERY || place->anchor == PLACE_WORKSPACE);
		assert_true(place->class == PLACE_TOOLCHAIN || place->class == PLACE_CREDENTIAL || place->class == PLACE_SHOWN ||
		            place->class == PLACE_SRT_WRITABLE || place->anchor != PLACE_WORKSPACE);
	}
}

static void test_no_line_twice(void **state)
{
	(void)state;
	for (const struct place *a = place_next(NULL); a; a = place_next(a))
		for (const struct place *b = place_next(a); b; b = place_next(b))
			if (a->class == b->class && a->anchor == b->anchor && strcmp(a->path, b->path) == 0)
				fail_msg("%s stands twice", a->path);
}

static void test_classes_have_names(void **state)
{
	(void)state;
	for (int class = 0; class < PLACE_CLASSES_END; class ++) {
		assert_non_null(place_class_name(class));
		assert_memory_equal(place_why(class), "default", 7);
	}
}

/* The places that the product's page and srt's list name. */
static void test_promised_places_are_there(void **state)
{
	static const char *const credentials[] = { ".ssh",
		                                   ".aws",
		                                   ".azure",
		                                   ".gnupg",
		                                   ".kube",
		                                   ".docker",
		                                   ".netrc",
		                                   ".git-credentials",
		                                   ".npmrc",
		                                   ".pypirc",
		                                   ".vault-token",
		                                   ".mozilla",
		                                   ".config/gcloud",
		                                   ".config/gh",
		                                   ".terraform.d",
		                                   ".password-store",
		                                   ".env",
		                                   ".env.*",
		                                   ".claude/.credentials.json",
		                                   ".codex/auth.json" };
	static const char *const protected[] = { ".gitconfig",
		                                 ".gitmodules",
		                                 ".bashrc",
		                                 ".bash_profile",
		                                 ".zshrc",
		                                 ".zprofile",
		                                 ".profile",
		                                 ".ripgreprc",
		                                 ".mcp.json",
		                                 ".vscode",
		                                 ".idea",
		                                 ".claude/commands",
		                                 ".claude/agents",
		                                 ".git/hooks/*",
		                                 ".husky",
		                                 ".git/commondir",
		                                 ".git/config.worktree",
		                                 ".git",
		                                 ".devcontainer",
		                                 ".cursor" };

	(void)state;
	for (size_t i = 0; i < COUNT(credentials); i++)
		assert_true(has(PLACE_CREDENTIAL, credentials[i]));
	for (size_t i = 0; i < COUNT(protected); i++)
		assert_true(has(PLACE_PROTECTED, protected[i]));
	assert_true(has(PLACE_GIT_CONFIG, ".git/config"));
	assert_true(has(PLACE_INSTRUCTION, "AGENT*.md"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_line_is_well_formed),
		cmocka_unit_test(test_no_line_twice),
		cmocka_unit_test(test_classes_have_names),
		cmocka_unit_test(test_promised_places_are_there),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

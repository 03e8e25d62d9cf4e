#include "plan/survey.h"

#include "unit/unit.h"

static struct arena arena;

static void add(struct survey *s, const char *path)
{
	*survey_vec_add(&s->entries, &arena) = (struct survey_entry){ .path = path, .real = path };
}

static void add_match(struct match_vec *v, const char *glob, const char *path)
{
	*match_vec_add(v, &arena) = (struct survey_match){ glob, path };
}

static void test_sorted_once_and_found(void **state)
{
	struct survey s = { 0 };
	static const char *const paths[] = { "/b", "/a/b", "/", "/a", "/b", "/a", "/aa", "/a-b", "/a" };

	(void)state;
	arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		add(&s, paths[i]);
	survey_finish(&s);
	assert_int_equal(s.entries.n, 6);
	for (size_t i = 1; i < s.entries.n; i++)
		assert_true(strcmp(s.entries.at[i - 1].path, s.entries.at[i].path) < 0);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_string_equal(survey_find(&s, paths[i])->path, paths[i]);
	assert_null(survey_find(&s, "/c"));
	assert_null(survey_find(&s, ""));
	assert_null(survey_find(&s, "/a/b/c"));
	arena_done(&arena);
}

static void test_matches(void **state)
{
	struct survey s = { 0 };

	(void)state;
	arena_init(&arena, 1 << 20);
	add_match(&s.matches, "/z", "/1");
	add_match(&s.matches, "/a", "/2");
	add_match(&s.matches, "/a", "/1");
	add_match(&s.matches, "/z", "/1");
	add_match(&s.listings, "/d", "/d/x");
	add_match(&s.listings, "/d", "/d/x");
	survey_finish(&s);
	assert_int_equal(s.matches.n, 3);
	assert_string_equal(s.matches.at[0].path, "/1");
	assert_string_equal(s.matches.at[1].path, "/2");
	assert_string_equal(s.matches.at[2].glob, "/z");
	assert_int_equal(s.listings.n, 1);
	arena_done(&arena);
}

static void test_empty(void **state)
{
	struct survey s = { 0 };

	(void)state;
	survey_finish(&s);
	assert_null(survey_find(&s, "/"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sorted_once_and_found),
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

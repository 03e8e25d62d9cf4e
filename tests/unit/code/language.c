#include "code/language.h"

#include "unit/unit.h"

static const char *name_of(const struct code_language *language)
{
	static char name[CODE_NAME_MAX];
	return language && code_word(language->names, 0, name) ? name : "none";
}

static void test_names_and_aliases(void **state)
{
	static const char *const names[][2] = {
		{ "python", "python" },   { "python3", "python" }, { "py", "python" },     { "PY", "python" }, { "shell", "bash" },
		{ "node", "javascript" }, { "js", "javascript" },  { "ts", "typescript" }, { "R", "r" },       { "c++", "c++" },
		{ "golang", "go" },       { "rs", "rust" },        { "zsh", "zsh" },       { "", "none" },     { "cobol", "none" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_string_equal(name_of(code_language_named(names[i][0])), names[i][1]);
}

/* No word means two languages, each can be run, and what runs it can be installed. */
static void test_table(void **state)
{
	char word[CODE_NAME_MAX], again[CODE_NAME_MAX];
	const struct code_language *language;
	(void)state;
	for (size_t i = 0; (language = code_language_at(i)); i++) {
		assert_true(*language->packages && *language->image && *language->suffixes);
		assert_non_null(code_way_at(language, 0));
		for (size_t j = 0; code_word(language->names, j, word); j++) {
			assert_ptr_equal(code_language_named(word), language);
			for (size_t k = 0; k < j && code_word(language->names, k, again); k++)
				assert_string_not_equal(word, again);
		}
		const struct code_way *way;
		for (size_t j = 0; (way = code_way_at(language, j)); j++)
			assert_true(!way->build != !way->command);
	}
	assert_int_equal(code_language_at(0) == NULL, 0);
}

static void test_by_suffix(void **state)
{
	static const char *const files[][2] = {
		{ "a.py", "python" },     { "x/y.mjs", "javascript" },
		{ "a.ts", "typescript" }, { "a.sh", "sh" },
		{ "a.bash", "bash" },     { "a.R", "r" },
		{ "a.r", "r" },           { "a.cc", "c++" },
		{ "a.c", "c" },           { "a.txt", "none" },
		{ "py", "none" },         { "dir.py/file", "none" },
		{ "a.", "none" },         { ".py", "python" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		assert_string_equal(name_of(code_language_of(files[i][0], "", 0)), files[i][1]);
}

static void test_by_first_line(void **state)
{
	static const char *const lines[][2] = {
		{ "#!/bin/sh\n", "sh" },
		{ "#!/bin/bash -eu\n", "bash" },
		{ "#!/usr/bin/env python3\nx", "python" },
		{ "#!/usr/bin/env -S node --no-warnings\n", "javascript" },
		{ "#! /usr/bin/env A=1 perl", "perl" },
		{ "#!/usr/bin/python3.11\r\n", "python" },
		{ "#!/usr/bin/lua5.4\n", "lua" },
		{ "#!/usr/bin/env tsx\n", "typescript" },
		{ "#!\n", "none" },
		{ "#!/\n", "none" },
		{ "#!/usr/bin/env\n", "none" },
		{ " #!/bin/sh\n", "none" },
		{ "#!/opt/unknown\n", "none" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_string_equal(name_of(code_language_of(NULL, lines[i][0], strlen(lines[i][0]))), lines[i][1]);
	/* It says more than a suffix. */
	assert_string_equal(name_of(code_language_of("a.sh", "#!/bin/zsh\n", 11)), "zsh");
	assert_string_equal(name_of(code_language_of("a.sh", "#!/opt/unknown\n", 15)), "sh");
}

static void test_nearest(void **state)
{
	char word[CODE_NAME_MAX];
	(void)state;
	assert_string_equal(code_language_nearest("ptyhon", word), "python");
	assert_string_equal(code_language_nearest("javascrpit", word), "javascript");
	assert_null(code_language_nearest("fortran77", word));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_and_aliases), cmocka_unit_test(test_table),   cmocka_unit_test(test_by_suffix),
		cmocka_unit_test(test_by_first_line),     cmocka_unit_test(test_nearest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "code/command.h"

#include "code/support.h"

#include "unit/unit.h"

#include <stdio.h>

/* A machine with some programs, each in /p. */
static const char *find(void *context, const char *name)
{
	static char paths[8][64];
	static int next;
	const char *there = context;
	size_t n = strlen(name);
	for (const char *at = there; (at = strstr(at, name)); at += n)
		if ((at == there || at[-1] == ' ') && (at[n] == ' ' || !at[n])) {
			next = (next + 1) % 8;
			snprintf(paths[next], sizeof(paths[next]), "/p/%s", name);
			return paths[next];
		}
	return NULL;
}

struct made {
	struct arena arena;
	struct err err;
	const char *const *argv;
	const char *support;
	int r;
};

static struct made *make(const char *language, const char *name, const char *const *arguments, const char *there)
{
	static struct made made;
	const struct code_programs programs = { find, (void *)(uintptr_t)there };
	const struct code_language *found = code_language_named(language);
	arena_done(&made.arena);
	made = (struct made){ .argv = NULL };
	arena_init(&made.arena, 1 << 20);
	struct code_command command = { NULL, NULL };
	const char *source = arena_printf(&made.arena, "/dev/code/%s", code_file_name(found, name, &made.arena));
	const struct code_snippet snippet = { found, source, arguments, false };
	made.r = code_command(&snippet, &programs, &made.arena, &command, &made.err);
	made.argv = command.argv;
	made.support = command.support;
	return &made;
}

static void test_interpreted(void **state)
{
	static const char *const arguments[] = { "a b", "$(x)", "", NULL };
	const struct made *made = make("python", "hello.py", arguments, "python python3");
	(void)state;
	assert_int_equal(made->r, 0);
	assert_string_equal(made->argv[0], "/p/python3");
	assert_string_equal(made->argv[1], "/dev/code/hello.py");
	assert_ptr_equal(made->argv[2], arguments[0]);
	assert_ptr_equal(made->argv[3], arguments[1]);
	assert_ptr_equal(made->argv[4], arguments[2]);
	assert_null(made->argv[5]);
}

static void test_the_next_way(void **state)
{
	(void)state;
	assert_string_equal(make("lua", NULL, NULL, "lua5.4 luajit")->argv[0], "/p/lua5.4");
	assert_string_equal(make("ts", NULL, NULL, "bun")->argv[1], "run");
	assert_string_equal(make("ts", NULL, NULL, "bun node tsc")->argv[1], "/dev/code/.typescript.js");
}

static void test_built(void **state)
{
	static const char *const arguments[] = { "'; rm -rf /; '", NULL };
	const struct made *made = make("c", "x.c", arguments, "gcc sh");
	(void)state;
	assert_int_equal(made->r, 0);
	assert_string_equal(made->argv[0], "/p/sh");
	assert_string_equal(made->argv[1], "-c");
	assert_string_equal(made->argv[2],
	                    "out=$(mktemp -d) && /p/gcc -O1 -pthread -o \"$out/main\" /dev/code/x.c -lm && exec \"$out/main\" \"$@\"");
	assert_string_equal(made->argv[3], "/dev/code/x.c");
	assert_ptr_equal(made->argv[4], arguments[0]);
	assert_null(made->argv[5]);
	assert_int_equal(make("c", "x.c", NULL, "gcc")->r, -ENOENT); /* no shell */
}

static void test_with_a_program_of_ours_beside_it(void **state)
{
	const struct made *made = make("ts", "x.ts", NULL, "node esbuild");
	(void)state;
	assert_string_equal(made->argv[0], "/p/node");
	assert_string_equal(made->argv[1], "/dev/code/.typescript.js");
	assert_string_equal(made->argv[2], "/p/esbuild");
	assert_string_equal(made->argv[3], "/dev/code/x.ts");
	assert_string_equal(made->support, "typescript.js");
	assert_non_null(code_support_named(made->support));
	assert_null(make("js", NULL, NULL, "node")->support);
	assert_null(code_support_named("nothing"));
}

static void test_results(void **state)
{
	static struct arena arena;
	const struct code_programs programs = { find, (void *)(uintptr_t) "python3 ruby" };
	struct code_snippet snippet = { code_language_named("py"), "/w/x.py", NULL, true };
	struct code_command command = { NULL, NULL };
	struct err err = { 0 };
	(void)state;
	arena_init(&arena, 1 << 16);
	assert_int_equal(code_command(&snippet, &programs, &arena, &command, &err), 0);
	assert_string_equal(command.argv[1], "/dev/code/.python.py");
	assert_string_equal(command.argv[2], "5");
	assert_string_equal(command.argv[3], "/w/x.py");
	assert_non_null(code_support_named(command.support));
	snippet.language = code_language_named("ruby");
	assert_int_equal(code_command(&snippet, &programs, &arena, &command, &err), -EINVAL);
	arena_done(&arena);
}

static void test_a_path_is_one_word(void **state)
{
	static struct arena arena;
	const struct code_programs programs = { find, (void *)(uintptr_t) "gcc sh" };
	const struct code_snippet snippet = { code_language_named("c"), "/w/'; touch x; '.c", NULL, false };
	struct code_command command = { NULL, NULL };
	(void)state;
	arena_init(&arena, 1 << 16);
	assert_int_equal(code_command(&snippet, &programs, &arena, &command, NULL), 0);
	assert_non_null(strstr(command.argv[2], " '/w/'\\''; touch x; '\\''.c' -lm && "));
	arena_done(&arena);
}

static void test_missing(void **state)
{
	const struct made *made = make("ruby", NULL, NULL, "python3");
	(void)state;
	assert_int_equal(made->r, -ENOENT);
	assert_int_equal(made->err.code, ERR_NOTFOUND);
	assert_non_null(strstr(made->err.text, "apt-get install ruby"));
	assert_non_null(strstr(made->err.text, "ruby:3.3-alpine"));
	assert_int_equal(make("java", NULL, NULL, "java")->r, -ENOENT); /* both are needed */
}

static void test_names(void **state)
{
	static const char *const odd[] = {
		"a b.py", "$(id).py", "../x.py", "-x.py", ".x.py", "a\nb.py", "'.py", "", "caf\303\251.py", "x"
	};
	struct arena arena;
	(void)state;
	arena_init(&arena, 1 << 16);
	const struct code_language *python = code_language_named("python");
	assert_string_equal(code_file_name(python, "my-file_1.py", &arena), "my-file_1.py");
	assert_string_equal(code_file_name(python, "data.txt", &arena), "data.txt");
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		assert_string_equal(code_file_name(python, odd[i], &arena), "main.py");
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interpreted),
		cmocka_unit_test(test_the_next_way),
		cmocka_unit_test(test_built),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_with_a_program_of_ours_beside_it),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_a_path_is_one_word),
		cmocka_unit_test(test_results),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

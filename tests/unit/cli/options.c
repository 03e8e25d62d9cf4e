#include "cli/options.h"

#include "cli/command.h"
#include "unit/unit.h"

#include <fcntl.h>
#include <unistd.h>

static struct arena arena;
static struct options options;
static int errors = -1;

/* What is wrong is said on standard error: these tests look at the verdict alone. */
static int set_up(void **state)
{
	int null = open("/dev/null", O_WRONLY);

	(void)state;
	arena_init(&arena, 1 << 20);
	memset(&options, 0, sizeof(options));
	errors = dup(STDERR_FILENO);
	dup2(null, STDERR_FILENO);
	close(null);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	dup2(errors, STDERR_FILENO);
	close(errors);
	arena_done(&arena);
	return 0;
}

static int parse(const char *command, const char *const *argv)
{
	int words;

	return options_parse(command_find(command, NULL, &words), argv, &arena, &options);
}

#define PARSE(command, ...) parse(command, (const char *const[]){ __VA_ARGS__, NULL })

static void expect_setting(size_t index, const char *pointer, const char *value, const char *why)
{
	assert_true(index < options.settings.n);
	assert_string_equal(options.settings.at[index].setting->pointer, pointer);
	assert_string_equal(options.settings.at[index].value, value);
	assert_string_equal(options.settings.at[index].why, why);
}

static void test_command_ends_the_options(void **state)
{
	(void)state;
	assert_int_equal(PARSE("run", "-q", "sh", "-c", "x", "--memory", "1"), 0);
	assert_true(options.given[OPTION_QUIET]);
	assert_int_equal(options.words.n, 5);
	assert_string_equal(options.argv[0], "sh");
	assert_string_equal(options.argv[3], "--memory");
	assert_null(options.argv[5]);
	assert_int_equal(options.settings.n, 0);
}

static void test_two_dashes(void **state)
{
	(void)state;
	assert_int_equal(PARSE("run", "--", "--help"), 0);
	assert_string_equal(options.argv[0], "--help");
	assert_false(options.given[OPTION_HELP]);
	assert_int_equal(PARSE("run", "--", "--", "x"), 0);
	assert_string_equal(options.argv[0], "--");
}

static void test_settings_in_order(void **state)
{
	(void)state;
	assert_int_equal(PARSE("run", "--memory", "1G", "--memory=2G", "--write", ".", "--strict", "--no-protected-places", "x"), 0);
	assert_int_equal(options.settings.n, 5);
	expect_setting(0, "/limits/memory", "1G", "--memory");
	expect_setting(1, "/limits/memory", "2G", "--memory");
	expect_setting(2, "/filesystem/allowWrite", ".", "--write");
	expect_setting(3, "/strict", "true", "--strict");
	expect_setting(4, "/filesystem/protectedPlaces", "false", "--no-protected-places");
}

static void test_letters(void **state)
{
	(void)state;
	assert_int_equal(PARSE("run", "-qv", "-sone.json", "-s", "two.json", "x"), 0);
	assert_true(options.given[OPTION_QUIET] && options.given[OPTION_VERBOSE]);
	assert_int_equal(options.files.n, 2);
	assert_string_equal(options.files.at[0], "one.json");
	assert_string_equal(options.files.at[1], "two.json");
}

static void test_mistakes(void **state)
{
	(void)state;
	assert_int_equal(PARSE("run", "--memroy", "1G", "x"), -EINVAL);
	assert_int_equal(PARSE("run", "-Q", "x"), -EINVAL);
	assert_int_equal(PARSE("run", "--memory"), -EINVAL);
	assert_int_equal(PARSE("run", "--quiet=yes", "x"), -EINVAL);
	assert_int_equal(PARSE("run", "--no-memory", "x"), -EINVAL);
	assert_int_equal(PARSE("run", "--no-strict=true", "x"), -EINVAL);
	assert_int_equal(PARSE("gc", "--memory", "1G"), -EINVAL);
	assert_int_equal(PARSE("run", "--"), 0);
	assert_int_equal(options.words.n, 0);
}

static void test_words_of_other_commands_may_stand_anywhere(void **state)
{
	(void)state;
	assert_int_equal(PARSE("why", "7f3a", "--json"), 0);
	assert_true(options.given[OPTION_JSON]);
	assert_string_equal(options.argv[0], "7f3a");
}

static void test_same_name_means_another_thing(void **state)
{
	(void)state;
	assert_int_equal(PARSE("run", "--json", "3", "x"), 0);
	assert_string_equal(options.value[OPTION_OUTCOME], "3");
	assert_int_equal(PARSE("explain", "--json", "x"), 0);
	assert_true(options.given[OPTION_JSON]);
	assert_string_equal(options.argv[0], "x");
}

static void test_a_dash_alone_is_a_word(void **state)
{
	(void)state;
	assert_int_equal(PARSE("run", "-", "x"), 0);
	assert_string_equal(options.argv[0], "-");
}

/* No option of the command line hides a setting's, where both can stand. */
static void test_tables_do_not_overlap(void **state)
{
	const unsigned take_settings = ON_RUN | ON_EXPLAIN | ON_SESSION_CREATE;
	const struct coffer_setting *setting = NULL;

	(void)state;
	for (size_t i = 0; (setting = coffer_setting_at(i)); i++)
		for (size_t j = 0; j < OPTIONS_END; j++) {
			if (!(option_table[j].commands & take_settings))
				continue;
			if (setting->option)
				assert_string_not_equal(setting->option, option_table[j].name);
			if (setting->alias)
				assert_string_not_equal(setting->alias, option_table[j].name);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_command_ends_the_options, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_two_dashes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_settings_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_letters, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_mistakes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_words_of_other_commands_may_stand_anywhere, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_same_name_means_another_thing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_dash_alone_is_a_word, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tables_do_not_overlap, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("cli/options", tests, NULL, NULL);
}

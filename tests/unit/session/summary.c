#include "session/summary.h"

#include "unit/unit.h"

static struct arena arena;

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, 16 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static void add_word(struct summary *summary, const char *word)
{
	*text_vec_add(&summary->command, &arena) = word;
}

static struct summary sample(void)
{
	struct summary summary = { .run_id = "0123456789ab", .cwd = "/w\033[31m", .ended_s = 1700000000 };
	struct denial *denial = denial_vec_add(&summary.outcome.denials, &arena);

	add_word(&summary, "sh");
	add_word(&summary, "two\nlines");
	summary.outcome.exit_code = 3;
	summary.outcome.duration_ms = 12;
	summary.outcome.stderr_truncated = true;
	summary.outcome.denials_ignored = 5;
	*denial = (struct denial){ .pid = 7,
		                   .process = "evil\033]0;x\a",
		                   .operation = "open",
		                   .target = "/a \"b\"\n",
		                   .errnum = EROFS,
		                   .rule = "settings.json /filesystem/allowWrite",
		                   .remedy = "--allow-write /a",
		                   .settings = "{\"filesystem\": {\"allowWrite\": [\"/a\"]}}",
		                   .count = 2 };
	return summary;
}

static void test_json_reads_back(void **state)
{
	struct summary one = sample(), two;
	autostr struct str text;

	(void)state;
	str_init(&text, SUMMARY_BYTES_MAX);
	summary_print_json(&one, &text);
	assert_int_equal(summary_read(&arena, text.text, text.len, "record", &two, NULL), 0);
	assert_string_equal(two.run_id, one.run_id);
	assert_string_equal(two.cwd, one.cwd);
	assert_int_equal(two.ended_s, one.ended_s);
	assert_int_equal(two.command.n, 2);
	assert_string_equal(two.command.at[1], "two\nlines");
	assert_int_equal(two.outcome.exit_code, 3);
	assert_int_equal(two.outcome.cause, CAUSE_EXIT);
	assert_true(two.outcome.stderr_truncated);
	assert_false(two.outcome.stdout_truncated);
	assert_int_equal(two.outcome.denials.n, 1);
	assert_string_equal(two.outcome.denials.at[0].target, one.outcome.denials.at[0].target);
	assert_string_equal(two.outcome.denials.at[0].remedy, "--allow-write /a");
	assert_string_equal(two.outcome.denials.at[0].settings, one.outcome.denials.at[0].settings);
	assert_int_equal(two.outcome.denials.at[0].count, 2);
	assert_int_equal(two.outcome.denials_ignored, 5);
}

static void test_text_is_escaped(void **state)
{
	struct summary summary = sample();
	autostr struct str text;

	(void)state;
	str_init(&text, SUMMARY_BYTES_MAX);
	summary_print(&summary, &text);
	for (size_t i = 0; i < text.len; i++)
		assert_true((unsigned char)text.text[i] >= ' ' || text.text[i] == '\n');
	assert_non_null(strstr(text.text, "two\\nlines"));
	assert_non_null(strstr(text.text, "--allow-write /a"));
	assert_non_null(strstr(text.text, "settings.json /filesystem/allowWrite"));
	assert_non_null(strstr(text.text, "2 times"));
	assert_non_null(strstr(text.text, "and 5 that the settings ignore"));
}

static void test_every_cause_reads_back(void **state)
{
	(void)state;
	for (unsigned cause = 0; cause < CAUSES_END; cause++) {
		struct summary one = { .run_id = "x", .cwd = "/", .outcome.cause = cause }, two;
		autostr struct str text;
		str_init(&text, SUMMARY_BYTES_MAX);
		summary_print_json(&one, &text);
		assert_int_equal(summary_read(&arena, text.text, text.len, "record", &two, NULL), 0);
		assert_int_equal(two.outcome.cause, cause);
		assert_int_equal(summary_is_remarkable(&two), cause != CAUSE_EXIT);
	}
}

static void test_what_is_no_record(void **state)
{
	static const char *const texts[] = { "", "[]", "{", "{\"run\": 3, \"denials\": [1], \"command\": [null]}" };
	struct summary summary;
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_true(summary_read(&arena, texts[i], strlen(texts[i]), "record", &summary, &err) < 0);
	assert_int_equal(summary_read(&arena, texts[3], strlen(texts[3]), "record", &summary, &err), 0);
	assert_string_equal(summary.run_id, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_json_reads_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_text_is_escaped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_every_cause_reads_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_no_record, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("session/summary", tests, NULL, NULL);
}

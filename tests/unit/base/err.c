#include "base/err.h"

#include "unit/unit.h"

static void test_set_returns_negative_errno(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(err_set(&err, ERR_NOTFOUND, ENOENT, "no %s", "image"), -ENOENT);
	assert_int_equal(err.code, ERR_NOTFOUND);
	assert_int_equal(err.errnum, ENOENT);
	assert_string_equal(err.text, "no image");
	assert_string_equal(err.where, "");
	assert_int_equal(err_set(&err, ERR_USAGE, 0, "x"), -EINVAL);
	assert_int_equal(err.errnum, 0);
	assert_int_equal(err_set(NULL, ERR_USAGE, EPERM, "x"), -EPERM);
	assert_int_equal(err_set(NULL, ERR_USAGE, 0, "x"), -EINVAL);
}

static void test_text_is_never_empty(void **state)
{
	struct err err;

	(void)state;
	err_set(&err, ERR_BUSY, EBUSY, "%s", "");
	assert_string_equal(err.text, "somebody else holds it; try again");
}

static void test_control_characters_are_escaped(void **state)
{
	struct err err;

	(void)state;
	err_set(&err, ERR_POLICY, EINVAL, "path %s", "\033]0;title\a\n\xff");
	assert_string_equal(err.text, "path \\x1b]0;title\\x07\\n\\xff");
	err_at(&err, "a\nb");
	assert_string_equal(err.where, "a\\nb");
	err_wrap(&err, "\x01");
	assert_string_equal(err.text, "\\x01: path \\x1b]0;title\\x07\\n\\xff");
}

static void test_where_is_set_once(void **state)
{
	struct err err;

	(void)state;
	err_set(&err, ERR_POLICY, EINVAL, "x");
	err_at(&err, NULL);
	err_at(&err, "settings.json /a");
	err_at(&err, "other");
	err_at(NULL, "x");
	assert_string_equal(err.where, "settings.json /a");
	err_set(&err, ERR_POLICY, EINVAL, "y"); /* a new error is elsewhere */
	assert_string_equal(err.where, "");
}

static void test_wrap_reads_outside_in(void **state)
{
	struct err err;

	(void)state;
	err_set(&err, ERR_POLICY, ELOOP, "path leaves the root");
	assert_int_equal(err_wrap(&err, "entry \"%s\"", "../x"), -ELOOP);
	assert_int_equal(err_wrap(&err, "layer %d of %d", 2, 5), -ELOOP);
	assert_string_equal(err.text, "layer 2 of 5: entry \"../x\": path leaves the root");
	assert_int_equal(err_wrap(NULL, "x"), -EINVAL);
	err_clear(&err);
	err_clear(NULL);
	assert_int_equal(err_wrap(&err, "nothing to wrap"), -EINVAL);
	assert_int_equal(err.code, ERR_NONE);
	assert_string_equal(err.text, "");
}

static void test_own_text_as_argument(void **state)
{
	struct err err;

	(void)state;
	err_set(&err, ERR_POLICY, EINVAL, "inner");
	err_set(&err, ERR_SETUP, EINVAL, "outer: %s", err.text);
	assert_string_equal(err.text, "outer: inner");
}

/* Whatever the length, the text ends in an ellipsis and holds no half character. */
static void check_long(size_t n, const char *unit)
{
	struct err err;
	char text[4096] = "";
	size_t step = strlen(unit);

	for (size_t i = 0; i + step <= n; i += step)
		memcpy(text + i, unit, step + 1);
	err_set(&err, ERR_POLICY, EINVAL, "%s", text);
	assert_true(strlen(err.text) < sizeof(err.text));
	if (strlen(text) < sizeof(err.text)) {
		assert_string_equal(err.text, text);
		return;
	}

	size_t len = strlen(err.text);

	assert_true(len >= sizeof(err.text) - 8);
	assert_string_equal(err.text + len - strlen("…"), "…");
	for (size_t i = 0; i + strlen("…") < len; i += step)
		assert_memory_equal(err.text + i, unit, step);
}

static void test_long_text_is_cut_between_characters(void **state)
{
	(void)state;
	for (size_t n = ERR_TEXT_MAX - 10; n < ERR_TEXT_MAX + 10; n++) {
		check_long(n, "x");
		check_long(n, "é");
		check_long(n, "€");
		check_long(n, "\xf0\x9f\x98\x80");
	}
	check_long(3000, "é");
}

static void test_wrapping_forever_stays_in_bounds(void **state)
{
	struct err err;

	(void)state;
	err_set(&err, ERR_POLICY, EINVAL, "core");
	for (int i = 0; i < 500; i++)
		err_wrap(&err, "layer %d €", i);
	assert_true(strlen(err.text) < ERR_TEXT_MAX);
	assert_int_equal(strncmp(err.text, "layer 499 €: layer 498", 23), 0);
}

static void test_table(void **state)
{
	(void)state;
	assert_string_equal(err_code_name(ERR_POLICY), "policy");
	assert_int_equal(err_exit_status(ERR_SETUP), 125);
	assert_int_equal(err_http_status(ERR_NOTFOUND), 404);
	assert_int_equal(err_http_status(ERR_NONE), 200);
	assert_string_equal(err_code_name((enum err_code)99), "internal");
	assert_int_equal(err_exit_status((enum err_code) - 1), 125);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_returns_negative_errno),
		cmocka_unit_test(test_text_is_never_empty),
		cmocka_unit_test(test_control_characters_are_escaped),
		cmocka_unit_test(test_where_is_set_once),
		cmocka_unit_test(test_wrap_reads_outside_in),
		cmocka_unit_test(test_own_text_as_argument),
		cmocka_unit_test(test_long_text_is_cut_between_characters),
		cmocka_unit_test(test_wrapping_forever_stays_in_bounds),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

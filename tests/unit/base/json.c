#include "base/json.h"

#include "unit/unit.h"

#include <stdlib.h>

static int read_text(const char *text, size_t n, struct err *err)
{
	json_t *doc autojson = NULL;

	err_clear(err);
	return json_read(text, n, "settings.json", &doc, err);
}

static void refuse(const char *text, size_t n, const char *said)
{
	struct err err;

	assert_int_equal(read_text(text, n, &err), -EINVAL);
	assert_int_equal(err.code, ERR_POLICY);
	assert_string_equal(err.where, "settings.json");
	if (strncmp(err.text, said, strlen(said)) != 0)
		fail_msg("\"%s\" does not begin with \"%s\"", err.text, said);
}

#define REFUSE(text, said) refuse(text, sizeof(text) - 1, said)

static void test_reads(void **state)
{
	json_t *doc autojson = NULL;
	struct err err = { 0 };
	static const char text[] = " {\"a\": [1, 2.5, true, null, \"x\\u00e9\"], \"b\": {}} \n";

	(void)state;
	assert_int_equal(json_read(text, sizeof(text) - 1, "x", &doc, &err), 0);
	assert_int_equal(err.code, ERR_NONE);
	assert_int_equal(json_array_size(json_object_get(doc, "a")), 5);
	json_done(&doc);
	assert_null(doc);
	json_done(&doc);
	assert_int_equal(json_read("3", 1, "x", &doc, NULL), 0);
}

static void test_refuses(void **state)
{
	(void)state;
	REFUSE("", "line 1, column 0: ");
	REFUSE("{", "line 1, column 1: ");
	REFUSE("{\"a\": 1,\n \"a\": 2}", "line 2, column 4: duplicate object key");
	REFUSE("{\"a\": 1,}", "line 1, column 9: ");
	REFUSE("[1 2]", "line 1, column 4: ");
	REFUSE("{} x", "line 1, column 4: end of file expected");
	REFUSE("{}{}", "line 1, column 3: end of file expected");
	REFUSE("\"\xff\"", "line 1, column 1: unable to decode byte 0xff");
	REFUSE("\"\xed\xa0\x80\"", "line 1, column 1: unable to decode");
	REFUSE("\"\\ud800\"", "line 1, column 8: invalid Unicode");
	REFUSE("\"\\udc00\"", "line 1, column 8: invalid Unicode");
	REFUSE("\"a\\u0000b\"", "line 1, column 10: \\u0000 is not allowed");
	REFUSE("[\"a\0b\"]", "line 1, column 3: control character");
	REFUSE("{}\0", "line 1, column 3: ");
	REFUSE("NaN", "line 1, column 3: ");
	REFUSE("[Infinity]", "line 1, column ");
	REFUSE("[1e999]", "line 1, column ");
	REFUSE("[99999999999999999999]", "line 1, column ");
	REFUSE("{'a': 1}", "line 1, column ");
	REFUSE("// comment\n{}", "line 1, column ");
	REFUSE("[01]", "line 1, column ");
	REFUSE("\xef\xbb\xbf{}", "line 1, column ");
}

static int read_nested(size_t depth, char open, char close, struct err *err)
{
	char *text = malloc(depth * 2);
	int r;

	memset(text, open, depth);
	memset(text + depth, close, depth);
	r = read_text(text, depth * 2, err);
	free(text);
	return r;
}

static void test_depth(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(read_nested(128, '[', ']', &err), 0);
	assert_int_equal(read_nested(129, '[', ']', &err), -EINVAL);
	assert_string_equal(err.text, "line 1, column 129: nested deeper than 128");
	assert_int_equal(read_nested(1000000, '[', ']', &err), -EINVAL);
	assert_int_equal(read_nested(1000000, '{', '}', &err), -EINVAL);
}

static void test_brackets_in_strings_do_not_count(void **state)
{
	char text[1024] = "[\"\\\"";
	struct err err;

	(void)state;
	memset(text + 4, '[', 500);
	memcpy(text + 504, "\\\\\"]", 5);
	assert_int_equal(read_text(text, strlen(text), &err), 0);
}

static void test_ceiling(void **state)
{
	char *text = malloc(JSON_DOCUMENT_MAX + 1);
	struct err err;

	(void)state;
	memset(text, ' ', JSON_DOCUMENT_MAX + 1);
	text[0] = '1';
	assert_int_equal(read_text(text, JSON_DOCUMENT_MAX, &err), 0);
	assert_int_equal(read_text(text, JSON_DOCUMENT_MAX + 1, &err), -EFBIG);
	assert_string_equal(err.text, "longer than 4194304 bytes");
	free(text);
}

static void describe(const char *json, const char *wanted)
{
	json_t *doc autojson = NULL;
	char text[256];

	assert_int_equal(json_read(json, strlen(json), "x", &doc, NULL), 0);
	json_describe(doc, text, sizeof(text));
	assert_string_equal(text, wanted);
}

static void test_describe(void **state)
{
	char small[8];
	json_t *doc autojson = json_string("something long");

	(void)state;
	describe("\"x\\\"\\u001b\"", "string \"x\\\"\\u001b\"");
	describe("3", "number 3");
	describe("-2.5", "number -2.5");
	describe("[1, 2]", "array of 2");
	describe("{\"a\": 1}", "object of 1");
	describe("true", "true");
	describe("false", "false");
	describe("null", "null");
	describe("\"0123456789012345678901234567890123456789012345678901234567890123456789\"",
	         "string \"012345678901234567890123456789012345678901234567890123456789\"…");
	describe("\"01234567890123456789012345678901234567890123456789012345678€\"",
	         "string \"01234567890123456789012345678901234567890123456789012345678\"…");
	json_describe(NULL, small, sizeof(small));
	assert_string_equal(small, "nothing");
	json_describe(doc, small, sizeof(small));
	assert_string_equal(small, "string ");
	json_describe(doc, small, 0);
}

static void test_members(void **state)
{
	static const char text[] = "{\"t\":\"one\",\"n\":7,\"m\":-7}";
	json_t *doc autojson = NULL;
	struct arena arena;

	(void)state;
	arena_init(&arena, 1 << 16);
	assert_int_equal(json_read(text, sizeof(text) - 1, "record", &doc, NULL), 0);
	assert_string_equal(json_text_of(doc, "t", &arena), "one");
	assert_null(json_text_of(doc, "n", &arena));
	assert_null(json_text_of(doc, "absent", &arena));
	assert_int_equal(json_number_of(doc, "n"), 7);
	assert_int_equal(json_number_of(doc, "m"), 0);
	assert_int_equal(json_number_of(doc, "t"), 0);
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads),   cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_depth),   cmocka_unit_test(test_brackets_in_strings_do_not_count),
		cmocka_unit_test(test_ceiling), cmocka_unit_test(test_describe),
		cmocka_unit_test(test_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

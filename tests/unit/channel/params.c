#include "channel/params.h"
#include "unit/unit.h"

#include <stdlib.h>

static const char list[] =
    "needed:text! path:path count:count flag:flag data:data object:object array:array texts:texts labels:labels env:env";

static int check(const char *text, struct err *err)
{
	json_t *params = json_loads(text, 0, NULL);
	int r;

	assert_non_null(params);
	*err = (struct err){ 0 };
	r = params_check(list, params, err);
	json_decref(params);
	return r;
}

static void what_fits_is_taken(void **state)
{
	static const char *const good[] = {
		"{\"needed\":\"\"}",
		"{\"needed\":\"x\",\"path\":\"a/b\",\"count\":0,\"flag\":false,\"data\":\"\",\"object\":{},\"array\":[]}",
		"{\"needed\":\"x\",\"path\":{\"base64\":\"eP8=\"},\"count\":9007199254740991,\"texts\":[\"a\",\"\"]}",
		"{\"needed\":\"x\",\"labels\":{\"a\":\"b\"},\"env\":{\"a\":\"b\",\"c\":null},\"path\":null}",
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(check(good[i], &err), 0);
}

static void what_does_not_is_named(void **state)
{
	static const char *const bad[][2] = {
		{ "{}", "needed" },
		{ "{\"needed\":null}", "needed" },
		{ "{\"needed\":1}", "needed" },
		{ "{\"needed\":\"\",\"path\":{\"base64\":\"*\"}}", "path" },
		{ "{\"needed\":\"\",\"path\":{\"base64\":\"\",\"x\":1}}", "path" },
		{ "{\"needed\":\"\",\"count\":-1}", "count" },
		{ "{\"needed\":\"\",\"count\":1.5}", "count" },
		{ "{\"needed\":\"\",\"count\":9007199254740992}", "count" },
		{ "{\"needed\":\"\",\"flag\":0}", "flag" },
		{ "{\"needed\":\"\",\"data\":\"abc\"}", "data" },
		{ "{\"needed\":\"\",\"object\":[]}", "object" },
		{ "{\"needed\":\"\",\"array\":{}}", "array" },
		{ "{\"needed\":\"\",\"texts\":[]}", "texts" },
		{ "{\"needed\":\"\",\"texts\":[\"\"]}", "texts" },
		{ "{\"needed\":\"\",\"texts\":[\"a\",1]}", "texts" },
		{ "{\"needed\":\"\",\"labels\":{\"a\":null}}", "labels" },
		{ "{\"needed\":\"\",\"env\":{\"a\":1}}", "env" },
		{ "{\"needed\":\"\",\"unheard\":1}", "unheard" },
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_true(check(bad[i][0], &err) < 0);
		assert_int_equal(err.code, ERR_USAGE);
		assert_string_equal(err.where, bad[i][1]);
		assert_non_null(strstr(err.text, bad[i][1]));
	}
	assert_true(check("{\"needed\":\"\",\"cuont\":1}", &err) < 0);
	assert_non_null(strstr(err.text, "did you mean \"count\""));
}

static void paths_are_bytes(void **state)
{
	char path[PATH_BYTES_MAX + 1], long_text[2 * PATH_BYTES_MAX];
	struct err err = { 0 };
	json_t *coded = json_pack("{s:s}", "base64", "eP8="), *nul = json_pack("{s:s}", "base64", "eAB4"), *text;

	(void)state;
	assert_int_equal(params_path(coded, path, &err), 0);
	assert_string_equal(path, "x\xff");
	assert_true(params_path(nul, path, &err) < 0);
	assert_int_equal(params_path(NULL, path, &err), 0);
	assert_string_equal(path, "");
	memset(long_text, 'a', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	text = json_string(long_text);
	assert_true(params_path(text, path, &err) < 0);
	assert_int_equal(err.code, ERR_POLICY);
	json_decref(coded);
	json_decref(nul);
	json_decref(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_fits_is_taken), cmocka_unit_test(what_does_not_is_named),
		                            cmocka_unit_test(paths_are_bytes) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "channel/request.h"
#include "unit/unit.h"

static int read_line(const char *line, struct request *request, struct err *err)
{
	*request = (struct request){ 0 };
	*err = (struct err){ 0 };
	return channel_request_read(line, strlen(line), request, err);
}

static void a_request_is_read(void **state)
{
	struct request request;
	struct err err;

	(void)state;
	assert_int_equal(read_line("{\"id\":7,\"method\":\"session.info\",\"params\":{\"session\":\"x\"}}", &request, &err), 0);
	assert_int_equal(request.id, 7);
	assert_string_equal(request.method->name, "session.info");
	assert_int_equal(json_object_size(request.params), 1);
	channel_request_done(&request);
	assert_int_equal(read_line("{\"id\":7,\"method\":\"ping\"}", &request, &err), 0);
	assert_int_equal(json_object_size(request.params), 0);
	channel_request_done(&request);
}

static void a_wrong_one_keeps_its_id(void **state)
{
	struct request request;
	struct err err;

	(void)state;
	assert_true(read_line("{\"id\":7,\"method\":\"session.inof\"}", &request, &err) < 0);
	assert_int_equal(request.id, 7);
	assert_null(request.params);
	assert_non_null(strstr(err.text, "\"session.info\""));
	assert_true(read_line("{\"id\":\"7\",\"method\":\"ping\"}", &request, &err) < 0);
	assert_int_equal(request.id, 0);
	assert_true(read_line("{\"id\":7", &request, &err) < 0);
	assert_int_equal(err.code, ERR_USAGE);
}

/* A list that cannot be read would let anything through. */
static void each_methods_list_can_be_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < methods_n; i++) {
		char line[256];
		struct request request;
		struct err err;

		(void)snprintf(line, sizeof(line), "{\"id\":1,\"method\":\"%s\",\"params\":{\"no such\":1}}", methods[i].name);
		assert_true(read_line(line, &request, &err) < 0);
		assert_int_equal(methods[i].end == NOW, methods[i].work == NULL);
		for (const char *word = methods[i].params; *word; word += strcspn(word, " "), word += *word == ' ') {
			size_t n = strcspn(word, ":");

			(void)snprintf(line, sizeof(line), "{\"id\":1,\"method\":\"%s\",\"params\":{\"%.*s\":1.5}}", methods[i].name,
			               (int)n, word);
			assert_true(read_line(line, &request, &err) < 0); /* known, and of no type that is 1.5 */
			assert_null(strstr(err.text, "unknown"));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_request_is_read), cmocka_unit_test(a_wrong_one_keeps_its_id),
		                            cmocka_unit_test(each_methods_list_can_be_read) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "egress/body.h"
#include "egress/request.h"
#include "egress/response.h"

#include "unit/unit.h"

#include <stdio.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct body_out out;

/* The body of a response whose head is in front of it, `step` bytes a time. Returns how many bytes behind the head are its own; -1: refused. */
static int read_response(const char *text, size_t step, bool in_chunks)
{
	static struct response response;
	int end = head_find_end_lenient(text, strlen(text));
	struct body body;
	size_t used = 0;
	const char *rest = text + end;

	assert_true(end > 0);
	if (response_read(text, (size_t)end, false, &response) < 0)
		return -1;
	body_init(&body, &response.head, in_chunks);
	out.n = 0;
	out.failed = false;
	while (!body.complete && *rest) {
		size_t n = strlen(rest) < step ? strlen(rest) : step;
		size_t now = body_feed(&body, rest, n, &out);

		if (body.failed)
			return -1;
		used += now;
		rest += now;
	}
	if (!body.complete)
		(void)body_feed(&body, rest, 0, &out);
	return body.failed ? -1 : (int)used;
}

static void check(const char *text, bool in_chunks, int wanted, const char *wanted_text)
{
	for (size_t step = 1; step < 100; step = step * 2 + 1) {
		int used = read_response(text, step, in_chunks);

		if (used != wanted)
			fail_msg("%d, wanted %d, at %zu a time: %s", used, wanted, step, text);
		if (wanted >= 0 && !(in_chunks && step < 90)) {
			out.bytes[out.n] = '\0';
			assert_string_equal(out.bytes, wanted_text);
		}
	}
}

static void test_bodies(void **state)
{
	(void)state;
	check("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1", false, 5, "hello");
	check("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1", false, 0, "");
	check("HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1", false, 0, "");
	check("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nHTTP/1.1", false, 0, "");
	check("HTTP/1.1 200 OK\r\n\r\nall of it", false, 9, "all of it");
	check("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nHTTP", true, 13, "3\r\nabc\r\n0\r\n\r\n");
	check("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n003;a=\"b\"\r\nabc\r\n00\r\nX: y\r\n\r\nHTTP", true, 28,
	      "3\r\nabc\r\n0\r\n\r\n");
	check("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n", false, 20, "0123456789");
}

static void test_bad_bodies(void **state)
{
	static const char *const bad[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"HTTP/1.1 099 Low\r\n\r\n",
		"HTTP/3.0 200 OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX y: z\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n", /* http-parser takes it for another coding */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		for (size_t step = 1; step < 100; step += 49)
			if (read_response(bad[i], step, true) >= 0)
				fail_msg("%s", bad[i]);
}

/* No content, whatever is said about its length: a client that goes by that would wait for the next answer. */
static void test_no_content(void **state)
{
	static const char *const fields[] = { "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "" };
	static struct response response;

	(void)state;
	for (size_t i = 0; i < COUNT(fields); i++) {
		char text[100];
		struct str written;

		str_init(&written, HEAD_BYTES_MAX);
		snprintf(text, sizeof(text), "HTTP/1.1 204 No Content\r\n%s\r\n", fields[i]);
		assert_int_equal(response_read(text, strlen(text), false, &response), 0);
		assert_true(response.keep);
		response_write(&response, &(struct response_form){ response.head.framing, false, NULL }, &written);
		assert_string_equal(written.text, "HTTP/1.1 204 No Content\r\n\r\n");
		str_done(&written);
	}
}

/* The worst input: a byte a chunk. What is written is never much more. */
static void test_growth(void **state)
{
	static char text[64 << 10];
	static struct response response;
	static const char head[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
	struct body body;
	size_t n = 0;

	(void)state;
	while (n + 6 < 64 << 10) {
		memcpy(text + n, "1\r\nx\r\n", 6);
		n += 6;
	}
	assert_int_equal(response_read(head, sizeof(head) - 1, false, &response), 0);
	body_init(&body, &response.head, true);
	out.n = 0;
	assert_int_equal(body_feed(&body, text, n, &out), n);
	assert_false(body.failed || body.complete);
	assert_int_equal(out.n, n);
}

static void test_written(void **state)
{
	static const char text[] =
	    "HTTP/1.0 200 Fine\nServer: x\nConnection: X-Hop\nX-Hop: 1\nProxy-Authenticate: y\nSet-Cookie: a\nSet-Cookie: b\n\n";
	static struct response response;
	struct str out_text;

	(void)state;
	str_init(&out_text, HEAD_BYTES_MAX);
	assert_int_equal(head_find_end_lenient(text, sizeof(text) - 1), sizeof(text) - 1);
	assert_int_equal(response_read(text, sizeof(text) - 1, false, &response), 0);
	assert_false(response.keep);
	response_write(&response, &(struct response_form){ FRAMED_CHUNKS, true, NULL }, &out_text);
	assert_string_equal(out_text.text,
	                    "HTTP/1.1 200 Fine\r\nServer: x\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nTransfer-Encoding: chunked\r\n"
	                    "Connection: close\r\n\r\n");
	str_done(&out_text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bodies),     cmocka_unit_test(test_bad_bodies), cmocka_unit_test(test_growth),
		cmocka_unit_test(test_no_content), cmocka_unit_test(test_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

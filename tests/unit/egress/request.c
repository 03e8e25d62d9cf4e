#include "egress/request.h"

#include "unit/unit.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define GET "GET http://a.b/ HTTP/1.1\r\n"
#define POST "POST http://a.b/ HTTP/1.1\r\n"

static struct request request;

/* As the filter does: the end of the head, then the head. */
static int status_of(const char *text, size_t n)
{
	size_t scanned = 0;
	int end = head_find_end(text, n, &scanned);

	return end <= 0 ? 400 : request_read(text, (size_t)end, &request);
}

static void test_good(void **state)
{
	static const struct {
		const char *text, *host;
		uint16_t port;
		const char *path;
	} cases[] = {
		{ "CONNECT a.b:443 HTTP/1.1\r\n\r\n", "a.b", 443, "" },
		{ "CONNECT A.b:443 HTTP/1.1\r\nHost: a.B:443\r\n\r\n", "A.b", 443, "" },
		{ "CONNECT a.b:443 HTTP/1.1\r\nHost: a.b\r\n\r\n", "a.b", 443, "" },
		{ "CONNECT a.b:443 HTTP/1.0\r\n\r\n", "a.b", 443, "" },
		{ "CONNECT [::1]:65535 HTTP/1.1\r\nHost: [::1]:65535\r\n\r\n", "[::1]", 65535, "" },
		{ "CONNECT a\xff:443 HTTP/1.1\r\n\r\n", NULL, 0, NULL },
		{ GET "\r\n", "a.b", 80, "/" },
		{ GET "Host: other\r\n\r\n", "a.b", 80, "/" },
		{ "GET HTTP://a.b:8080/x?y=http://c.d/ HTTP/1.1\r\n\r\n", "a.b", 8080, "/x?y=http://c.d/" },
		{ "GET http://a.b HTTP/1.1\r\n\r\n", "a.b", 80, "" },
		{ "GET http://a.b?q HTTP/1.1\r\n\r\n", "a.b", 80, "?q" },
		{ "GET http://[::1]:81/ HTTP/1.1\r\n\r\n", "[::1]", 81, "/" },
		{ POST "Content-Length: 5\r\n\r\nhello", "a.b", 80, "/" },
		{ POST "content-length:5 \r\n\r\nhello", "a.b", 80, "/" },
		{ POST "Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n", "a.b", 80, "/" },
		{ GET "Expect: 100-Continue\r\n\r\n", "a.b", 80, "/" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		int status = status_of(cases[i].text, strlen(cases[i].text));

		if (!cases[i].host) {
			assert_int_equal(status, 400);
			continue;
		}
		if (status != 0)
			fail_msg("%d: %s", status, cases[i].text);
		assert_int_equal(request.host.n, strlen(cases[i].host));
		assert_memory_equal(request.host.at, cases[i].host, request.host.n);
		assert_int_equal(request.port, cases[i].port);
		assert_int_equal(request.path.n, strlen(cases[i].path));
		assert_memory_equal(request.path.at, cases[i].path, request.path.n);
		assert_int_equal(request.is_connect, cases[i].text[0] == 'C');
	}
}

static const struct {
	int status;
	const char *text;
} hostile[] = {
	/* framing */
	{ 400, POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" },
	{ 400, POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" },
	{ 400, POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n" },
	{ 400, POST "Content-Length: 5\r\ncontent-length: 6\r\n\r\n" },
	{ 400, POST "Content-Length: 5,5\r\n\r\n" },
	{ 400, POST "Content-Length: +5\r\n\r\n" },
	{ 400, POST "Content-Length: -5\r\n\r\n" },
	{ 400, POST "Content-Length: 5a\r\n\r\n" },
	{ 400, POST "Content-Length: 0x5\r\n\r\n" },
	{ 400, POST "Content-Length: \r\n\r\n" },
	{ 400, POST "Content-Length: 1 1\r\n\r\n" },
	{ 400, POST "Content-Length: 18446744073709551617\r\n\r\n" },
	{ 400, POST "Content-Length: 9223372036854775808\r\n\r\n" },
	{ 400, POST "Transfer-Encoding: chunked, chunked\r\n\r\n" },
	{ 400, POST "Transfer-Encoding: identity\r\n\r\n" },
	{ 400, POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" },
	{ 400, POST "Transfer-Encoding: \vchunked\r\n\r\n" },
	{ 400, POST "Transfer-Encoding\t: chunked\r\n\r\n" },
	{ 400, POST "Transfer-Encoding : chunked\r\n\r\n" },
	{ 400, POST " Transfer-Encoding: chunked\r\n\r\n" },
	{ 400, "POST http://a.b/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" },
	{ 400, "CONNECT a.b:443 HTTP/1.1\r\nContent-Length: 0\r\n\r\n" },
	{ 400, "CONNECT a.b:443 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" },
	/* lines and names */
	{ 400, "GET http://a.b/ HTTP/1.1\n\n" },
	{ 400, GET "X: a\n\r\n" },
	{ 400, GET "X: a\r\n b\r\n\r\n" },
	{ 400, GET "X: a\r\n\tb\r\n\r\n" },
	{ 400, GET "X: a\rY: b\r\n\r\n" },
	{ 400, GET "\rX: a\r\n\r\n" },
	{ 400, GET "X y: a\r\n\r\n" },
	{ 400, GET "X(: a\r\n\r\n" },
	{ 400, GET "X\xc3\xa4: a\r\n\r\n" },
	{ 400, GET ": a\r\n\r\n" },
	{ 400, GET "X\r\n\r\n" },
	{ 400, GET "X: a\x7f\r\n\r\n" },
	{ 400, GET "X: a\x01\r\n\r\n" },
	{ 400, "\r\n" GET "\r\n" },
	{ 400, "GET  http://a.b/ HTTP/1.1\r\n\r\n" },
	{ 400, "GET http://a.b/ HTTP/1.1 \r\n\r\n" },
	{ 400, "GET http://a.b/ x HTTP/1.1\r\n\r\n" },
	{ 400, "GET http://a.b/\r\n\r\n" },
	{ 400, "GET http://a.b/ HTTP/0.9\r\n\r\n" },
	{ 400, "GET http://a.b/ HTTP/1.2\r\n\r\n" },
	{ 400, "GET http://a.b/ HTTP/2.0\r\n\r\n" },
	{ 400, "GET http://a.b/ ICE/1.1\r\n\r\n" },
	{ 400, "get http://a.b/ HTTP/1.1\r\n\r\n" },
	{ 400, "PRI * HTTP/2.0\r\n\r\n" },
	{ 400, GET "Host: a.b\r\nHost: a.b\r\n\r\n" },
	/* targets */
	{ 400, "GET / HTTP/1.1\r\nHost: a.b\r\n\r\n" },
	{ 400, "OPTIONS * HTTP/1.1\r\nHost: a.b\r\n\r\n" },
	{ 400, "GET https://a.b/ HTTP/1.1\r\n\r\n" },
	{ 400, "GET ftp://a.b/ HTTP/1.1\r\n\r\n" },
	{ 400, "GET //a.b/ HTTP/1.1\r\n\r\n" },
	{ 400, "GET http:///x HTTP/1.1\r\n\r\n" },
	{ 400, "GET http://user@a.b/ HTTP/1.1\r\n\r\n" },
	{ 400, "GET http://c.d:80@a.b/ HTTP/1.1\r\n\r\n" },
	{ 400, "GET http://a.b\\@c.d/ HTTP/1.1\r\n\r\n" },
	{ 400, "GET http://a.b/#x HTTP/1.1\r\n\r\n" },
	{ 400, "GET http://a.b:/ HTTP/1.1\r\n\r\n" },
	{ 400, "GET http://a.b:0/ HTTP/1.1\r\n\r\n" },
	{ 400, "GET http://a.b:080/ HTTP/1.1\r\n\r\n" },
	{ 400, "GET http://a.b:+80/ HTTP/1.1\r\n\r\n" },
	{ 400, "GET http://a.b:65536/ HTTP/1.1\r\n\r\n" },
	{ 400, "GET http://a.b:443:80/ HTTP/1.1\r\n\r\n" },
	{ 400, "CONNECT a.b HTTP/1.1\r\n\r\n" },
	{ 400, "CONNECT a.b: HTTP/1.1\r\n\r\n" },
	{ 400, "CONNECT :443 HTTP/1.1\r\n\r\n" },
	{ 400, "CONNECT a.b:0443 HTTP/1.1\r\n\r\n" },
	{ 400, "CONNECT a.b:443/ HTTP/1.1\r\n\r\n" },
	{ 400, "CONNECT a.b:443.evil HTTP/1.1\r\n\r\n" },
	{ 400, "CONNECT u@a.b:443 HTTP/1.1\r\n\r\n" },
	{ 400, "CONNECT http://a.b:443/ HTTP/1.1\r\n\r\n" },
	{ 400, "CONNECT a.b:443 HTTP/1.1\r\nHost: c.d:443\r\n\r\n" },
	{ 400, "CONNECT a.b:443 HTTP/1.1\r\nHost: a.b:80\r\n\r\n" },
	{ 400, "CONNECT a.b:443 HTTP/1.1\r\nHost: \r\n\r\n" },
	{ 400, "CONNECT a.b:443 HTTP/1.1\r\nHost: a.b\r\nHost: a.b\r\n\r\n" },
	/* what is not served */
	{ 405, "TRACE http://a.b/ HTTP/1.1\r\n\r\n" },
	{ 400, "FROB http://a.b/ HTTP/1.1\r\n\r\n" },
	{ 417, GET "Expect: x\r\n\r\n" },
};

static void test_hostile(void **state)
{
	static const char nul[] = GET "X: a\0b\r\n\r\n", nul_in_target[] = "GET http://a.b\0c/ HTTP/1.1\r\n\r\n";

	(void)state;
	for (size_t i = 0; i < COUNT(hostile); i++) {
		int status = status_of(hostile[i].text, strlen(hostile[i].text));

		if (status != hostile[i].status)
			fail_msg("%d, wanted %d: %s", status, hostile[i].status, hostile[i].text);
	}
	assert_int_equal(status_of(nul, sizeof(nul) - 1), 400);
	assert_int_equal(status_of(nul_in_target, sizeof(nul_in_target) - 1), 400);
}

static void test_too_many_fields(void **state)
{
	struct str text;

	(void)state;
	str_init(&text, HEAD_BYTES_MAX);
	str_add(&text, GET);
	for (int i = 0; i < HEAD_FIELDS_MAX; i++)
		str_add(&text, "X: y\r\n");
	str_add(&text, "\r\n");
	assert_int_equal(status_of(text.text, text.len), 0);
	assert_int_equal(request.head.fields_n, HEAD_FIELDS_MAX);
	text.len -= 2;
	str_add(&text, "X: y\r\n\r\n");
	assert_int_equal(status_of(text.text, text.len), 431);
	str_done(&text);
}

/* In pieces of any size the end is found where it is found at once. */
static void test_end_in_pieces(void **state)
{
	static const char text[] = GET "X: y\r\n\r\nbody\n";
	size_t scanned = 0, end = sizeof(GET "X: y\r\n\r\n") - 1;

	(void)state;
	for (size_t n = 0; n < end; n++)
		assert_int_equal(head_find_end(text, n, &scanned), 0);
	assert_int_equal(head_find_end(text, end, &scanned), end);
	scanned = 0;
	assert_int_equal(head_find_end(text, sizeof(text) - 1, &scanned), end);
}

static void check_written(const char *text, const char *wanted)
{
	struct host host;
	struct str out;

	str_init(&out, HEAD_BYTES_MAX);
	assert_int_equal(status_of(text, strlen(text)), 0);
	assert_int_equal(host_parse(request.host.at, request.host.n, &host), 0);
	request_write(&request, &host, NULL, &out);
	assert_string_equal(out.text, wanted);
	str_done(&out);
}

static void test_written(void **state)
{
	(void)state;
	check_written("GET http://A.B/x HTTP/1.0\r\nHost: c.d\r\nAccept: */*\r\n\r\n",
	              "GET /x HTTP/1.1\r\nHost: a.b\r\nAccept: */*\r\n\r\n");
	check_written("GET http://a.b.:81?q HTTP/1.1\r\n\r\n", "GET /?q HTTP/1.1\r\nHost: a.b:81\r\n\r\n");
	check_written("GET http://[0::1]/ HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n");
	check_written(POST "Content-Length: 007\r\nX-A: 1\r\n\r\n", "POST / HTTP/1.1\r\nHost: a.b\r\nX-A: 1\r\nContent-Length: 7\r\n\r\n");
	check_written(POST "transfer-encoding: CHUNKED\r\nTrailer: X\r\n\r\n",
	              "POST / HTTP/1.1\r\nHost: a.b\r\nTransfer-Encoding: chunked\r\n\r\n");
	check_written(
	    GET "Connection: keep-alive, X-Hop , x-other\r\nX-Hop: 1\r\nX-OTHER: 2\r\nKeep-Alive: 5\r\nTE: trailers\r\nUpgrade: h2c\r\n"
		"Proxy-Authorization: x\r\nProxy-Connection: close\r\nProxy-Anything: y\r\nX-Forwarded-For: kept\r\n\r\n",
	    "GET / HTTP/1.1\r\nHost: a.b\r\nX-Forwarded-For: kept\r\n\r\n");
	/* whoever asks to strip these gets them written anew */
	check_written(POST "Connection: host, content-length\r\nContent-Length: 3\r\n\r\n",
	              "POST / HTTP/1.1\r\nHost: a.b\r\nContent-Length: 3\r\n\r\n");
	check_written(POST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n",
	              "POST / HTTP/1.1\r\nHost: a.b\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
}

static void test_keep(void **state)
{
	(void)state;
	assert_int_equal(status_of(GET "\r\n", sizeof(GET "\r\n") - 1), 0);
	assert_true(request.keep);
	assert_int_equal(status_of(GET "Connection: x, Close\r\n\r\n", sizeof(GET "Connection: x, Close\r\n\r\n") - 1), 0);
	assert_false(request.keep);
	assert_int_equal(status_of(GET "Proxy-Connection: close\r\n\r\n", sizeof(GET "Proxy-Connection: close\r\n\r\n") - 1), 0);
	assert_false(request.keep);
}

static int status_at(const char *text, const char *host_text, uint16_t port)
{
	static struct host host;
	const struct request_origin origin = { &host, port, 80 };
	size_t scanned = 0;
	int end = head_find_end(text, strlen(text), &scanned);

	assert_int_equal(host_parse(host_text, strlen(host_text), &host), 0);
	return end <= 0 ? 400 : request_read_origin(text, (size_t)end, &origin, &request);
}

/* Requests to a.b:80, by a client that believes to be connected to it. */
static void test_origin(void **state)
{
	static const struct {
		int status;
		const char *text;
	} cases[] = {
		{ 0, "GET / HTTP/1.1\r\nHost: a.b\r\n\r\n" },
		{ 0, "GET /x?y HTTP/1.1\r\nHost: A.B.:80\r\n\r\n" },
		{ 0, "GET / HTTP/1.0\r\n\r\n" },
		{ 0, "OPTIONS * HTTP/1.1\r\nHost: a.b\r\n\r\n" },
		{ 0, "GET http://a.b/x HTTP/1.1\r\nHost: a.b\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\n\r\n" },
		{ 400, "GET * HTTP/1.1\r\nHost: a.b\r\n\r\n" },
		{ 400, "GET /#x HTTP/1.1\r\nHost: a.b\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: a.b\r\nHost: a.b\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: u@a.b\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: \r\n\r\n" },
		{ 405, "CONNECT a.b:80 HTTP/1.1\r\nHost: a.b\r\n\r\n" },
		{ 405, "TRACE / HTTP/1.1\r\nHost: a.b\r\n\r\n" },
		{ 417, "GET / HTTP/1.1\r\nHost: a.b\r\nExpect: x\r\n\r\n" },
		{ 421, "GET / HTTP/1.1\r\nHost: c.d\r\n\r\n" },
		{ 421, "GET / HTTP/1.1\r\nHost: x.a.b\r\n\r\n" },
		{ 421, "GET / HTTP/1.1\r\nHost: a.b:81\r\n\r\n" },
		{ 421, "GET / HTTP/1.1\r\nHost: 1.2.3.4\r\n\r\n" },
		{ 421, "GET http://c.d/ HTTP/1.1\r\nHost: a.b\r\n\r\n" },
		{ 421, "GET http://a.b:81/ HTTP/1.1\r\nHost: a.b\r\n\r\n" },
		{ 421, "GET http://a.b/ HTTP/1.1\r\nHost: c.d\r\n\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (status_at(cases[i].text, "a.b", 80) != cases[i].status)
			fail_msg("%d, wanted %d: %s", status_at(cases[i].text, "a.b", 80), cases[i].status, cases[i].text);
	assert_int_equal(status_at("GET / HTTP/1.1\r\nHost: a.b\r\n\r\n", "a.b", 8080), 0);
}

static void check_origin_written(const char *text, uint16_t port, const char *wanted)
{
	struct host host;
	struct str out;

	str_init(&out, HEAD_BYTES_MAX);
	assert_int_equal(status_at(text, "a.b", port), 0);
	assert_int_equal(host_parse(request.host.at, request.host.n, &host), 0);
	request_write(&request, &host, NULL, &out);
	assert_string_equal(out.text, wanted);
	str_done(&out);
}

static void test_origin_written(void **state)
{
	(void)state;
	check_origin_written("OPTIONS * HTTP/1.0\r\n\r\n", 80, "OPTIONS * HTTP/1.1\r\nHost: a.b\r\n\r\n");
	check_origin_written("GET http://a.b:81?q HTTP/1.1\r\nHost: a.b\r\n\r\n", 81, "GET /?q HTTP/1.1\r\nHost: a.b:81\r\n\r\n");
	check_origin_written("GET /s HTTP/1.1\r\nHost: a.b\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nX: y\r\n\r\n", 80,
	                     "GET /s HTTP/1.1\r\nHost: a.b\r\nX: y\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
	check_origin_written("GET /s HTTP/1.1\r\nHost: a.b\r\nUpgrade: websocket\r\n\r\n", 80, "GET /s HTTP/1.1\r\nHost: a.b\r\n\r\n");
}

static void test_look(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum request_look look;
	} cases[] = {
		{ "", LOOKS_SHORT },
		{ "GE", LOOKS_SHORT },
		{ "GET ", LOOKS_SHORT },
		{ "GET /", LOOKS_LIKE_HTTP },
		{ "GET h", LOOKS_SHORT },
		{ "GET HTTP://x", LOOKS_LIKE_HTTP },
		{ "HELO host", LOOKS_OTHERWISE },
		{ "M-SEARCH *", LOOKS_LIKE_HTTP },
		{ "PRI * HTTP/2.0", LOOKS_LIKE_HTTP },
		{ "EHLO x", LOOKS_OTHERWISE },
		{ "SSH-2.0-x", LOOKS_OTHERWISE },
		{ "PING\r\n", LOOKS_OTHERWISE },
		{ "get /", LOOKS_OTHERWISE },
		{ " GET /", LOOKS_OTHERWISE },
		{ "ABCDEFGHIJKLMNOPQRSTU /", LOOKS_OTHERWISE },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(request_look(cases[i].text, strlen(cases[i].text)), cases[i].look);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_origin),        cmocka_unit_test(test_origin_written), cmocka_unit_test(test_look),
		cmocka_unit_test(test_good),          cmocka_unit_test(test_hostile),        cmocka_unit_test(test_too_many_fields),
		cmocka_unit_test(test_end_in_pieces), cmocka_unit_test(test_written),        cmocka_unit_test(test_keep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

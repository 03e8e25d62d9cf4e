/*
 * What a client of the proxy sends: an HTTP head and its body, or SOCKS 5. A request that is taken is written anew; read again it is the same
 * request, with the same body, and a head that is written has one end only.
 */
#include "fuzz.h"

#include "egress/body.h"
#include "egress/request.h"
#include "egress/socks.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_socks(const uint8_t *data, size_t size)
{
	struct socks_request request;
	bool acceptable;
	int used = socks_read_greeting(data, size, &acceptable);

	require(used <= (int)size);
	if (used <= 0)
		return;
	used = socks_read_request(data + used, size - (size_t)used, &request);
	require(used <= (int)size && (used <= 0 || request.host_n <= SOCKS_HOST_MAX));
}

static void check_again(const struct request *request, const struct host *host)
{
	static struct request again;
	autostr struct str out;
	size_t scanned = 0, from = 0;
	size_t at;

	str_init(&out, 256 << 10);
	request_write(request, host, NULL, &out);
	require(!out.failed && head_find_end(out.text, out.len, &scanned) == (int)out.len);
	at = strcspn(out.text, " ") + 1;

	/* In the form of a request to a proxy, which the written one no longer is. */
	autostr struct str proxied;

	str_init(&proxied, 256 << 10);
	str_add_n(&proxied, out.text, at);
	str_add(&proxied, "http://x.y");
	str_add(&proxied, out.text + at);
	require(request_read(proxied.text, proxied.len, &again) == 0);
	require(again.head.framing == request->head.framing && again.head.length == request->head.length);
	require(head_next(&again.head, "host", &from) && !head_next(&again.head, "host", &from));
	require(again.head.parser.method == request->head.parser.method);
}

static void check_body(const struct request *request, const char *bytes, size_t n)
{
	static struct body_out out;
	struct body body;
	size_t used;

	body_init(&body, &request->head, request->head.framing == FRAMED_CHUNKS);
	if (body.complete)
		return;
	out.n = 0;
	out.failed = false;
	used = body_feed(&body, bytes, n, &out);
	require(used <= n && !out.failed);
	require(out.n <= n + 32);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct request request;
	size_t scanned = 0;
	const char *text = (const char *)data;
	struct host host;
	int end;

	if (size == 0 || size > 1 << 15)
		return 0;
	check_socks(data, size);
	end = head_find_end(text, size, &scanned);
	require(end <= (int)size);
	if (end <= 0 || request_read(text, (size_t)end, &request) != 0 || request.is_connect)
		return 0;
	if (host_parse(request.host.at, request.host.n, &host) == 0)
		check_again(&request, &host);
	if (size > (size_t)end)
		check_body(&request, text + end, size - (size_t)end);
	return 0;
}

#include "egress/request.h"
#include "egress/weak.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

enum { PORT_DEFAULT = 80, PORT_DIGITS_MAX = 5, BAD = 400, NO_METHOD = 405, NO_EXPECTATION = 417, MISDIRECTED = 421, TOO_LARGE = 431 };

static int read_port(struct head_text text, uint16_t *ret_port)
{
	unsigned port = 0;

	if (text.n == 0 || ((text.n > PORT_DIGITS_MAX || text.at[0] == '0') && !WEAKENED("port")))
		return -EINVAL;
	for (size_t i = 0; i < text.n; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return -EINVAL;
		port = port * 10 + (unsigned)(text.at[i] - '0');
	}
	if (port > UINT16_MAX)
		return -EINVAL;
	*ret_port = (uint16_t)port;
	return 0;
}

/* "host", "host:port", "[v6]:port". The port stays as it is when there is none. */
static int split_authority(struct head_text text, struct head_text *ret_host, uint16_t *ret_port)
{
	const char *inside = text.n > 0 && text.at[0] == '[' ? memchr(text.at, ']', text.n) : NULL;
	size_t before = inside ? (size_t)(inside - text.at) : 0;
	const char *colon = memchr(text.at + before, ':', text.n - before);
	struct head_text host = { text.at, colon ? (size_t)(colon - text.at) : text.n };

	if (host.n == 0 || memchr(text.at, '@', text.n))
		return -EINVAL;
	*ret_host = host;
	return colon ? read_port((struct head_text){ colon + 1, text.n - host.n - 1 }, ret_port) : 0;
}

static bool is_printable(struct head_text text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.at[i] <= ' ' || text.at[i] >= 0x7f)
			return false;
	return text.n > 0;
}

/* One space here, one there: http-parser is content with several, and the next reader may not be. */
static bool is_start_line(const struct request *request, const char *text)
{
	const char *method = http_method_str((enum http_method)request->head.parser.method);
	struct head_text target = request->head.target;
	const char *version = target.at + target.n;

	if (!is_printable(target) || target.at != text + strlen(method) + 1 || text[strlen(method)] != ' ')
		return false;
	return memcmp(version, " HTTP/1.", 8) == 0 && version[9] == '\r';
}

static int read_connect(struct request *request)
{
	request->is_connect = true;
	if (request->head.framing != FRAMED_EMPTY)
		return BAD;
	return split_authority(request->head.target, &request->host, &request->port) < 0 || request->port == 0 ? BAD : 0;
}

static int read_absolute(struct request *request)
{
	static const char scheme[] = "http://";
	struct head_text target = request->head.target, authority;

	if (target.n < sizeof(scheme) || strncasecmp(target.at, scheme, sizeof(scheme) - 1) != 0 || memchr(target.at, '#', target.n))
		return BAD;
	authority = (struct head_text){ target.at + sizeof(scheme) - 1, 0 };
	target.n -= sizeof(scheme) - 1;
	while (authority.n < target.n && !strchr("/?\\", authority.at[authority.n]))
		authority.n++;
	request->path = (struct head_text){ authority.at + authority.n, target.n - authority.n };
	if (request->path.n > 0 && request->path.at[0] == '\\')
		return BAD;
	request->port = PORT_DEFAULT;
	return split_authority(authority, &request->host, &request->port) < 0 ? BAD : 0;
}

/* Whoever sends a Host that is not the target's hopes that somebody behind us looks at the other one. */
static int check_host(const struct request *request)
{
	struct head_text host;
	uint16_t port = request->is_connect ? 0 : PORT_DEFAULT;
	size_t from = 0;
	const struct head_field *field = head_next(&request->head, "host", &from);

	if (!field || WEAKENED("host"))
		return 0;
	if (head_next(&request->head, "host", &from))
		return BAD;
	if (!request->is_connect)
		return 0; /* it is written anew */
	if (split_authority(field->value, &host, &port) < 0 || (port && port != request->port))
		return BAD;
	return host.n == request->host.n && strncasecmp(host.at, request->host.at, host.n) == 0 ? 0 : BAD;
}

static int check_expect(struct request *request)
{
	const struct head_field *field;

	for (size_t from = 0; (field = head_next(&request->head, "expect", &from));) {
		if (!head_text_is(field->value, "100-continue"))
			return NO_EXPECTATION;
		request->waits = true;
	}
	return 0;
}

/* ---- to a server ---- */

static bool is_origin(struct head_text host_text, uint16_t port, const struct request_origin *origin)
{
	struct host host;

	return port == origin->port && host_parse(host_text.at, host_text.n, &host) == 0 && host_is_same(&host, origin->host);
}

/* A port that is not told is the connection's. */
static int check_origin(const struct request *request, const struct request_origin *origin)
{
	struct head_text host;
	uint16_t port = origin->port;
	size_t from = 0;
	const struct head_field *field = head_next(&request->head, "host", &from);

	if (!field)
		return request->head.parser.http_minor == 0 ? 0 : BAD;
	if (head_next(&request->head, "host", &from) || split_authority(field->value, &host, &port) < 0)
		return BAD;
	return is_origin(host, port, origin) ? 0 : MISDIRECTED;
}

/* "/path", "*", and the absolute form, which servers have to take as well. */
static int read_origin_target(struct request *request, const struct request_origin *origin)
{
	struct head_text target = request->head.target;
	bool asterisk = target.n == 1 && target.at[0] == '*' && request->head.parser.method == HTTP_OPTIONS;
	int r;

	request->path = target;
	if (target.at[0] != '/' && !asterisk) {
		r = read_absolute(request);
		if (r != 0)
			return r;
		if (!is_origin(request->host, request->port, origin))
			return MISDIRECTED;
	}
	request->host = (struct head_text){ origin->host->text, strlen(origin->host->text) };
	request->port = origin->port;
	request->port_default = origin->port_default;
	return memchr(target.at, '#', target.n) ? BAD : 0;
}

static void read_upgrade(struct request *request)
{
	size_t from = 0;
	const struct head_field *field = head_next(&request->head, "upgrade", &from);

	if (field && request->head.parser.http_minor == 1 && head_lists(&request->head, "connection", "upgrade"))
		request->upgrade = field->value;
}

static enum request_look look_for_scheme(const char *target, size_t n)
{
	static const char scheme[] = "http://";
	size_t most = n < sizeof(scheme) - 1 ? n : sizeof(scheme) - 1;

	if (strncasecmp(target, scheme, most) != 0)
		return LOOKS_OTHERWISE;
	return most == sizeof(scheme) - 1 ? LOOKS_LIKE_HTTP : LOOKS_SHORT;
}

/* A method, a space, and "/", "*" or the absolute form. */
enum request_look request_look(const char *first, size_t n)
{
	enum { METHOD_MAX = 20 };
	size_t i = 0;

	while (i < n && i < METHOD_MAX && ((first[i] >= 'A' && first[i] <= 'Z') || first[i] == '-'))
		i++;
	if (i == n)
		return LOOKS_SHORT;
	if (i == 0 || first[i] != ' ')
		return LOOKS_OTHERWISE;
	if (i + 1 == n)
		return LOOKS_SHORT;
	if (first[i + 1] == '/' || first[i + 1] == '*')
		return LOOKS_LIKE_HTTP;
	return look_for_scheme(first + i + 1, n - i - 1);
}

/* ---- to whomever ---- */

static int begin(const char *text, size_t n, struct request *request)
{
	int r;

	*request = (struct request){ .port_default = PORT_DEFAULT };
	r = head_read(text, n, HTTP_REQUEST, &request->head);
	if (r < 0)
		return r == -E2BIG ? TOO_LARGE : BAD;
	if (!is_start_line(request, text))
		return BAD;
	request->keep = request->head.parser.http_minor == 1 && !head_lists(&request->head, "connection", "close") &&
	                !head_lists(&request->head, "proxy-connection", "close");
	return request->head.parser.method == HTTP_TRACE ? NO_METHOD : 0;
}

int request_read(const char *text, size_t n, struct request *ret_request)
{
	struct request *request = ret_request;
	int r = begin(text, n, request);

	if (r == 0)
		r = request->head.parser.method == HTTP_CONNECT ? read_connect(request) : read_absolute(request);
	if (r == 0)
		r = check_host(request);
	return r == 0 ? check_expect(request) : r;
}

int request_read_origin(const char *text, size_t n, const struct request_origin *origin, struct request *ret_request)
{
	struct request *request = ret_request;
	int r = begin(text, n, request);

	if (r == 0 && request->head.parser.method == HTTP_CONNECT)
		r = NO_METHOD;
	if (r == 0)
		r = read_origin_target(request, origin);
	if (r == 0)
		r = check_origin(request, origin);
	if (r == 0)
		read_upgrade(request);
	return r == 0 ? check_expect(request) : r;
}

bool request_names_host(const struct request *request, const struct host *host)
{
	const struct request_origin origin = { host, request->port, request->port_default };
	uint16_t port = request->port_default;
	struct head_text text;
	size_t from = 0;
	const struct head_field *field = head_next(&request->head, "host", &from);

	return !field || (split_authority(field->value, &text, &port) == 0 && is_origin(text, port, &origin));
}

static void add_authority(const struct request *request, const struct host *host, struct str *out)
{
	str_printf(out, host->kind == HOST_IPV6 ? "[%s]" : "%s", host->text);
	if (request->port != request->port_default)
		str_printf(out, ":%u", request->port);
}

static void add_method(const struct request *request, struct str *out)
{
	str_printf(out, "%s ", http_method_str((enum http_method)request->head.parser.method));
}

static void add_rest(const struct request *request, const struct host *host, const struct head_filter *filter, const char *authorization,
                     struct str *out)
{
	bool bare = request->path.n == 0 || (request->path.at[0] != '/' && request->path.at[0] != '*');

	str_add(out, bare ? "/" : "");
	str_add_n(out, request->path.at, request->path.n);
	str_add(out, " HTTP/1.1\r\nHost: ");
	add_authority(request, host, out);
	str_add(out, "\r\n");
	if (authorization)
		str_printf(out, "Proxy-Authorization: %s\r\n", authorization);
	head_write_fields(&request->head, filter, out);
	head_write_framing(request->head.framing, request->head.length, out);
	if (request->upgrade.n > 0) {
		str_add(out, "Connection: Upgrade\r\nUpgrade: ");
		str_add_n(out, request->upgrade.at, request->upgrade.n);
		str_add(out, "\r\n");
	}
	str_add(out, request->waits ? "Expect: 100-continue\r\n\r\n" : "\r\n");
}

void request_write(const struct request *request, const struct host *host, const struct head_filter *filter, struct str *out)
{
	add_method(request, out);
	add_rest(request, host, filter, NULL, out);
}

void request_write_proxied(const struct request *request, const struct host *host, const struct head_filter *filter,
                           const char *authorization, struct str *out)
{
	add_method(request, out);
	str_add(out, "http://");
	add_authority(request, host, out);
	add_rest(request, host, filter, authorization, out);
}

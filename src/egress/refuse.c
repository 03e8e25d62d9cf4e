#include "egress/filter.h"
#include "egress/weak.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_MAX = 4096, REASON_MAX = 500 };

void refuse_socks(struct conn *conn, enum socks_reply reply)
{
	char bytes[SOCKS_REPLY_BYTES];

	socks_write_reply(reply, bytes);
	flow_send(&conn->down, &conn->client, bytes, sizeof(bytes));
	conn_finish(conn);
}

/* A reason may come from settings: it stays one line of plain text. */
static void add_reason(struct str *out, const char *reason)
{
	for (size_t i = 0; reason[i] && i < REASON_MAX; i++) {
		bool plain = ((unsigned char)reason[i] >= ' ' && reason[i] != 0x7f) || WEAKENED("reason");

		str_add_n(out, plain ? &reason[i] : " ", 1);
	}
}

/* code is what a proxy with a decider says in the error's place. */
struct refusal {
	unsigned status;
	const char *reason, *error, *code, *body;
};

static void send_refusal(struct conn *conn, const struct refusal *refusal)
{
	bool asks = conn->filter->rules->asks;
	const char *error = asks ? refusal->code : refusal->error;
	bool newline = conn->way == WAY_HTTP || conn->way == WAY_TRANSPARENT || conn->way == WAY_HTTPS;
	autostr struct str out;

	str_init(&out, ANSWER_MAX);
	str_printf(&out, "HTTP/1.1 %u ", refusal->status);
	add_reason(&out, refusal->reason);
	str_add(&out, "\r\nContent-Type: text/plain\r\n");
	if (error)
		str_printf(&out, "X-%s: %s\r\n", asks ? "Deny-Reason" : "Proxy-Error", error);
	str_printf(&out, "Content-Length: %zu\r\nConnection: close\r\n\r\n", strlen(refusal->body) + newline);
	str_add(&out, refusal->body);
	if (newline)
		str_add_char(&out, '\n');
	if (conn->way == WAY_TRANSPARENT && !conn->exchange) {
		direct_refuse(conn, &out);
		return;
	}
	flow_send(&conn->down, &conn->client, out.text, out.len);
	conn_finish(conn);
}

void refuse_policy(struct conn *conn, const char *reason)
{
	report(conn, REPORT_DENY, reason);
	if (conn->way == WAY_SOCKS5)
		refuse_socks(conn, SOCKS_NOT_ALLOWED);
	else
		send_refusal(conn, &(struct refusal){ 403, reason, "blocked-by-allowlist", "host_not_allowed",
		                                      "Connection blocked by network allowlist" });
}

void refuse_address(struct conn *conn, const char *kind)
{
	autostr struct str reason, body;

	str_init(&reason, ANSWER_MAX);
	str_init(&body, ANSWER_MAX);
	str_printf(&reason, "resolved to %s address", kind);
	str_printf(&body, "Connection blocked by sandbox runtime: %s", reason.text);
	report(conn, REPORT_DENY, reason.text);
	if (conn->way == WAY_SOCKS5)
		refuse_socks(conn, SOCKS_NOT_ALLOWED);
	else
		send_refusal(conn, &(struct refusal){ 403, reason.text, "blocked-by-sandbox-runtime", "address_not_allowed", body.text });
}

static enum socks_reply socks_reply_of(int errnum)
{
	switch (errnum) {
	case ECONNREFUSED:
		return SOCKS_REFUSED;
	case ENETUNREACH:
		return SOCKS_NET_UNREACHABLE;
	case EHOSTUNREACH:
	case ETIMEDOUT:
	case ENOENT:
		return SOCKS_HOST_UNREACHABLE;
	default:
		return SOCKS_FAILED;
	}
}

static const char *upstream_reason(int errnum)
{
	switch (errnum) {
	case ENOENT:
		return "host not found";
	case EPROTO:
		return "upstream sent no HTTP";
	case EBADMSG:
		return "the proxy that was asked for it refused";
	case EPIPE:
		return "upstream closed the connection";
	default:
		return strerror(errnum);
	}
}

void refuse_upstream(struct conn *conn, int errnum)
{
	const char *reason = upstream_reason(errnum);
	autostr struct str body;

	str_init(&body, ANSWER_MAX);
	str_printf(&body, "Cannot reach %s port %u: %s", conn->goal.host.text, conn->goal.port, reason);
	report(conn, REPORT_CLOSE, reason);
	conn->is_open = false;
	if (conn->way == WAY_SOCKS5)
		refuse_socks(conn, socks_reply_of(errnum));
	else
		send_refusal(conn, &(struct refusal){ 502, "Bad Gateway", "upstream-unreachable", NULL, body.text });
}

void refuse_untrusted(struct conn *conn, const char *reason)
{
	autostr struct str body;

	str_init(&body, ANSWER_MAX);
	str_printf(&body, "Cannot reach %s port %u: %s", conn->goal.host.text, conn->goal.port, reason);
	report(conn, REPORT_DENY, reason);
	if (conn->way == WAY_SOCKS5) /* a proxy on the way */
		refuse_socks(conn, SOCKS_FAILED);
	else
		send_refusal(conn, &(struct refusal){ 502, "Bad Gateway", "upstream-untrusted", NULL, body.text });
}

void refuse_opaque(struct conn *conn)
{
	static const char reason[] = "what goes through this tunnel could not be judged";

	report(conn, REPORT_DENY, reason);
	if (conn->way == WAY_SOCKS5)
		refuse_socks(conn, SOCKS_FAILED);
	else
		send_refusal(conn, &(struct refusal){ 403, "Forbidden", "blocked-by-sandbox-runtime", "opaque_tunnel", reason });
}

void refuse_tunnels(struct conn *conn)
{
	report(conn, REPORT_DENY, "too many TLS-terminated tunnels at once");
	if (conn->way == WAY_SOCKS5)
		refuse_socks(conn, SOCKS_FAILED);
	else
		send_refusal(conn, &(struct refusal){ 503, "Service Unavailable", "too-many-tunnels", "too_many_tunnels",
		                                      "too many TLS-terminated tunnels at once" });
}

static const char *status_text(unsigned status)
{
	switch (status) {
	case 403:
		return "Forbidden";
	case 405:
		return "Method Not Allowed";
	case 408:
		return "Request Timeout";
	case 421:
		return "Misdirected Request";
	case 417:
		return "Expectation Failed";
	case 431:
		return "Request Header Fields Too Large";
	default:
		return "Bad Request";
	}
}

static const char *code_of(unsigned status)
{
	switch (status) {
	case 405:
		return "method_refused";
	case 421:
		return "misdirected";
	default:
		return "bad_request";
	}
}

void refuse_malformed(struct conn *conn, unsigned status)
{
	if (!conn->direct)
		conn->goal = (struct goal){ .port = 0 };
	report(conn, REPORT_DENY, status == 421 ? "HTTP asks for another host" : "malformed request");
	send_refusal(conn, &(struct refusal){ status, status_text(status), NULL, code_of(status), status_text(status) });
}

void refuse_request(struct conn *conn, unsigned status, const char *error, const char *reason)
{
	report(conn, REPORT_DENY, reason);
	send_refusal(conn, &(struct refusal){ status, status_text(status), error, code_of(status), reason });
}

void refuse_decided(struct conn *conn, unsigned status, const char *code, const char *reason)
{
	report(conn, REPORT_DENY, reason);
	send_refusal(conn,
	             &(struct refusal){ status, http_status_str((enum http_status)status), "blocked-by-sandbox-runtime", code, reason });
}

void refuse_crowd(int fd)
{
	static const char answer[] =
	    "HTTP/1.1 503 too-many-tunnels\r\nX-Proxy-Error: too-many-tunnels\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

	(void)send(fd, answer, sizeof(answer) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
}

/*
 * Theory of operation. Where the rules say so, TLS ends here: the client is shown a certificate that was made for whom it asks, and from then on talks
 * HTTP to what it takes for the server. The server is talked to over TLS of our own, which is made when the first request may pass: its
 * certificate is verified for the host that was asked for, whatever the client would have accepted.
 */
#include "egress/filter.h"
#include "egress/sni.h"

#include <errno.h>
#include <string.h>

bool terminate_wants(const struct conn *conn)
{
	const struct filter_tls *tls = &conn->filter->rules->tls;

	for (size_t i = 0; i < tls->excluded.n; i++)
		if (domain_pattern_fits(&tls->excluded.at[i], &conn->goal.host, conn->goal.port))
			return false;
	return tls->opens;
}

bool terminate_must_see(const struct conn *conn)
{
	const struct filter_rules *rules = conn->filter->rules;
	const struct access_request any = { .host = &conn->goal.host, .port = conn->goal.port };

	if (rules->asks_requests && (!rules->tls.opens || terminate_wants(conn)))
		return true;
	return rules->refuse_opaque_tunnels || access_names_host(&rules->requests, &any);
}

bool terminate_has_room(struct conn *conn)
{
	struct filter *filter = conn->filter;

	if (conn->holds_tunnel || filter->tunnels_n < filter->rules->tls.tunnels_max) {
		filter->tunnels_n += !conn->holds_tunnel;
		conn->holds_tunnel = true;
		return true;
	}
	return false;
}

void terminate_give_up(struct conn *conn)
{
	conn->filter->tunnels_n -= conn->holds_tunnel;
	conn->holds_tunnel = false;
}

/* ---- the client ---- */

static bool step_client(struct conn *conn)
{
	int r = secure_ops.handshake(conn->client.secure);

	if (r == -EAGAIN)
		return false;
	if (r < 0) {
		report(conn, REPORT_DENY, secure_ops.trouble(conn->client.secure));
		conn_close(conn);
		return false;
	}
	conn_forget(conn);
	conn->step = entry_step_head;
	conn_wait(conn, WAIT_IDLE, conn_close);
	return true;
}

static void be_late_with_client(struct conn *conn)
{
	report(conn, REPORT_DENY, "no TLS handshake in time");
	conn_close(conn);
}

void terminate_client(struct conn *conn, const struct sni *sni)
{
	conn->name = conn->goal.host;
	conn->says_name = sni->kind == SNI_NAME;
	if (conn->goal.host.kind != HOST_NAME && sni->kind == SNI_NAME)
		(void)host_parse(sni->name, sni->name_n, &conn->name);
	conn->client.secure = secure_ops.to_client(&conn->client, &conn->name, conn->in.text, conn->in.len);
	if (!conn->client.secure) {
		conn_close(conn);
		return;
	}
	str_done(&conn->in);
	conn->way = WAY_HTTPS;
	conn->direct = true;
	conn->step = step_client;
	conn->late = be_late_with_client; /* the time runs since the tunnel was asked for */
}

/* ---- the server ---- */

static void fail_server(struct conn *conn, const char *trouble)
{
	autostr struct str reason;

	str_init(&reason, 256);
	str_printf(&reason, "TLS%s: %s", conn->upstream.is_hop ? " with the proxy on the way" : "", trouble);
	refuse_untrusted(conn, reason.text);
}

static void be_late_with_server(struct conn *conn)
{
	fail_server(conn, "no handshake in time");
}

/* A handshake with the server, or with a proxy on the way there. */
static bool step_server(struct conn *conn)
{
	int r = secure_ops.handshake(conn->upstream.secure);

	if (r == -EAGAIN)
		return false;
	if (r < 0) {
		fail_server(conn, secure_ops.trouble(conn->upstream.secure));
		return true;
	}
	conn_forget(conn);
	if (conn->upstream.is_hop)
		ask_hop_secured(conn);
	else
		http_go_on(conn);
	return true;
}

static void begin(struct conn *conn, struct secure *secure, bool is_hop)
{
	if (!secure) {
		conn_close(conn);
		return;
	}
	conn->upstream.secure = secure;
	conn->upstream.is_hop = is_hop;
	conn->step = step_server;
	conn_wait(conn, WAIT_HANDSHAKE, be_late_with_server);
}

void terminate_server(struct conn *conn)
{
	begin(conn, secure_ops.to_server(&conn->upstream, &conn->name), false);
}

void terminate_hop(struct conn *conn)
{
	begin(conn, secure_ops.to_parent(&conn->upstream, &conn->hop->to.host), true);
}

/*
 * Theory of operation. The server's bytes flow at once, for in some protocols it speaks first. The client's first bytes are held until they have
 * shown what they are: a TLS client says whom it wants to reach, and behind one address there may be many (retry.c: it may say so twice). Nothing
 * that goes on inside TLS is seen, or needs to be.
 */
#include "egress/filter.h"
#include "egress/request.h"
#include "egress/sni.h"
#include "egress/spare.h"
#include "egress/weak.h"

#include <errno.h>
#include <string.h>

static bool step_tunnel(struct conn *conn)
{
	enum flow_result up = flow_move(&conn->up, &conn->client, &conn->upstream);
	enum flow_result down = flow_move(&conn->down, &conn->upstream, &conn->client);

	if (up == FLOW_ENDED && down == FLOW_ENDED)
		conn_close(conn);
	else if (up == FLOW_BUSY || down == FLOW_BUSY)
		loop_queue(&conn->filter->loop, &conn->turn);
	return false;
}

static void refuse_tls(struct conn *conn, const char *reason)
{
	report(conn, REPORT_DENY, reason);
	if (conn->direct)
		direct_refuse_tls(conn);
	else
		conn_close(conn);
}

void tunnel_pass_on(struct conn *conn)
{
	conn_forget(conn);
	conn->up.passed += conn->in.len;
	flow_send(&conn->up, &conn->upstream, conn->in.text, conn->in.len);
	spare_give(&conn->in);
	conn->step = step_tunnel;
}

/* Somebody who names an address has said whom to reach; the name inside is between the two. */
static bool is_goal(const struct conn *conn, const struct sni *sni)
{
	struct host host;

	if (conn->goal.host.kind != HOST_NAME || WEAKENED("sni"))
		return true;
	if (sni->kind == SNI_ABSENT)
		return conn->goal.rule->kind == DOMAIN_EXACT;
	return host_parse(sni->name, sni->name_n, &host) == 0 && host_is_same(&host, &conn->goal.host);
}

void tunnel_judge(struct conn *conn, const struct sni *sni)
{
	bool checked = !(sni->kind == SNI_BAD && WEAKENED("greeting")) && conn->goal.host.kind == HOST_NAME;

	if (sni->kind == SNI_BAD && !WEAKENED("greeting"))
		refuse_tls(conn, "malformed TLS greeting");
	else if (checked && !is_goal(conn, sni))
		refuse_tls(conn, sni->kind == SNI_ABSENT ? "TLS does not say which host it asks for" : "TLS asks for another host");
	else if (terminate_wants(conn))
		terminate_client(conn, sni);
	else if (terminate_must_see(conn))
		refuse_tls(conn, "what goes through this tunnel could not be judged");
	else if (checked && !WEAKENED("retry"))
		retry_begin(conn, sni->used);
	else
		tunnel_pass_on(conn);
}

static void be_late_with_hello(struct conn *conn)
{
	refuse_tls(conn, "malformed TLS greeting");
}

/* True when there is more to look at. A client that has ended has said all it will. */
static bool read_more(struct conn *conn)
{
	ssize_t n = conn_fill(conn);

	if (n > 0 || n == -EAGAIN)
		return n > 0;
	if (n < 0)
		conn_close(conn);
	else if (conn->in.len > 0)
		be_late_with_hello(conn);
	else
		tunnel_pass_on(conn);
	return !conn->dead;
}

/* Plain HTTP to a name says it again, in each request. Who uses a proxy knows what it is doing; those are looked at where requests have rules. */
static enum request_look look_for_http(const struct conn *conn)
{
	bool looks = terminate_must_see(conn) || (conn->direct && conn->goal.host.kind == HOST_NAME);

	return looks ? request_look(conn->in.text, conn->in.len) : LOOKS_OTHERWISE;
}

static void begin_http(struct conn *conn)
{
	conn_forget(conn);
	terminate_give_up(conn);
	if (!conn->direct) /* what it is told from here on is HTTP */
		conn->way = WAY_HTTP;
	conn->direct = true;
	conn->step = entry_step_head;
}

static void pass_or_refuse(struct conn *conn)
{
	terminate_give_up(conn);
	if (conn->in.len > 0 && terminate_must_see(conn))
		refuse_tls(conn, "what goes through this tunnel could not be judged");
	else
		tunnel_pass_on(conn);
}

static bool step_look(struct conn *conn)
{
	struct sni sni = sni_look(conn->in.text, conn->in.len);
	enum request_look http = sni.kind == SNI_NOT_TLS ? look_for_http(conn) : LOOKS_OTHERWISE;

	if (flow_move(&conn->down, &conn->upstream, &conn->client) == FLOW_BUSY)
		loop_queue(&conn->filter->loop, &conn->turn);
	if (sni.kind == SNI_MORE || http == LOOKS_SHORT) {
		if (conn->in.len > 0 && !loop_is_waiting(&conn->wait))
			conn_wait(conn, WAIT_STEP, be_late_with_hello);
		return read_more(conn);
	}
	if (http == LOOKS_LIKE_HTTP)
		begin_http(conn);
	else if (sni.kind == SNI_NOT_TLS)
		pass_or_refuse(conn);
	else
		tunnel_judge(conn, &sni);
	return true;
}

/* False: it was refused. */
static bool is_welcome(struct conn *conn)
{
	bool ends_here = terminate_wants(conn);

	if (!ends_here && conn->filter->rules->refuse_opaque_tunnels)
		refuse_opaque(conn);
	else if (ends_here && !terminate_has_room(conn))
		refuse_tunnels(conn);
	else
		return true;
	return false;
}

void tunnel_begin(struct conn *conn)
{
	static const char established[] = "HTTP/1.1 200 Connection Established\r\n\r\n";
	char reply[SOCKS_REPLY_BYTES];

	if (!is_welcome(conn))
		return;
	socks_write_reply(SOCKS_GRANTED, reply);
	if (conn->way == WAY_SOCKS5)
		flow_send(&conn->down, &conn->client, reply, sizeof(reply));
	else if (conn->way == WAY_CONNECT)
		flow_send(&conn->down, &conn->client, established, sizeof(established) - 1);
	conn->step = step_look;
	if (conn->holds_tunnel)
		conn_wait(conn, WAIT_HANDSHAKE, be_late_with_hello);
}

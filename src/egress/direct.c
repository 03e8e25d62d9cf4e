/*
 * Theory of operation. Inside, every connection to an address that is not the loopback's leads here (sys/nft), and the kernel remembers where it was to
 * go. An address that the resolver has made up stands for a name; any other one for itself. The decision comes before the client's first word,
 * since in some protocols the server speaks first; how to tell a refusal is known only behind it: HTTP has an answer for it, TLS an
 * alert, SSH a message. Others are reset.
 */
#include "egress/filter.h"
#include "egress/names.h"
#include "egress/request.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

enum { ORIGINAL_DESTINATION = 80 /* SO_ORIGINAL_DST and IP6T_SO_ORIGINAL_DST of linux/netfilter */ };

/* ---- whom it was for ---- */

static int find_destination(int fd, struct host *ret_host, uint16_t *ret_port)
{
	struct sockaddr_in four;
	struct sockaddr_in6 six;
	socklen_t four_n = sizeof(four), six_n = sizeof(six);

	if (getsockopt(fd, IPPROTO_IP, ORIGINAL_DESTINATION, &four, &four_n) == 0 && four.sin_family == AF_INET) {
		host_of_address((const unsigned char *)&four.sin_addr, 4, ret_host);
		*ret_port = ntohs(four.sin_port);
		return 0;
	}
	if (getsockopt(fd, IPPROTO_IPV6, ORIGINAL_DESTINATION, &six, &six_n) == 0 && six.sin6_family == AF_INET6) {
		host_of_address(six.sin6_addr.s6_addr, HOST_ADDRESS_BYTES, ret_host);
		*ret_port = ntohs(six.sin6_port);
		return 0;
	}
	return -ENOENT;
}

bool direct_step_first(struct conn *conn)
{
	struct host host;
	const char *name;
	uint16_t port;

	conn->way = WAY_TRANSPARENT;
	if (find_destination(conn->client.fd, &host, &port) < 0) {
		conn_abort(conn);
		return false;
	}
	conn_forget(conn);
	conn->step = conn_step_nothing;
	conn->dialed = tunnel_begin;
	name = names_of_address(&conn->filter->names, &host);
	if (name)
		ask(conn, name, strlen(name), port);
	else
		ask_address(conn, &host, port);
	return conn->step != conn_step_nothing;
}

/* ---- what it is told ---- */

void direct_refuse_tls(struct conn *conn)
{
	static const char access_denied[] = { 21, 3, 1, 0, 2, 2, 49 }; /* RFC 8446: an alert, fatal */

	flow_send(&conn->down, &conn->client, access_denied, sizeof(access_denied));
	conn_finish(conn);
}

static bool step_refuse(struct conn *conn)
{
	enum { TLS_HANDSHAKE = 22 };
	ssize_t n = conn->in.len > 0 ? 1 : conn_fill(conn);

	if (n <= 0) {
		if (n != -EAGAIN)
			conn_close(conn);
		return false;
	}
	switch (conn->in.text[0] == TLS_HANDSHAKE ? LOOKS_OTHERWISE : request_look(conn->in.text, conn->in.len)) {
	case LOOKS_SHORT:
		n = conn_fill(conn);
		if (n <= 0 && n != -EAGAIN)
			conn_close(conn);
		return n > 0;
	case LOOKS_LIKE_HTTP:
		flow_send(&conn->down, &conn->client, conn->refusal.text, conn->refusal.len);
		conn_finish(conn);
		return true;
	default:
		if (conn->in.text[0] == TLS_HANDSHAKE)
			direct_refuse_tls(conn);
		else
			conn_abort(conn);
		return true;
	}
}

void direct_refuse(struct conn *conn, struct str *answer)
{
	conn_drop_upstream(conn, NULL);
	str_done(&conn->refusal);
	conn->refusal = *answer;
	str_init(answer, 0);
	conn->step = step_refuse;
	conn_wait(conn, WAIT_SOON, conn_abort);
	loop_queue(&conn->filter->loop, &conn->turn);
}

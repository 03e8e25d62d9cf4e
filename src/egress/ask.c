/*
 * Theory of operation. Three questions, in this order, each asked once: do the lists allow the name and the port? Only then, where is it? And may
 * one go there? What is dialled is the address that was judged, and afterwards the kernel is asked whom it has connected to.
 */
#include "egress/decider.h"
#include "egress/filter.h"
#include "egress/opener.h"
#include "egress/weak.h"

#include "base/own.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { MAPPED_AT = 12, DISCARD = 9 };

/* ---- the dial ---- */

static socklen_t make_address(const unsigned char *bytes, uint16_t port, struct sockaddr_storage *ret_address)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct host host;

	host_of_address(bytes, HOST_ADDRESS_BYTES, &host);
	memset(ret_address, 0, sizeof(*ret_address));
	if (host.kind == HOST_IPV4) {
		memcpy(&four.sin_addr, bytes + MAPPED_AT, sizeof(four.sin_addr));
		memcpy(ret_address, &four, sizeof(four));
		return sizeof(four);
	}
	memcpy(&six.sin6_addr, bytes, sizeof(six.sin6_addr));
	memcpy(ret_address, &six, sizeof(six));
	return sizeof(six);
}

static uint16_t next_port(const struct conn *conn)
{
	return conn->hop ? conn->hop->to.port : conn->goal.port;
}

static int dial(struct conn *conn)
{
	struct sockaddr_storage address;
	socklen_t n = make_address(conn->address[conn->dialing], next_port(conn), &address);
	int fd = conn->upstream.fd < 0 ? socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) : -1;

	if (fd < 0)
		return conn->upstream.fd < 0 ? -errno : -EBUSY;
	conn->upstream.fd = fd;
	if (connect(fd, (const struct sockaddr *)&address, n) < 0 && errno != EINPROGRESS)
		return -errno;
	conn->upstream.writable = true; /* on this machine the connection stands already: a look costs less than a turn of the loop */
	return loop_watch(&conn->filter->loop, fd, EPOLLIN | EPOLLOUT, &conn->upstream.source);
}

/* 0 when connected to the address that was meant, -EINPROGRESS before. */
static int check_dialed(const struct conn *conn)
{
	struct sockaddr_storage wanted, peer = { 0 };
	socklen_t wanted_n = make_address(conn->address[conn->dialing], next_port(conn), &wanted), n = sizeof(peer), error_n = sizeof(int);
	int error = 0;

	if (getpeername(conn->upstream.fd, (struct sockaddr *)&peer, &n) < 0) {
		if (errno != ENOTCONN || getsockopt(conn->upstream.fd, SOL_SOCKET, SO_ERROR, &error, &error_n) < 0)
			return -errno;
		return error ? -error : -EINPROGRESS;
	}
	return n == wanted_n && memcmp(&peer, &wanted, n) == 0 ? 0 : -EHOSTUNREACH;
}

static bool step_dialing(struct conn *conn);

static void dial_next(struct conn *conn);

static void fail_dial(struct conn *conn, int error)
{
	end_close(&conn->upstream);
	conn->dial_error = error;
	conn->dialing++;
	dial_next(conn);
}

static void be_late_dialing(struct conn *conn)
{
	fail_dial(conn, ETIMEDOUT);
}

static void dial_next(struct conn *conn)
{
	for (; conn->dialing < conn->addresses_n; conn->dialing++) {
		int r = dial(conn);

		if (r == 0) {
			conn->step = step_dialing;
			conn_wait(conn, WAIT_STEP, be_late_dialing);
			return;
		}
		end_close(&conn->upstream);
		conn->dial_error = -r;
	}
	refuse_upstream(conn, conn->dial_error);
}

void ask_connected(struct conn *conn)
{
	static const int on = 1;

	conn->is_open = true;
	conn->opened_ms = conn->filter->loop.now_ms;
	conn->up_before = conn->up.passed;
	conn->down_before = conn->down.passed;
	report(conn, REPORT_OPEN, NULL);
	conn->dialed(conn);
	(void)setsockopt(conn->upstream.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* the first bytes are not waited for either way */
	(void)setsockopt(conn->upstream.fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

void ask_hop_secured(struct conn *conn)
{
	if (conn->hop && (conn->dialed == tunnel_begin || conn_is_tunnel(conn)))
		hop_shake_hands(conn);
	else
		ask_connected(conn);
}

/* Where the dial led: to the goal, or to one who goes on from there. */
static void arrive(struct conn *conn)
{
	conn_forget(conn);
	if (conn->hop && conn->hop->to.tls)
		terminate_hop(conn);
	else
		ask_hop_secured(conn);
}

static bool step_dialing(struct conn *conn)
{
	int r = conn->upstream.writable ? check_dialed(conn) : -EINPROGRESS;

	if (r == -EINPROGRESS) {
		conn->upstream.writable = false;
		return false;
	}
	if (r < 0) {
		fail_dial(conn, -r);
		return conn->step != step_dialing || conn->upstream.writable;
	}
	arrive(conn);
	return true;
}

/* ---- the addresses ---- */

/*
 * Would a connection end on this machine? Nothing is sent. Whatever is routed to us as ours says so, also what stands at no interface, as load
 * balancers' addresses do.
 */
static bool is_here(const unsigned char *bytes)
{
	struct sockaddr_storage address, from = { 0 };
	socklen_t n = make_address(bytes, DISCARD, &address), from_n = sizeof(from);
	autofd int fd = socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	size_t at = address.ss_family == AF_INET ? offsetof(struct sockaddr_in, sin_addr) : offsetof(struct sockaddr_in6, sin6_addr);
	size_t length = address.ss_family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, n) < 0 || getsockname(fd, (struct sockaddr *)&from, &from_n) < 0)
		return false; /* no way there: the dial will say so */
	return memcmp((const char *)&from + at, (const char *)&address + at, length) == 0;
}

const char *ask_judge(const struct conn *conn, const unsigned char *bytes)
{
	const struct domain_verdict allowed = { .allowed = true, .rule = conn->goal.rule };
	const struct filter_rules *rules = conn->filter->rules;
	struct domain_verdict verdict;
	struct host host;
	const char *kind;

	if (WEAKENED("addresses"))
		return NULL;
	host_of_address(bytes, HOST_ADDRESS_BYTES, &host);
	verdict = domain_decide(&rules->domains, &host, conn->goal.port);
	if (!verdict.allowed && verdict.rule) /* denied as an address */
		return "a denied";
	if (allowed.rule != conn->asked && domain_is_named_outright(&allowed))
		return NULL;
	kind = address_refusal(&rules->addresses, &host);
	return !kind && !WEAKENED("routes") && is_here(bytes) ? "one of this host's own" : kind;
}

void ask_resolved(struct conn *conn, const unsigned char (*address)[HOST_ADDRESS_BYTES], size_t n)
{
	const char *refusal = NULL;

	conn->addresses_n = conn->dialing = 0;
	for (size_t i = 0; i < n && conn->addresses_n < ADDRESSES_MAX; i++) {
		const char *kind = conn->hop ? NULL : ask_judge(conn, address[i]); /* whoever named a proxy has said where it is */

		if (kind)
			refusal = kind;
		else
			memcpy(conn->address[conn->addresses_n++], address[i], HOST_ADDRESS_BYTES);
	}
	if (conn->addresses_n > 0)
		dial_next(conn);
	else if (refusal)
		refuse_address(conn, refusal);
	else
		refuse_upstream(conn, ENOENT);
	conn_run(conn);
}

static void be_late_resolving(struct conn *conn)
{
	lookup_leave(conn);
	refuse_upstream(conn, ETIMEDOUT);
}

/* ---- the decision ---- */

static void seek(struct conn *conn)
{
	const struct host *host = conn_next(conn);

	if (host->kind != HOST_NAME) { /* only its own entry can have allowed it */
		memcpy(conn->address[0], host->address, HOST_ADDRESS_BYTES);
		conn->addresses_n = 1;
		conn->dialing = 0;
		dial_next(conn);
	} else if (lookup_start(conn) < 0) {
		refuse_upstream(conn, EAGAIN);
	} else {
		conn_wait(conn, WAIT_STEP, be_late_resolving);
	}
}

static void dial_socket(struct conn *conn)
{
	int fd = opener_connect(conn->filter->opener), r = fd;

	if (fd >= 0) {
		conn->upstream.fd = fd;
		r = loop_watch(&conn->filter->loop, fd, EPOLLIN | EPOLLOUT, &conn->upstream.source);
	}
	if (r < 0)
		refuse_upstream(conn, -r);
	else
		arrive(conn);
}

void ask_hop(struct conn *conn, const struct hop *hop)
{
	conn->hop = hop;
	if (hop && hop->kind == HOP_SOCKET)
		dial_socket(conn);
	else
		seek(conn);
}

static void ask_again(struct conn *conn, size_t head_bytes)
{
	const struct host host = conn->goal.host;

	(void)head_bytes;
	ask_address(conn, &host, conn->goal.port);
}

/* An answer is about a name; an address has to be one that names may lead to. */
static void go_where_allowed(struct conn *conn)
{
	const struct host *host = &conn->goal.host;
	const char *kind = conn->asked && conn->goal.rule == conn->asked && host->kind != HOST_NAME ? ask_judge(conn, host->address) : NULL;

	if (kind)
		refuse_address(conn, kind);
	else
		ask_hop(conn, ways_choose(&conn->filter->rules->ways, host, conn->goal.port,
		                          (conn->dialed == tunnel_begin || conn_is_tunnel(conn))));
}

void ask_address(struct conn *conn, const struct host *host, uint16_t port)
{
	struct domain_verdict verdict = domain_decide(&conn->filter->rules->domains, host, port);

	if (!verdict.allowed && !verdict.rule && decider_has_allowed(conn, host, port))
		verdict = (struct domain_verdict){ .allowed = true, .rule = conn->asked };
	conn->goal = (struct goal){ *host, port, verdict.rule };
	if (port == 0)
		refuse_policy(conn, "malformed port");
	else if (decider_may_ask(conn->filter, &verdict))
		decider_ask_host(conn, &(struct goal){ .host = conn->goal.host, .port = port }, 0, ask_again);
	else if (!verdict.allowed && !WEAKENED("lists"))
		refuse_policy(conn, verdict.reason);
	else
		go_where_allowed(conn);
}

void ask(struct conn *conn, const char *host_text, size_t host_n, uint16_t port)
{
	struct host host;
	size_t n = host_n < HOST_TEXT_MAX - 1 ? host_n : HOST_TEXT_MAX - 1;

	if (WEAKENED("canonical"))
		host_n = strnlen(host_text, host_n);
	if (host_parse(host_text, host_n, &host) == 0) {
		ask_address(conn, &host, port);
		return;
	}
	conn->goal = (struct goal){ .port = port };
	for (size_t i = 0; i < n; i++) /* for the report alone */
		if (host_text[i] == '\0')
			conn->goal.host.text[i] = '?';
		else
			conn->goal.host.text[i] = host_text[i];
	refuse_policy(conn, "malformed host");
}

/*
 * filter.h: the process and its connections. Private to src/egress.
 *
 *   conn.c     a connection's life
 *   entry.c    its first bytes: HTTP or SOCKS, and to whom
 *   ask.c      the decision; then addresses, judged; then the dial
 *   hop.c      connections that somebody else makes for us (ways.h)
 *   tunnel.c   CONNECT and SOCKS: bytes there and back, once the first of them say nothing else than was asked
 *   retry.c    the second thing a TLS client says, when the server asks it to
 *   terminate.c  TLS that ends here, and begins anew
 *   judge.c    single requests, and what is changed in them
 *   decider.h  the same by somebody else's program, and hosts that are on no list
 *   http.c     HTTP that is read: one message there, one back, again
 *   resolver.c names, asked for with DNS
 *   direct.c   connections that were meant for somebody else and led here
 *   refuse.c   what a client that may not, or cannot, is told
 *   report.c   what the engine is told
 *   renew.c    other rules, while connections are open
 *
 * A connection is a state machine of one function: `step` does what can be done now, and says whether the next step (it may have changed) should
 * be tried at once. Everything a connection owns is in it; when it is over, conn_close frees it at the end of the round.
 */
#ifndef COFFER_EGRESS_FILTER_H
#define COFFER_EGRESS_FILTER_H

#include "base/str.h"
#include "egress/flow.h"
#include "egress/head.h"
#include "egress/loop.h"
#include "egress/names.h"
#include "egress/rules.h"
#include "egress/socks.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONNS_MAX = 16384, REFUSED_MAX = 8, LISTENERS_MAX = 64, ADDRESSES_MAX = 16, OWN_MAX = 256, LOOKUPS_MAX = 16 };

struct lookup;

/* What the engine says a descriptor is for: RULES come as at the start, and replace those. */
enum { CONTROL_RULES = 'R' };
enum listener_kind { LISTENER_PROXY = 'P', LISTENER_TRANSPARENT = 'T', LISTENER_RESOLVER = 'D' };

struct listener {
	struct source source; /* first */
	struct filter *filter;
	int fd;
	bool direct;
};

struct filter {
	struct loop loop;
	struct filter_rules *rules; /* of one of the two generations: the other one is free, or about to be */
	struct {
		struct arena arena;
		struct filter_rules rules;
	} generation[2];
	struct source control; /* the engine */
	int control_fd, opener;
	size_t dropped; /* reports that the engine was too slow for */
	struct listener listener[LISTENERS_MAX];
	size_t listeners_n;
	struct conn *conns;                   /* all that live, the newest first */
	size_t conns_n, conns_max, tunnels_n; /* tunnels whose TLS ends here */
	size_t kept_bytes;                    /* of heads that are not whole yet, by all */
	struct conn *dead;
	struct turn burial, telling;
	struct lookup *lookups; /* running and waiting, the oldest first */
	size_t running_n;
	struct address_range own[OWN_MAX]; /* rules->addresses.own */
	struct names names;
	bool leaving;                          /* it ends when the last connection does */
	char told[REFUSED_MAX][HOST_TEXT_MAX]; /* names whose refusal was reported lately */
	size_t told_next;
};

enum way { WAY_HTTP, WAY_CONNECT, WAY_SOCKS5, WAY_TRANSPARENT, WAY_HTTPS };

/* Where a connection wants to go. rule is the pattern that allows it. */
struct goal {
	struct host host;
	uint16_t port;
	const struct domain_pattern *rule;
};

struct exchange;
struct question;
struct host_question;

struct conn {
	struct filter *filter;
	struct end client, upstream;
	struct turn turn;
	struct wait wait;
	bool (*step)(struct conn *conn); /* true: again */
	void (*late)(struct conn *conn); /* what the running wait's end means */
	bool dead, stepping;
	struct conn *next, *prev, *next_dead, *next_waiting;

	enum way way;
	struct str refusal; /* what a direct client is told once it has shown that it speaks HTTP */
	bool direct;        /* the client believes that it talks to the goal itself */
	struct str in;      /* read from the client and not used yet */
	size_t scanned, kept;
	struct goal goal;
	const struct hop *hop; /* who is asked to reach it; NULL: nobody */
	struct host name;      /* whom the client asks for inside TLS that ends here; the goal, but for goals that are addresses */
	bool says_name;        /* by SNI */
	bool holds_tunnel;     /* counts in filter->tunnels_n */
	struct str answer;     /* of a hop that is spoken to with TLS, as far as it has come */
	struct lookup *lookup;
	unsigned char address[ADDRESSES_MAX][HOST_ADDRESS_BYTES]; /* to dial, in this order */
	size_t addresses_n, dialing;
	int dial_error;
	void (*dialed)(struct conn *conn);

	struct flow up, down;
	struct exchange *exchange; /* plain HTTP */
	struct question *question; /* to the decider (decider.h) */
	struct host_question *host_question;
	struct domain_pattern *asked; /* what the decider has allowed, the last host and port, or NULL */
	bool greeted;                 /* a TLS greeting has passed */
	bool is_open;                 /* an "open" was reported: a "close" is due */
	uint64_t opened_ms, up_before, down_before;
};

/* Whom a connection is to be made to. */
static inline const struct host *conn_next(const struct conn *conn)
{
	return conn->hop ? &conn->hop->to.host : &conn->goal.host;
}

/* Does its client believe to be connected to the goal itself? Another proxy is asked for a tunnel then, whatever is said in it. */
static inline bool conn_is_tunnel(const struct conn *conn)
{
	return conn->direct || conn->client.secure;
}

/* conn.c */
void conn_accept(struct filter *filter, int fd, bool direct);
void conn_run(struct conn *conn);
bool conn_step_nothing(struct conn *conn); /* while somebody else has to answer first */
void conn_close(struct conn *conn);
/* Closes when the client has what was sent to it: nothing is taken from it any more, but it may still be talking. */
void conn_finish(struct conn *conn);
void conn_wait(struct conn *conn, enum wait_kind kind, void (*late)(struct conn *conn));
void conn_forget(struct conn *conn);
void conn_abort(struct conn *conn); /* so that the client knows that something is missing */
void conn_bury(struct turn *burial);
void conn_leave_idle(struct filter *filter); /* the process ends: who has nothing under way is let go at once */
/* Reads once from the client into `in`. As end_read. */
ssize_t conn_fill(struct conn *conn);
void conn_take(struct conn *conn, size_t n); /* the first n bytes of `in` are used */
/* Heads take too much memory altogether, and this one is no small one. */
bool conn_is_greedy(const struct conn *conn, size_t n);
void conn_drop_upstream(struct conn *conn, const char *reason);
void conn_leave_upstream(struct conn *conn); /* for another one */

/* entry.c */
bool entry_step_first(struct conn *conn);
bool entry_step_head(struct conn *conn);
void entry_go_on(struct conn *conn, size_t head_bytes); /* with a request that was read before */

/* ask.c: calls conn->dialed when there is a connection, or refuses. host is as the client wrote it. */
void ask(struct conn *conn, const char *host, size_t host_n, uint16_t port);
void ask_address(struct conn *conn, const struct host *host, uint16_t port);
/* The same through somebody else, whoever the goal is. */
void ask_hop(struct conn *conn, const struct hop *hop);
void ask_hop_secured(struct conn *conn);
void ask_connected(struct conn *conn); /* there is a way to the goal */
/* May the goal be at this address? NULL, or what kind of address it is. */
const char *ask_judge(const struct conn *conn, const unsigned char *bytes);
/* lookup.c's answer: addresses, not judged yet. */
void ask_resolved(struct conn *conn, const unsigned char (*address)[HOST_ADDRESS_BYTES], size_t n);

/* lookup.c */
int lookup_start(struct conn *conn);
void lookup_leave(struct conn *conn);

/* hop.c */
void hop_shake_hands(struct conn *conn); /* asks for a tunnel; then ask_connected */
bool hop_take_over(struct conn *conn);   /* a proxy of somebody else's decides in our place: true, it has the connection */

/* tunnel.c, http.c */
struct sni;
void tunnel_begin(struct conn *conn);
void tunnel_pass_on(struct conn *conn);                      /* what was said, and all that follows */
void tunnel_judge(struct conn *conn, const struct sni *sni); /* a greeting */
/* retry.c: the first n bytes of conn->in are a greeting that may pass. */
void retry_begin(struct conn *conn, size_t n);
struct request;
void http_begin(struct conn *conn, struct request *request, size_t head_bytes); /* which are the first of conn->in */
void http_go_on(struct conn *conn); /* with the request, once there is a connection to send it by */
void http_free(struct exchange *exchange);
size_t http_kept(const struct exchange *exchange); /* bytes of memory, beyond what an exchange has anyway */

/* terminate.c */
struct sni;
bool terminate_wants(const struct conn *conn);    /* TLS to this goal ends here */
bool terminate_must_see(const struct conn *conn); /* and nothing else may pass to it: there are rules for requests */
bool terminate_has_room(struct conn *conn);       /* one more; terminate_give_up when it turns out to be none */
void terminate_give_up(struct conn *conn);
void terminate_client(struct conn *conn, const struct sni *sni);
void terminate_server(struct conn *conn); /* then http_go_on */
void terminate_hop(struct conn *conn);    /* with the proxy that is asked; then ask_hop_secured */

/* judge.c */
#define JUDGE_NO_HEADERS                                                                                                                     \
	"the allow decision sets headers, and headers are not set on plain-HTTP requests unless plaintext header sets are enabled; nothing " \
	"was forwarded" /* srt's words */
struct swap;
bool judge_request(struct conn *conn, struct request *request); /* false: it was refused */
/* For the request that was judged last: which secrets go into it; true: into its body too. */
bool judge_swaps(const struct conn *conn, struct request *request, struct swap *ret_swap);
void judge_write(const struct conn *conn, const struct request *request, const struct swap *swap, struct str *out);
/* What is taken out of answers. */
struct strip {
	struct head_filter filter; /* first */
	const struct text_vec *names;
};
struct strip judge_strip(const struct conn *conn);

/* resolver.c: a listener's `ready`, for a datagram socket. */
void resolver_answer_all(struct source *source, uint32_t events);

/* direct.c */
bool direct_step_first(struct conn *conn);
/* For who has not said anything yet, or nothing that tells. Takes the answer, which is HTTP. */
void direct_refuse(struct conn *conn, struct str *answer);
void direct_refuse_tls(struct conn *conn);

/* renew.c: takes the rules in a sealed file in place of those in force, or says why not. Connections that they forbid end. */
void renew(struct filter *filter, int rules_fd);

/* refuse.c: answers in the client's own protocol, reports, and finishes. */
void refuse_policy(struct conn *conn, const char *reason);    /* the lists say no */
void refuse_address(struct conn *conn, const char *kind);     /* "a loopback" */
void refuse_upstream(struct conn *conn, int errnum);          /* nobody there */
void refuse_malformed(struct conn *conn, unsigned status);    /* no request at all, or one that is not served */
void refuse_untrusted(struct conn *conn, const char *reason); /* no TLS with it, or its certificate is not its own */
void refuse_request(struct conn *conn, unsigned status, const char *error, const char *reason);
void refuse_decided(struct conn *conn, unsigned status, const char *code, const char *reason); /* by the decider, or for want of it */
void refuse_opaque(struct conn *conn);  /* what goes through it could not be judged */
void refuse_tunnels(struct conn *conn); /* too many of those that end here */
void refuse_crowd(int fd);              /* too many connections: says so and forgets it */
void refuse_socks(struct conn *conn, enum socks_reply reply);

/* report.c */
enum report { REPORT_OPEN, REPORT_DENY, REPORT_CLOSE };
void report(struct conn *conn, enum report what, const char *reason);
/* The decider is there, or (reason) it is no more. */
void report_decider(struct filter *filter, const char *reason);
/* Other rules are in force, or (reason) those of before still are, which is told as a refusal. */
/* What was put off: a turn of the filter. */
void report_late(struct turn *telling);
void report_rules(struct filter *filter, const char *reason);
/* A name that nobody inside is told the address of. */
void report_name(struct filter *filter, const struct host *host, const struct domain_verdict *verdict);

#endif

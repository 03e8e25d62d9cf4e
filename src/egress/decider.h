/*
 * decider.h: requests that are decided by somebody else's program, as `srt proxy` has it: each is told to the decider on a stream, and goes on when it
 * says so. What reaches no verdict in time, or hears one that is malformed, is refused. In a sandbox (rules.asks_hosts, rules.asks_requests) the lists are the
 * policy's, the hello brings none, and hosts that are on neither list may be asked about as well; the end of the stream leaves what needs no question.
 *
 * A frame is four bytes, the length with the highest first, and one JSON object. Each side begins with a hello; ours is first. Then
 *
 *   here   {"t": "req", "id", "method", "host", "port", "hostHeader", "sni", "path", "query", "headers": {name: [values]}}
 *   there  {"t": "verdict", "id", "action": "allow", "setHeaders", "removeHeaders", "cred", "credential"} | {…, "action": "deny", "status", "reason"}
 *          | {…, "action": "need_body", "max"}
 *   here   {"t": "body", "id", "data": base64, "cut": true}, after need_body
 *   here   {"t": "ask", "id", "host", "port"}, about a host: allow or deny, and nothing with it but deny's status and reason
 *
 *   decider.c           the stream, the hello, the end
 *   decider_ask.c       one request: its question, its body, its verdict
 *   decider_question.c  how it is told
 *   decider_host.c      one host
 *   decider_check.c     what a frame may hold
 */
#ifndef COFFER_EGRESS_DECIDER_H
#define COFFER_EGRESS_DECIDER_H

#include "base/json.h"
#include "egress/body.h"
#include "egress/filter.h"
#include "egress/request.h"

/* The engine's messages: the two ends of the stream, perhaps copies of one socket; and that everything is to end. */
enum { DECIDER_IN = 'I', DECIDER_OUT = 'O', DECIDER_END = 'E' };
enum { DECIDER_FRAME_MAX = 1 << 20, DECIDER_BODY_MAX = 32 << 20, DECIDER_HELD_MAX = 2 * DECIDER_BODY_MAX };

/* ---- for the filter ---- */

bool decider_is_wanted(const struct filter *filter);
/* Takes the descriptor. */
void decider_obey(struct filter *filter, char kind, int *fd);
/* The request, whose head is the first bytes of conn->in, may go on: it was asked about and allowed. Else the question is put, or it was refused. */
bool decider_allows(struct conn *conn, struct request *request, size_t head_bytes);
void decider_leave(struct conn *conn); /* nobody waits for its verdict any more */

/* Of the request that was allowed: what is changed in its head, and what of its body has been read. */
bool decider_drops(const struct conn *conn, struct head_text name);
void decider_add_headers(const struct conn *conn, const struct host *host, struct str *out);
/* body is at its beginning. ahead: what the server has to get before the rest. */
void decider_hand_over(struct conn *conn, struct body *body, struct str *ahead);

/* Nobody has decided: the lists do not allow it, and do not deny it. */
bool decider_may_ask(const struct filter *filter, const struct domain_verdict *verdict);
bool decider_has_allowed(const struct conn *conn, const struct host *host, uint16_t port);
/* Puts the question, or refuses; calls go_on with head_bytes when it was allowed. */
typedef void decider_go_on(struct conn *conn, size_t head_bytes);
void decider_ask_host(struct conn *conn, const struct goal *goal, size_t head_bytes, decider_go_on *go_on);

/* ---- between its files ---- */

enum verdict_action { VERDICT_ALLOW, VERDICT_DENY, VERDICT_NEED_BODY };
struct verdict {
	uint64_t id;
	enum verdict_action action;
	unsigned status;    /* of a denial */
	const char *reason; /* the same, or NULL */
	uint64_t most;      /* bytes of the body that it wants */
	const json_t *set, *remove;
	const char *credential_class, *credential; /* or NULL both */
};

bool decider_check_hello(const json_t *frame);
/* Borrows from the frame. False: it is none. */
bool decider_check_verdict(const json_t *frame, struct verdict *ret_verdict);

/* 0: there is no decider, or not yet, or no more. */
uint64_t decider_next_id(const struct filter *filter);
void decider_forget_id(uint64_t id);  /* whose verdict may still come */
void decider_send(struct str *frame); /* the JSON; empties it */
void decider_die(const char *why);
const char *decider_trouble(void);                               /* why no id was to be had */
bool decider_is_asked(const struct filter *filter, uint64_t id); /* somebody waits for its verdict */
/* Frame is the verdict's, a reference to keep or not. */
void decider_answer(struct filter *filter, const struct verdict *verdict, json_t *frame);
void decider_refuse_all(struct filter *filter, const char *why);
/* False: it cannot be told in a frame. */
bool decider_write_question(const struct conn *conn, uint64_t id, const struct request *request, const struct host *host,
                            struct str *frame);
bool decider_host_is_asked(uint64_t id);
void decider_host_answer(const struct verdict *verdict);
void decider_host_leave(struct conn *conn);
void decider_host_refuse_all(void);

#endif

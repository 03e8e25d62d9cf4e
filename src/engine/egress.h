/*
 * egress.h: the egress filter of a run, a process of its own (coffer-egress) on the host's network. It accepts on sockets that the launcher has made
 * inside the sandbox's network and handed over; it never has the sandbox's files, nor the sandbox the filter's.
 *
 * The filter's descriptor 3 is a sealed file with its rules, 4 a SOCK_SEQPACKET: from here one byte and a descriptor a packet (listening sockets, other rules), to
 * here one JSON object a packet, a verdict each. Published ports: from here a listening socket of the host's and the port inside; for each connection
 * that comes in there, to here the wish for a socket of the sandbox's network, which the launcher's init makes.
 */
#ifndef COFFER_ENGINE_EGRESS_H
#define COFFER_ENGINE_EGRESS_H

#include "base/err.h"
#include "base/json.h"
#include "plan/outcome.h"
#include "sys/process.h"

#include <stdint.h>

enum { EGRESS_EVENT_MAX = 8192 };
struct egress {
	struct process process; /* pid -1: there is none */
	int socket;
	unsigned wished;              /* sockets that it has asked for and nobody has asked init for yet */
	json_t *event;                /* the last one; what a denial's strings are in */
	struct connection connection; /* the same; without a verdict it was about none */
	enum { EGRESS_NO_DECIDER, EGRESS_DECIDER_READY, EGRESS_DECIDER_LOST } decider; /* as far as one is asked */
	char decider_reason[128];                                                      /* why it was lost */
	char target[320];
	char packet[EGRESS_EVENT_MAX]; /* the last event as the filter has written it */
	size_t packet_n;
};

/* As EGRESS has them: JSON; more of them that are secret, perhaps none. */
struct egress_rules {
	const void *shown, *secret;
	size_t shown_n, secret_n;
	bool opens_tls; /* coffer-egress-tls, which takes longer to start */
};

void egress_init(struct egress *egress);
/* 0 or a negative errno. rules are borrowed for the call. */
int egress_start(struct egress *egress, const struct egress_rules *rules);
/* Of a session's filter only what it tells is heard, over the connection to the session, which stays the caller's. */
int egress_listen(struct egress *egress, int session);
/* Until it has confined itself and is ready; err says what hindered it. */
int egress_wait(struct egress *egress, struct err *err);
/* A socket of the sandbox's and what it is for (enum wire_listener); stays the caller's. */
int egress_hand_over(const struct egress *egress, char kind, int listener);

/* Listens on the host's address for a server inside. */
int egress_publish(const struct egress *egress, const char *address, uint16_t port, uint16_t inner);
/* What it wished for, or -1: there is none to be had. Stays the caller's. */
int egress_grant(const struct egress *egress, int socket);

/* Rules in place of those before: a sealed file, which stays the caller's. */
int egress_renew(const struct egress *egress, int rules);

/*
 * One event of the filter's. 1, 0 when there is none for now, or a negative errno when the filter is gone. The denial has no target when it was no
 * refusal. Its strings, a stranger's bytes, live until the next call.
 */
int egress_read(struct egress *egress, struct denial *ret_denial);
/* Ends it. */
void egress_done(struct egress *egress);

#endif

/*
 * netlink.h: messages to the kernel's networking, and what coffer asks of rtnetlink. No heap.
 */
#ifndef COFFER_SYS_NETLINK_H
#define COFFER_SYS_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Some messages that go together. What does not fit sticks in `full`, and sending it is -ENOBUFS. */
struct netlink {
	size_t n, message; /* where the one begins that is being written */
	bool full;
	_Alignas(4) unsigned char bytes[4096];
};

/* body: what follows the header, n bytes. */
void netlink_begin(struct netlink *netlink, unsigned type, unsigned flags, const void *body, size_t n);
void netlink_end(struct netlink *netlink);
void netlink_add(struct netlink *netlink, unsigned attribute, const void *bytes, size_t n);
/* An attribute that holds attributes: between open and close. */
size_t netlink_open(struct netlink *netlink, unsigned attribute);
void netlink_close(struct netlink *netlink, size_t opened);
/* Sends them all; one of them, the last if they all can fail, asks for an answer (NLM_F_ACK). 0, or the first error. */
int netlink_send(const struct netlink *netlink, int protocol);

/* Brings the loopback interface of the calling process's network namespace up; the kernel gives it 127.0.0.1 and ::1 then. */
int netlink_loopback_up(void);
/*
 * Makes every address of the family (AF_INET, AF_INET6) one of the namespace's own. With IPv4 comes an address that is not the loopback's, 198.18.0.1, for
 * programs that ask whether there is a network (AI_ADDRCONFIG); what is sent has it as its source.
 */
extern const unsigned char netlink_own_address[4];
int netlink_own_everything(unsigned char family);

#endif

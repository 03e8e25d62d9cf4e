/*
 * confine.h: the filter gives up what it does not need: it parses bytes that come from the sandbox, and from servers.
 *
 * What is left: TCP connections, name lookups, a handful of files in /etc, and children that live ten seconds.
 */
#ifndef COFFER_EGRESS_CONFINE_H
#define COFFER_EGRESS_CONFINE_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/* uid: who to become when started as root. What a kernel lacks (Landlock) is left out; anything else that fails is an error. */
int confine(uint32_t uid, struct err *err);

/* The same for opener.h's child: connections to Unix sockets, and an answer. */
int confine_opener(void);

/* The system call filter, as struct sock_filter[]. */
size_t confine_filter(const void **ret_filter);
size_t confine_opener_filter(const void **ret_filter);

#endif

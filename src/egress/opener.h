/*
 * opener.h: connections to one Unix socket, for a filter that may not make a Unix socket of its own. A child that parses nothing makes them; whoever takes the
 * filter over can ask it for one more connection to that same place.
 */
#ifndef COFFER_EGRESS_OPENER_H
#define COFFER_EGRESS_OPENER_H

#include "base/err.h"

/* Before the filter confines itself. The child ends with its socket. */
int opener_start(const char *path, int *ret_socket, struct err *err);
/* A connected, non-blocking socket, or a negative errno. */
int opener_connect(int socket);

#endif

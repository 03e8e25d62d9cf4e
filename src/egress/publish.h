/*
 * publish.h: the other way round: connections from the host to servers inside. The engine hands over sockets that listen on the host, and for each
 * connection, when asked, a fresh socket of the sandbox's network. Bytes are passed, and not looked at.
 */
#ifndef COFFER_EGRESS_PUBLISH_H
#define COFFER_EGRESS_PUBLISH_H

#include "egress/filter.h"

/* The engine's messages: 'H', the port inside (two bytes, the higher one first), a listening socket; and 'S' with a socket, or none. */
enum { PUBLISH_LISTENER = 'H', PUBLISH_SOCKET = 'S', PUBLISH_MESSAGE_BYTES = 3 };

/* Takes the descriptor if it has use for it. */
void publish_obey(struct filter *filter, const unsigned char message[PUBLISH_MESSAGE_BYTES], int *fd);

#endif

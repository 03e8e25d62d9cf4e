/*
 * channel.h: `coffer channel`: sessions, commands and files for programs in any language, as JSON lines (docs/PROTOCOL.md).
 *
 * One process that waits in one place. Whatever a request asks for is done by a child of its own (work.h), so nothing here waits for anybody, a request that
 * is cancelled is a process that is killed, and what reads hostile names does it as the sandbox's user.
 *
 *   client ══lines══▶ channel ──fork──▶ worker of request 7 ──▶ session
 *          ◀═══════         ◀──lines, stdout, stderr──┘
 */
#ifndef COFFER_CHANNEL_CHANNEL_H
#define COFFER_CHANNEL_CHANNEL_H

#include "base/err.h"

#include <coffer.h>

/*
 * Serves one client at descriptors 0 and 1, until its end; or, with a path, all who connect to a socket there, until SIGTERM or SIGINT. Of a process that has no
 * other threads. 0, or a negative errno when it never served.
 */
int channel_serve(struct coffer *coffer, const char *path, struct err *err);

#endif

/* do_session.h: what a session is, for other methods. Private to src/channel. */
#ifndef COFFER_CHANNEL_DO_SESSION_H
#define COFFER_CHANNEL_DO_SESSION_H

#include "channel/work.h"

/* As the library tells it. */
int session_read(struct coffer_session *session, json_t **ret_entry, struct err *err);
/* As the protocol does. */
void session_add(struct str *out, const json_t *entry);

#endif

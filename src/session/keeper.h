/* keeper.h: the process that stays with a managed process. Private to src/session. */
#ifndef COFFER_SESSION_KEEPER_H
#define COFFER_SESSION_KEEPER_H

#include "session/processes.h"

/*
 * Forks it. dir is the process's directory, empty, and lock a descriptor that holds its lock; both stay the caller's. 0 when the command is executed; else why not, and
 * nothing is left but the directory.
 */
int keeper_start(const struct session *session, const char *id, const struct process_wish *wish, const int dir_and_lock[2],
                 struct err *err);

#endif

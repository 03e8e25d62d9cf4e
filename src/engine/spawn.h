/* spawn.h: the crossing: the plan into a sealed memfd, the launcher with it. */
#ifndef COFFER_ENGINE_SPAWN_H
#define COFFER_ENGINE_SPAWN_H

#include "base/err.h"
#include "base/path.h"
#include "engine/engine.h"
#include "sys/process.h"

struct launcher {
	struct process process; /* pid -1: not started */
	int socket;
};

/* Where a program of coffer's own is: beside the running one, else installed. */
int spawn_find(const char *name, char ret_path[PATH_BYTES_MAX + 1], struct err *err);

void launcher_init(struct launcher *launcher);
/* Starts coffer-launch with stdio as 0, 1, 2 and, unless it is -1, WIRE_RESULTS_FD; the plan as WIRE_PLAN_FD and the other end of launcher->socket as WIRE_SOCKET_FD. */
int launcher_start(struct launcher *launcher, const struct plan *plan, const struct engine_run_options *options, const int stdio[4],
                   struct err *err);
/* The same in a session, without results: what would be the launcher's is sent to its supervisor. There is no process of ours then. */
int launcher_enter(struct launcher *launcher, const struct plan *plan, const struct engine_run_options *options, const int stdio[4],
                   struct err *err);
/* Waits for the launcher itself when it was started. */
struct process_end launcher_done(struct launcher *launcher);

#endif

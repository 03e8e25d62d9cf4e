/* probe.h: the part of engine_probe that finds cgroups. */
#ifndef COFFER_ENGINE_PROBE_H
#define COFFER_ENGINE_PROBE_H

#include "base/arena.h"
#include "plan/facts.h"

/*
 * Where this process may make cgroups, for each controller, and swap_accounting. What cannot be found is none. Returns 0 or -ENOMEM.
 *
 * Only the places where every distribution mounts them are looked at, below /sys/fs/cgroup. On version 1 the place is the caller's own
 * cgroup. On version 2 it is the caller's own or the one above, for a cgroup with processes in it cannot hand controllers down (cgroups(7),
 * "no internal processes"): it takes a parent that is the user's, as below a systemd user manager.
 */
int probe_cgroups(struct arena *arena, struct facts *facts);

#endif

/* look.h: what one path is on this host. */
#ifndef COFFER_ENGINE_LOOK_H
#define COFFER_ENGINE_LOOK_H

#include "base/arena.h"
#include "plan/survey.h"

/* Fills *ret_entry; strings are in the arena, but for path, which is borrowed. Returns 0, or -ENOMEM: odd paths are answers. */
int look_at(struct arena *arena, const char *path, struct survey_entry *ret_entry);

#endif

/* look.h: what one path is on this host. */
#ifndef COFFER_ENGINE_LOOK_H
#define COFFER_ENGINE_LOOK_H

#include "base/arena.h"
#include "plan/survey.h"

/*
 * Fills *ret_entry; strings are in the arena, but for path, which is borrowed. parent is the answer for the directory that path is in, where it
 * was asked for already, or NULL. Returns 0, or -ENOMEM: odd paths are answers.
 */
int look_at(struct arena *arena, const char *path, const struct survey_entry *parent, struct survey_entry *ret_entry);

#endif

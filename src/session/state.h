/*
 * state.h: names of runs, and the directories where coffer remembers what lives longer than a call.
 *
 * The state directory holds the engine's journals and the records that `coffer why` reads. It is this user's own: made with mode 0700,
 * and refused when somebody else owns it or may write there. Its place is $XDG_RUNTIME_DIR/coffer when this user owns
 * $XDG_RUNTIME_DIR, else /run/coffer for root, else ~/.local/state/coffer.
 */
#ifndef COFFER_SESSION_STATE_H
#define COFFER_SESSION_STATE_H

#include "base/arena.h"
#include "base/err.h"

#include <stdint.h>

/* Twelve hexadecimal digits. */
enum { STATE_RUN_ID_MAX = 13 };

/* A fresh name, from the kernel's random numbers. */
int state_run_id(char ret_id[STATE_RUN_ID_MAX], struct err *err);
/* The sixteen bits of a run's name that tell its sandbox's user from the others', when coffer runs as root. */
uint32_t state_run_bits(const char *id);

/* Where the state directory is or would be. Makes nothing. */
int state_dir_find(struct arena *arena, const char **ret_dir, struct err *err);
/* The same for what outlives a reboot: $XDG_DATA_HOME/coffer or ~/.local/share/coffer; root: /var/lib/coffer. */
int state_data_find(struct arena *arena, const char **ret_dir, struct err *err);
/* Makes the directory where it is missing, with the ones above it, and checks that it is this user's alone. */
int state_dir_make(const char *dir, struct err *err);

/*
 * Where the private /tmp of rung two goes: /var/tmp/coffer-UID, on a file system that can hold real work. Where somebody else has taken the
 * name it is `otherwise`, a directory of our own; NULL: then state_scratch_make will refuse. Makes nothing.
 */
int state_scratch_find(struct arena *arena, const char *otherwise, const char **ret_dir, struct err *err);
/* Makes it. Root's may be searched (0711) by the sandbox's user, who owns only what lies in it. */
int state_scratch_make(const char *dir, struct err *err);

#endif

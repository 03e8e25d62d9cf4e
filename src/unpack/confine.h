/* confine.h: the program gives up, before it reads a byte, all that it does not need. */
#ifndef COFFER_UNPACK_CONFINE_H
#define COFFER_UNPACK_CONFINE_H

#include "unpack/unpack.h"

/*
 * What is left: for extract, making, writing and removing below the root; for create, reading there; the descriptors that are open; memory, 1 GiB.
 * No new file elsewhere (Landlock, where the kernel has it), no socket, no process, no program.
 */
int unpack_confine(const struct unpack *unpack, bool extract);

#endif

/* beside.h: the programs that belong to coffer and are no commands. */
#ifndef COFFER_SYS_BESIDE_H
#define COFFER_SYS_BESIDE_H

#include <stddef.h>

/* The path of one of them: beside this program, as in a build folder, or in COFFER_LIBEXEC. 0, or -ENOENT. */
int beside_find(const char *name, char *ret_path, size_t room);

#endif

/*
 * landlock.h: the Landlock security module. Linux 5.13; file rights by ABI 1 to 5, TCP ports from ABI 4, scopes from ABI 6. -ENOSYS or -EOPNOTSUPP
 * where it is missing or switched off.
 */
#ifndef COFFER_SYS_LANDLOCK_H
#define COFFER_SYS_LANDLOCK_H

#include <stdint.h>

/* The ABI of this kernel, 0 when there is none. */
unsigned landlock_abi(void);
/* Every right on files that this ABI knows, which is what a ruleset should handle. */
uint64_t landlock_file_rights(unsigned abi);

enum landlock_right {
	LANDLOCK_EXECUTE = 1 << 0,
	LANDLOCK_WRITE_FILE = 1 << 1,
	LANDLOCK_READ_FILE = 1 << 2,
	LANDLOCK_READ_DIR = 1 << 3,
	LANDLOCK_REMOVE_DIR = 1 << 4,
	LANDLOCK_REMOVE_FILE = 1 << 5,
	LANDLOCK_MAKE_CHAR = 1 << 6,
	LANDLOCK_MAKE_DIR = 1 << 7,
	LANDLOCK_MAKE_REG = 1 << 8,
	LANDLOCK_MAKE_SYM = 1 << 12,
	LANDLOCK_REFER = 1 << 13,    /* ABI 2: before it, nothing is linked or renamed to another directory */
	LANDLOCK_TRUNCATE = 1 << 14, /* ABI 3 */
};

struct landlock_handled {
	uint64_t files, network, scopes; /* a later ABI's member must be 0 on an earlier one */
};

/* A ruleset under construction: what it handles is denied unless a rule allows it. Returns a descriptor. */
int landlock_open(unsigned abi, const struct landlock_handled *handled);
/* Allows rights below a directory, or on a file; `fd` may be O_PATH. Rights that only directories have are left out for a file. */
int landlock_allow(int ruleset, int fd, uint64_t rights);
/* Enforces it on the calling thread and its children, forever. Needs no_new_privs or CAP_SYS_ADMIN. */
int landlock_enter(int ruleset);

#endif

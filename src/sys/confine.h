/*
 * confine.h: a program of coffer's own gives up all that it does not need, before it reads a byte of what a stranger wrote.
 */
#ifndef COFFER_SYS_CONFINE_H
#define COFFER_SYS_CONFINE_H

#include <stddef.h>
#include <stdint.h>

struct confine {
	const void *filter; /* struct sock_filter[], made of the words of filter.h */
	size_t filter_bytes;
	int root;                                              /* a directory that stays in reach, or -1 */
	uint64_t rights;                                       /* on what is below it: LANDLOCK_… of landlock.h */
	uint64_t memory_bytes, file_bytes, descriptors, cpu_s; /* UINT64_MAX: as it was */
};

/*
 * No capability, no new privileges, no file but below the root (Landlock, where the kernel has it), no TCP, the limits, and only the system calls of the
 * filter. Descriptors that are open stay so. 0 or a negative errno; then some of it may be in force.
 */
int confine(const struct confine *confine);

#endif

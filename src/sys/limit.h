/*
 * limit.h: resource limits (prlimit64, Linux 2.6.36).
 */
#ifndef COFFER_SYS_LIMIT_H
#define COFFER_SYS_LIMIT_H

#include <stdint.h>
#include <sys/types.h>

/* Sets a limit of the calling process. UINT64_MAX is unlimited. A limit that is below already, and that this process may not raise, stays as low as it is. */
int limit_set(unsigned resource, uint64_t soft, uint64_t hard);

/* Of another process with the same ids: what it cannot exceed; and both of its limits. */
int limit_hard_of(pid_t pid, unsigned resource, uint64_t *ret_hard);
int limit_set_of(pid_t pid, unsigned resource, uint64_t value);

#endif

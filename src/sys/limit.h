/*
 * limit.h: resource limits of the calling process (prlimit64, Linux 2.6.36).
 */
#ifndef COFFER_SYS_LIMIT_H
#define COFFER_SYS_LIMIT_H

#include <stdint.h>

/* Sets a limit. UINT64_MAX is unlimited. A limit that is below already, and that this process may not raise, stays as low as it is. */
int limit_set(unsigned resource, uint64_t soft, uint64_t hard);

#endif

/*
 * own.h: who frees what, said at the declaration.
 *
 * `autofree char *p` frees p when it leaves scope, `autofd int fd = -1` closes fd. TAKE_PTR and
 * TAKE_FD move the thing out, so that the scope no longer owns it. No function here sets errno.
 */
#ifndef COFFER_BASE_OWN_H
#define COFFER_BASE_OWN_H

#include <stddef.h>

void own_free(void *slot); /* slot is a `T **`; free(NULL) is fine */
void own_close(int *slot); /* closes unless negative; errno is kept */

#define autofree __attribute__((cleanup(own_free)))
#define autofd __attribute__((cleanup(own_close)))

#define TAKE_PTR(p)                         \
	__extension__({                     \
		__typeof__(p) taken_ = (p); \
		(p) = NULL;                 \
		taken_;                     \
	})

#define TAKE_FD(fd)                \
	__extension__({            \
		int taken_ = (fd); \
		(fd) = -1;         \
		taken_;            \
	})

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif

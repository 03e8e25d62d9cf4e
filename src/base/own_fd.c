/* Apart from own.c, because the launcher owns descriptors and has no heap. */
#include "base/own.h"

#include <errno.h>
#include <unistd.h>

void own_close(int *slot)
{
	if (*slot < 0)
		return;

	int saved = errno;

	close(*slot); /* after EINTR the descriptor is gone on Linux: never again */
	errno = saved;
	*slot = -1;
}

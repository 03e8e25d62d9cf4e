#include "base/own.h"

#include <stdlib.h>
#include <string.h>

void own_free(void *slot)
{
	void *p;

	/* slot points at a `T *` of any T: copying its bytes is the one way to read it that breaks no aliasing rule. */
	memcpy(&p, slot, sizeof(p));
	free(p);
}
